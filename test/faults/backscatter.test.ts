// A message with a signature that is good for its own domain alone, in the name of somebody else: whatever becomes of it, that
// somebody hears nothing, for a signature does not say who the envelope sender is. And the same scenes with a signature of the
// sender's domain: then he is told what ADR 0019 owes him.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { startDnsServer } from "../../packages/forwarder/src/testing/dns-server.ts";
import { texts } from "../harness/authentication-scene.ts";
import { storiesNeed } from "../harness/availability.ts";
import { createDkimKey, type Dkim, dkim } from "../harness/dkim.ts";
import { waitFor } from "../harness/wait.ts";
import { KEPT, sendOne } from "./harness/client.ts";
import { untilQueueIsEmpty } from "./harness/left-behind.ts";
import { PATIENCE_SECONDS, timeout } from "./harness/scale.ts";
import { type Offered, type Sink, type SinkOptions, startSink } from "./harness/sink.ts";
import { createSite, type Service } from "./harness/site.ts";

const skip = (await storiesNeed("python3-dkim")) ?? false;
const SECONDS = { queueTimes: { firstRetry: 1, maxRetry: 1 } };
const POSTMASTER = "postmaster@forwarder.example";
const SENDER = "somebody@victim.example";

const refuses: SinkOptions = { rcpt: () => "550 5.1.1 nobody" };
const defers: SinkOptions = { rcpt: () => "450 4.2.1 later" };
const takes: SinkOptions = {};
const defersFirst: SinkOptions = {
  rcpt: ({ nth }: Offered) => (nth === 1 ? "450 4.2.1 later" : "550 5.1.1 nobody"),
};

interface Scene {
  readonly what: string;
  readonly to: "alice" | "list";
  /** Those behind the list, and behind alice the first of them. */
  readonly home: SinkOptions;
  readonly club: SinkOptions;
  /** What a client hears whose sender is not verified. */
  readonly reply: RegExp;
  /** What is in the queue then is given up. */
  readonly isGivenUp: boolean;
}

const attacks: readonly Scene[] = [
  { what: "refuses it", to: "alice", home: refuses, club: takes, reply: /^550 5\.1\.1 /, isGivenUp: false },
  { what: "defers it", to: "alice", home: defers, club: takes, reply: /^450 4\.2\.1 /, isGivenUp: false },
  {
    what: "refuses it, and so does the list's other one",
    ...{ to: "list", home: refuses, club: refuses },
    ...{ reply: /^550 5\.1\.1 /, isGivenUp: false },
  },
  {
    what: "takes it, and the list's other one refuses it",
    ...{ to: "list", home: takes, club: refuses },
    ...{ reply: /^250 2\.0\.0 <list@forwarder\.example>: passed on$/, isGivenUp: false },
  },
  {
    what: "takes it, and the list's other one defers it first",
    ...{ to: "list", home: takes, club: defersFirst },
    ...{ reply: /^250 2\.0\.0 <list@forwarder\.example>: passed on$/, isGivenUp: true },
  },
];

/** With a good signature of this domain. @returns what the client heard, and what the sender did */
async function sent(
  t: TestContext,
  { to, home, club, isGivenUp }: Omit<Scene, "reply">,
  signedBy: string,
): Promise<{ reply: string; victim: Sink; service: Service }> {
  const key = createDkimKey(signedBy, "mail");
  const signer = await signerOf(t);
  const plain = `From: evil@${signedBy}\r\nTo: x@forwarder.example\r\nSubject: x\r\n\r\nHello!\r\n`;
  const message = await signer.sign(Buffer.from(plain), key.signer);
  const zone = Object.entries(key.dns).map(([name, text]) => [name, texts(text)] as const);
  const { place } = await startDnsServer(t, Object.fromEntries([...zone, [signedBy, []]]));
  const [homeHop, clubHop, victim] = await Promise.all([sink(t, home), sink(t, club), sink(t, {})]);
  const site = await createSite({
    aliases: "alice: alice@home.example\nlist: alice@home.example, bob@club.example\n",
    routes: { "home.example": homeHop.port, "club.example": clubHop.port, "victim.example": victim.port },
    dnsPort: place.port,
  });
  t.after(() => site[Symbol.asyncDispose]());
  const service = await site.start({ seconds: SECONDS });
  const envelope = { from: SENDER, to: `${to}@forwarder.example`, localAddress: "127.0.7.1" };
  const reply = await sendOne(service.port, { token: "", message }, envelope);
  const given = (): boolean => service.events().some(({ event }) => event === "given-up");
  const otherwise = (): string => service.stdout();
  if (isGivenUp) await waitFor(() => given() || undefined, { seconds: PATIENCE_SECONDS, otherwise });
  await untilQueueIsEmpty(site.stateFolder);
  const [found] = service.events().filter((one) => one.event === "authenticated");
  assert.ok(found, "its sender was checked");
  assert.deepEqual(found.dkim, [{ domain: signedBy, result: "pass", aligned: true }]);
  assert.equal(found.spf, "none");
  return { reply, victim, service };
}

/** Of one destination of several the postmaster hears. */
function toldSenders(service: Service): readonly string[] {
  return service.events().flatMap((one) => (one.event === "dsn" && one.to !== POSTMASTER ? [one.to] : []));
}

for (const scene of attacks) {
  test(`signed by the attacker, in the name of a victim; the next hop ${scene.what}: no DSN`, {
    timeout,
    skip,
  }, async (t) => {
    const { reply, victim, service } = await sent(t, scene, "attacker.example");

    assert.match(reply, scene.reply);
    assert.deepEqual(victim.arrived, []);
    assert.deepEqual(toldSenders(service), []);
  });
}

const owed: readonly Omit<Scene, "reply">[] = [
  { what: "refuses it", to: "alice", home: refuses, club: takes, isGivenUp: true },
  { what: "defers it first", to: "alice", home: defersFirst, club: takes, isGivenUp: true },
  {
    what: "refuses it, and so does the list's other one",
    to: "list",
    home: refuses,
    club: refuses,
    isGivenUp: true,
  },
];
for (const scene of owed) {
  test(`signed by the sender's own domain; the next hop ${scene.what}: it is kept, and he gets one DSN`, {
    timeout,
    skip,
  }, async (t) => {
    const { reply, victim, service } = await sent(t, scene, "victim.example");
    assert.equal(reply, KEPT);
    assert.deepEqual(toldSenders(service), [SENDER]);
    const [dsn, ...others] = victim.arrived;
    assert.deepEqual([dsn?.reversePath, dsn?.recipient, others], ["", SENDER, []]);
    assert.match(String(dsn?.message), /^Status: 5\.1\.1\r$/m);
  });
}

async function sink(t: TestContext, says: SinkOptions): Promise<Sink> {
  const started = await startSink(says);
  t.after(() => started[Symbol.asyncDispose]());
  return started;
}

async function signerOf(t: TestContext): Promise<Dkim> {
  const signer = await dkim();
  t.after(() => signer.stop());
  return signer;
}
