import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { ForwarderSettings, NextHop } from "@homing/forwarder";
import { submit } from "@homing/forwarder/submit";
import { memoryContent } from "@homing/mail";
import { createRewriter, type RewriterOptions } from "@homing/srs-core";
import { loadConfig } from "./config/load-config.ts";
import { readForwarderSettings } from "./forwarder-settings.ts";

const STRONG = "k".repeat(22);
const NOW = 1_700_000_000;

async function settings(
  t: TestContext,
  srs: string,
  secret: string,
  more = "",
): Promise<{ readonly settings: ForwarderSettings; readonly warnings: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "homing.yaml");
  await writeFile(
    path,
    `hostname: mx.f.example\ndomains: [f.example]\naliasesFile: aliases\nsrs: { domain: f.example, secretsFile: secrets, ${srs} }\n${more}`,
  );
  await writeFile(join(folder, "aliases"), "alice: a@home.example\npostmaster: alice\n");
  await writeFile(join(folder, "secrets"), `${secret}\n`, { mode: 0o600 });
  const warnings: string[] = [];
  const read = await readForwarderSettings(await loadConfig(path), path, (message) => warnings.push(message));
  return { settings: read, warnings };
}

function forged(
  options: Partial<RewriterOptions>,
): Parameters<ReturnType<typeof createRewriter>["reverse"]>[0] {
  const rewriter = createRewriter({ secrets: [STRONG], domain: "f.example", ...options });
  const outcome = rewriter.forward({ localPart: "bob", domain: "o.example" }, NOW);
  assert.ok(outcome.ok && outcome.rewritten);
  return outcome.sender;
}

const refused: [what: string, srs: string, message: RegExp][] = [
  ["a strong scheme", "weakSecret: true", /fewer than 22 characters, .* -base64 24$/],
  [
    "a classic one that also takes strong tags",
    "scheme: classic, accept: [classic, strong], weakSecret: true",
    /fewer/,
  ],
  ["a classic one that says nothing of it", "scheme: classic", /, or set srs\.weakSecret to true$/],
];
for (const [what, srs, message] of refused) {
  test(`a short secret is refused with ${what}`, async (t) => {
    await assert.rejects(settings(t, srs, "tnx"), { reason: "config", message });
  });
}

test("a short secret is taken for classic tags alone where weakSecret is true, with a warning", async (t) => {
  const { warnings } = await settings(t, "scheme: classic, weakSecret: true", "tnx");
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /^warning: .*secrets:1: this secret is short and can be guessed$/);
});

const accepted: [srs: string, made: Partial<RewriterOptions>, answer: string][] = [
  ["scheme: strong", { scheme: "strong" }, "ok"],
  ["scheme: strong", { scheme: "classic" }, "bad-tag"],
  ["scheme: strong, accept: [strong, classic]", { scheme: "classic" }, "ok"],
  ["scheme: classic, tagLength: 8", { scheme: "classic", tagLength: 4 }, "bad-tag"],
  ["scheme: classic, tagLength: 8, minTagLength: 4", { scheme: "classic", tagLength: 4 }, "ok"],
];
for (const [srs, made, answer] of accepted) {
  test(`with ${srs}, an address made with ${JSON.stringify(made)} is ${answer}`, async (t) => {
    const { settings: read, warnings } = await settings(t, srs, STRONG);
    const outcome = read.rewriter.reverse(forged(made), NOW);
    assert.equal(outcome.ok ? "ok" : outcome.reason, answer);
    assert.deepEqual(warnings, []);
  });
}

test("the alphabet is what new classic tags are written in", async (t) => {
  const { settings: read } = await settings(t, "scheme: classic, tagLength: 27, alphabet: base64url", STRONG);
  const outcome = read.rewriter.forward({ localPart: "bob", domain: "o.example" }, NOW);
  assert.ok(outcome.ok && outcome.rewritten);
  const expected = forged({ scheme: "classic", tagLength: 27, alphabet: "base64url" });
  assert.notDeepEqual(
    expected,
    forged({ scheme: "classic", tagLength: 27 }),
    "this tag shows the difference",
  );
  assert.deepEqual(outcome.sender, expected);
});

test("senders at another name of a domain of ours are not rewritten", async (t) => {
  const { settings: read } = await settings(
    t,
    "scheme: strong",
    STRONG,
    "domainAliases: { old.example: f.example }\n",
  );
  const outcome = read.rewriter.forward({ localPart: "bob", domain: "Old.example" }, NOW);
  assert.ok(outcome.ok && !outcome.rewritten);
});

async function smartHost(t: TestContext, delivery: string): Promise<NextHop | undefined> {
  const { settings: read } = await settings(t, "scheme: strong", STRONG, `delivery: { ${delivery} }\n`);
  return read.smartHost;
}

const RELAY = { host: "relay.test", port: 465 };
const SUBMISSION = { ...RELAY, port: 587 };
const smartHosts: [delivery: string, expected: NextHop][] = [
  ["smartHost: relay.test:587", SUBMISSION],
  ["smartHost: relay.test:587, smartHostTls: required", { ...SUBMISSION, tls: "required" }],
  ["smartHost: relay.test:587, smartHostImplicitTls: true", { ...SUBMISSION, implicitTls: true }],
  ["smartHost: relay.test:465", { ...RELAY, implicitTls: true }],
  ["smartHost: relay.test:465, smartHostImplicitTls: false", RELAY],
  [
    "smartHost: relay.test:465, smartHostTls: required-verified",
    { ...RELAY, tls: "required-verified", implicitTls: true },
  ],
];
for (const [delivery, expected] of smartHosts) {
  test(`${delivery}: ${JSON.stringify(expected)}`, async (t) => {
    assert.deepEqual(await smartHost(t, delivery), expected);
  });
}

test("a smart host with implicit TLS hears a TLS handshake before it has said anything", async (t) => {
  const heard = Promise.withResolvers<number | undefined>();
  const listener = createServer((socket) => {
    socket.on("error", () => {});
    // Who waits for this speaks in clear.
    socket.write("220 relay.test\r\n");
    socket.once("data", (octets) => {
      heard.resolve(octets[0]);
      socket.destroy();
    });
  }).listen(0, "127.0.0.1");
  t.after(() => listener.close());
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const server = await smartHost(t, `smartHost: "127.0.0.1:${port}", smartHostImplicitTls: true`);
  assert.ok(server);
  const attempt = await submit({
    ...{ server, hostname: "mx.f.example", message: memoryContent(Buffer.from("Subject: x\r\n\r\n")) },
    envelope: {
      reversePath: { localPart: "a", domain: "b.test" },
      recipient: { localPart: "c", domain: "d.test" },
      eightBit: false,
      smtpUtf8: false,
    },
  });
  assert.equal(await heard.promise, 0x16);
  assert.notEqual(attempt.kind, "accepted");
});
