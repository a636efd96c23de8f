// Whose mail the queue takes, by what was found about its sender: a bounce would go to him. What waits there leaves with the
// fields that it had. A forwarder in this process, and a next hop that greylists.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "@homing/forwarder";
import { signed, testKey } from "../packages/forwarder/src/authentication/content/testing/signed-mail.ts";
import {
  authenticationScene,
  fieldOf,
  fieldsOf,
  type InProcessScene,
  message,
  type SceneOptions,
  storyFolder,
  texts,
} from "./harness/authentication-scene.ts";
import { type ScriptedHop, startScriptedHop } from "./harness/scripted-hop.ts";
import { waitFor } from "./harness/wait.ts";

const KEY = testKey("rsa", "signed.example", "s");
const OTHER = testKey("rsa", "other.example", "s");
const FAILING = testKey("rsa", "failing.example", "s");
const SEAL = testKey("rsa", "forwarder.example", "seal");
const ZONE = {
  "good.example": texts("v=spf1 ip4:127.0.0.1 -all"),
  "_dmarc.policy.example": texts("v=DMARC1; p=quarantine"),
  "everybody.example": texts("v=spf1 +all"),
  "signed.example": texts("v=spf1 ip4:192.0.2.1 ~all"),
  "_dmarc.signed.example": texts("v=DMARC1; p=reject"),
  "failing.example": texts("v=spf1 ip4:192.0.2.1 -all"),
  [KEY.dns[0]]: texts(KEY.dns[1]),
  "_dmarc.failing.example": texts("v=DMARC1; p=reject"),
  [OTHER.dns[0]]: texts(OTHER.dns[1]),
  [FAILING.dns[0]]: texts(FAILING.dns[1]),
};
const TARGET = "private@home.example";

interface Scene extends InProcessScene {
  readonly server: ScriptedHop;
  readonly replies: Map<string, string>;
  /** Messages in the queue. */
  waiting(): Promise<number>;
}

async function scene(t: TestContext, options: SceneOptions = {}): Promise<Scene> {
  const replies = new Map([[TARGET, "450 4.2.1 greylisted"]]);
  const server = await startScriptedHop((recipient) => replies.get(recipient));
  t.after(() => server[Symbol.asyncDispose]());
  const found = await authenticationScene(t, ZONE, {
    stateFolder: await storyFolder(t),
    nextHop: server.port,
    queueTimes: { firstRetry: 1, maxRetry: 1 },
    clock: systemClock,
    forwardedFields: "alias",
    ...options,
  });
  const waiting = async (): Promise<number> =>
    (await found.forwarder.state?.spool.list({ limit: 10 }))?.length ?? 0;
  return { ...found, server, replies, waiting };
}

/** What a client hears while its next hop greylists: 250 is the queue. */
const senders: [what: string, from: string, content: string, said: RegExp][] = [
  ["SPF names", "bob@good.example", message("bob@good.example"), /^250 /],
  [
    "SPF names as it names everybody",
    "bob@everybody.example",
    message("bob@everybody.example"),
    /^450 4\.2\.1 /,
  ],
  ["nobody names", "bob@none.example", message("bob@none.example"), /^450 4\.2\.1 /],
  [
    "his own domain's signature names",
    "bob@signed.example",
    signed(message("bob@signed.example"), KEY),
    /^250 /,
  ],
  [
    "a signature of the domain above his names",
    "bob@lists.signed.example",
    signed(message("bob@signed.example"), KEY),
    /^250 /,
  ],
  [
    "his own domain's signature names and SPF does not",
    "bob@failing.example",
    signed(message("bob@failing.example"), FAILING),
    /^450 4\.2\.1 /,
  ],
  [
    "another domain's signature names",
    "bob@none.example",
    signed(message("a@other.example"), OTHER),
    /^450 4\.2\.1 /,
  ],
  [
    "a broken signature names",
    "bob@none.example",
    signed(message("a@other.example"), OTHER).replace("Hello", "Pay me"),
    /^450 4\.2\.1 /,
  ],
  [
    "SPF names, of an author whose DMARC fails",
    "bob@good.example",
    message("ceo@policy.example"),
    /^450 4\.2\.1 /,
  ],
  [
    "SPF names, of an author of ours",
    "bob@good.example",
    message("alice@forwarder.example"),
    /^450 4\.2\.1 /,
  ],
];
for (const [what, from, content, said] of senders) {
  test(`mail of a sender whom ${what} is answered ${said.source.slice(1, 4)} while the next hop greylists`, async (t) => {
    const { send, waiting } = await scene(t);
    assert.match(await send({ from, message: content }), said);
    assert.equal(await waiting(), said.source.startsWith("^250") ? 1 : 0);
  });
}

test("what leaves the queue later has the fields that it would have had at once, seal and all", async (t) => {
  const { send, server, replies, waiting } = await scene(t, { authentication: { sealKey: SEAL } });
  const content = message("bob@good.example");
  assert.match(await send({ from: "bob@good.example", message: content }), /^250 /);
  assert.equal(await waiting(), 1);
  replies.clear();
  const queued = await waitFor(() => server.taken[0]?.message, {
    seconds: 15,
    otherwise: () => "the queue sends nothing",
  });
  assert.match(await send({ from: "bob@good.example", message: content.replace("<1@", "<2@") }), /^250 /);
  const atOnce = server.taken[1]?.message ?? "";
  const names = fieldsOf(queued).map(([name]) => name);
  assert.deepEqual(names.slice(0, 7), [
    "arc-seal",
    "arc-message-signature",
    "arc-authentication-results",
    "x-forwarded-for",
    "authentication-results",
    "received-spf",
    "received",
  ]);
  assert.deepEqual(
    names,
    fieldsOf(atOnce).map(([name]) => name),
  );
  for (const name of ["authentication-results", "received-spf", "x-forwarded-for"])
    assert.equal(fieldOf(queued, name), fieldOf(atOnce, name));
  assert.equal(queued.endsWith(content), true);
});
