// Over real HTTPS, from a server on this machine.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { CERTIFICATE, CERTIFICATE_KEY } from "../testing/certificate.ts";
import { within } from "../testing/wire.ts";
import { createFetchPolicy, type FetchPolicyOptions } from "./fetch-policy.ts";
import type { PolicyAnswer } from "./sts-policies.ts";

const HOST = "mta-sts.hop.example";
const TEXT = "version: STSv1\n";

async function fetchFrom(
  t: TestContext,
  answer: (response: ServerResponse) => void,
  options: Partial<FetchPolicyOptions> = {},
  host = HOST,
): Promise<PolicyAnswer & { readonly paths: readonly string[] }> {
  const paths: string[] = [];
  const server = createServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, (request, response) => {
    paths.push(`${request.headers.host}${request.url}`);
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const fetchPolicy = createFetchPolicy({
    resolver: { addresses: async () => ({ kind: "addresses", addresses: ["10.0.0.1", "127.0.0.1"] }) },
    mayConnect: (address) => !address.startsWith("10."),
    ca: CERTIFICATE,
    port: (server.address() as AddressInfo).port,
    ...options,
  });
  return { ...(await within(fetchPolicy(host), "the policy")), paths };
}

const say =
  (status: number, headers: Record<string, string>, text = TEXT) =>
  (response: ServerResponse): void => {
    response.writeHead(status, headers).end(text);
  };
const PLAIN = { "content-type": "text/plain; charset=utf-8" };

test("a policy file is fetched from its well-known place", async (t) => {
  assert.deepEqual(await fetchFrom(t, say(200, PLAIN)), {
    kind: "text",
    text: TEXT,
    paths: ["mta-sts.hop.example/.well-known/mta-sts.txt"],
  });
});

const refused: [what: string, answer: (response: ServerResponse) => void, cause: RegExp][] = [
  ["a redirect", say(301, { ...PLAIN, location: "https://evil.example/" }), /: status 301$/],
  ["404", say(404, PLAIN), /: status 404$/],
  ["HTML", say(200, { "content-type": "text/html" }), /: not text\/plain$/],
  ["a file of no type", say(200, {}), /: not text\/plain$/],
  ["a file over 64 KiB", say(200, PLAIN, "x".repeat(65_537)), /: more than 65536 octets$/],
  ["a lost connection", (response) => response.socket?.destroy(), /: socket hang up$/],
  [
    "a file that breaks off",
    (response) =>
      response.writeHead(200, { ...PLAIN, "content-length": "100" }).write("x", () => response.destroy()),
    /: aborted$/,
  ],
];
for (const [what, answer, cause] of refused) {
  test(`${what} is no policy`, async (t) => {
    const outcome = await fetchFrom(t, answer);
    assert.ok(outcome.kind === "failed");
    assert.match(outcome.cause, cause);
    assert.equal(outcome.paths.length, 1);
  });
}

test("a certificate that nobody vouches for, or of another name, is no policy", async (t) => {
  for (const [options, host] of [
    [{ ca: undefined }, HOST],
    [{}, "mta-sts.other.example"],
  ] as const) {
    const outcome = await fetchFrom(t, say(200, PLAIN), options, host);
    assert.equal(outcome.kind, "failed");
    assert.deepEqual(outcome.paths, []);
  }
});

test("nobody's DNS has us connect into private networks", async (t) => {
  const outcome = await fetchFrom(t, say(200, PLAIN), { mayConnect: () => false });
  assert.ok(outcome.kind === "failed");
  assert.match(outcome.cause, /no address that may be connected to$/);
  assert.deepEqual(outcome.paths, []);
});

test("DNS that does not answer is no policy", async (t) => {
  const resolver = { addresses: async () => ({ kind: "failed", cause: "TIMEOUT" }) as const };
  assert.equal((await fetchFrom(t, say(200, PLAIN), { resolver })).kind, "failed");
});
