// What the caller hears of a local delivery. The stores themselves: maildir.test.ts and smtp-out-lmtp.test.ts.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Envelope, memoryContent } from "@homing/mail";
import type { Delivery } from "./deliver.ts";
import { deliverLocally, type LocalDeliveryOptions, type LocalStore } from "./local-delivery.ts";
import { type MaildirFiles, SYSTEM_FILES } from "./maildir-files.ts";
import { type Busy, createOutbound } from "./outbound/outbound.ts";
import { createFakeClock } from "./testing/fake-clock.ts";
import { ownConnections } from "./testing/own-connections.ts";
import { type Answers, FIN, startHop } from "./testing/smtp-peers.ts";
import { startWaitingHop } from "./testing/waiting-hop.ts";
import { within } from "./testing/wire.ts";

const envelope: Envelope = {
  reversePath: { localPart: "bob", domain: "source.example" },
  recipient: { localPart: "alice", domain: "home.example" },
  eightBit: false,
  smtpUtf8: false,
};
const HOSTNAME = "mx.home.example";
const OPTIONS = {
  hostname: HOSTNAME,
  ...ownConnections(HOSTNAME),
  newId: () => "id1",
  now: () => 1_800_000_000,
};
const MESSAGE = Buffer.from("Subject: x\r\n\r\ny\r\n");

type Changed = Partial<Envelope & LocalDeliveryOptions>;

async function deliver(store: LocalStore, changed: Changed = {}): Promise<Delivery> {
  const delivery = await deliverOrBusy(store, changed);
  assert.ok(delivery.kind !== "busy");
  return delivery;
}

function deliverOrBusy(store: LocalStore, changed: Changed): Promise<Delivery | Busy> {
  const delivery = deliverLocally(
    store,
    { ...OPTIONS, ...changed },
    { ...envelope, ...changed },
    memoryContent(MESSAGE),
  );
  return within(delivery, "the delivery");
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const summary = (delivery: Delivery): unknown[] =>
  delivery.kind === "failed" ? [delivery.code, delivery.enhanced, delivery.detail] : [delivery.detail];

const lmtp: [what: string, answers: Answers, summary: unknown[], said?: string][] = [
  ["takes the message", { dot: "250 2.0.0 1A Saved" }, ["1A Saved"]],
  [
    "does not know the user",
    { RCPT: "550 5.1.1 no <alice>" },
    [550, "5.1.1", "550 5.1.1 no <alice>"],
    "550 5.1.1",
  ],
  ["has a full mailbox", { dot: "552 5.2.2 full" }, [552, "5.2.2", "552 5.2.2 full"], "552 5.2.2"],
  ["has a full mailbox for now", { dot: "452 4.2.2 full" }, [452, "4.2.2", "452 4.2.2 full"], "452 4.2.2"],
  ["is busy", { greeting: "421 4.3.2 busy" }, [421, "4.3.2", "421 4.3.2 busy"], "421 4.3.2"],
  ["speaks SMTP alone", { LHLO: "502 5.5.1 what" }, [451, "4.3.0", "502 5.5.1 what"], "502 5.5.1"],
  ["greets with 554", { greeting: "554 5.7.1 no" }, [451, "4.3.0", "554 5.7.1 no"], "554 5.7.1"],
  ["closes at the dot", { dot: FIN }, [451, "4.4.2", "Connection closed unexpectedly"]],
  ["closes before its greeting", { greeting: FIN }, [451, "4.4.1", "Connection closed unexpectedly"]],
];
for (const [what, answers, expected, said] of lmtp) {
  test(`an LMTP store that ${what}: ${expected.join(", ")}`, async () => {
    await using hop = await startHop(answers);
    const delivery = await deliver({ kind: "lmtp", server: { host: hop.host, port: hop.port } });
    assert.deepEqual(summary(delivery), expected);
    assert.equal(delivery.hop, `lmtp:127.0.0.1:${hop.port}`);
    if (delivery.kind === "delivered") assert.equal(delivery.stored, true);
    else assert.equal(`${delivery.reply?.code} ${delivery.reply?.enhanced}`, said ?? "undefined undefined");
  });
}

test("LMTP gets the sender and the recipient as they are", async () => {
  await using hop = await startHop();
  await deliver({ kind: "lmtp", server: hop });
  const said = hop.commands
    .filter((line) => /^(?:MAIL|RCPT)/.test(line))
    .map((line) => line.split(" SIZE")[0]);
  assert.deepEqual(said, ["MAIL FROM:<bob@source.example>", "RCPT TO:<alice@home.example>"]);
});

test("an LMTP store that is down is 451 4.4.1, by TCP and by UNIX socket", async (t) => {
  const path = join(await temporaryFolder(t), "lmtp");
  for (const [server, hop] of [
    [{ host: "127.0.0.1", port: 1 }, "lmtp:127.0.0.1:1"],
    [{ path }, `lmtp:unix:${path}`],
  ] as const) {
    const delivery = await deliver({ kind: "lmtp", server });
    assert.ok(delivery.kind === "failed");
    assert.deepEqual([delivery.code, delivery.enhanced, delivery.hop], [451, "4.4.1", hop]);
  }
});

for (const kind of ["queue", "waiting-client"] as const) {
  test(`an LMTP store whose connections are all in use is busy, and nothing was tried: ${kind}`, async (t) => {
    await using hop = await startWaitingHop();
    const limits = { maxConnections: 1, queueConnections: 1 };
    const outbound = createOutbound({
      hostname: HOSTNAME,
      clock: createFakeClock(),
      random: () => 0,
      limits,
    });
    t.after(() => within(outbound.close(AbortSignal.abort()), "the end"));
    const store: LocalStore = { kind: "lmtp", server: hop };
    const first = Promise.withResolvers<void>();
    const pending = deliver(store, { outbound, onFinalDot: first.resolve });
    await within(first.promise, "the final dot of the first message");
    const busy = await deliverOrBusy(store, { outbound, patience: { kind, freeWithinMs: 0 } });
    assert.deepEqual(busy, { kind: "busy", cause: "no connection was free" });
    assert.equal(hop.now().sessions, 1);
    while (hop.now().owed === 0) await new Promise((resolve) => setImmediate(resolve));
    hop.answer();
    assert.equal((await pending).kind, "delivered");
  });
}

test("a maildir gets the message, its sender unchanged, under a name of time, id and host", async (t) => {
  const base = await temporaryFolder(t);
  const pattern = join(base, "{domain}/{user}");
  const delivery = await deliver({ kind: "maildir", pattern });
  const name = "1800000000.id1.mx.home.example";
  assert.deepEqual(delivery, { kind: "delivered", hop: `maildir:${pattern}`, detail: name, stored: true });
  assert.equal(
    await readFile(join(base, "home.example/alice/new", name), "utf8"),
    "Return-Path: <bob@source.example>\nDelivered-To: alice@home.example\nSubject: x\n\ny\n",
  );
});

test("a slash and a colon in a file name are written as maildirs write them", async (t) => {
  const base = await temporaryFolder(t);
  const delivery = await deliver(
    { kind: "maildir", pattern: join(base, "{user}") },
    { newId: () => "a/b:c", hostname: "MX:1" },
  );
  assert.equal(delivery.detail, "1800000000.a\\057b\\072c.mx\\0721");
  assert.deepEqual(await readdir(join(base, "alice/new")), [delivery.detail]);
});

test("an address that no maildir can have is 550 5.1.1, and nothing is made", async (t) => {
  const base = await temporaryFolder(t);
  for (const localPart of ["..", "../x", "a/b", ".a"]) {
    const recipient = { localPart, domain: "home.example" };
    const delivery = await deliver(
      { kind: "maildir", pattern: join(base, "{domain}/{user}") },
      { recipient },
    );
    assert.ok(delivery.kind === "failed");
    assert.deepEqual([delivery.code, delivery.enhanced], [550, "5.1.1"]);
    assert.match(delivery.detail, /^no maildir can have this name: it /);
  }
  assert.deepEqual(await readdir(base), []);
});

test("a base folder that is missing is 451 4.3.0", async (t) => {
  const base = await temporaryFolder(t);
  const delivery = await deliver({ kind: "maildir", pattern: join(base, "disk/{user}") });
  assert.ok(delivery.kind === "failed");
  assert.deepEqual([delivery.code, delivery.enhanced], [451, "4.3.0"]);
  assert.match(delivery.detail, /^ENOENT: .*mkdir/);
});

const diskErrors: [errno: string, code: number, enhanced: string][] = [
  ["ENOSPC", 452, "4.3.1"],
  ["EDQUOT", 452, "4.2.2"],
  ["EIO", 451, "4.3.0"],
  ["EACCES", 451, "4.3.0"],
  ["EROFS", 451, "4.3.0"],
  ["ESTALE", 451, "4.3.0"],
  ["ENAMETOOLONG", 550, "5.1.1"],
];
for (const [errno, code, enhanced] of diskErrors) {
  test(`${errno} of the disk is ${code} ${enhanced}`, async () => {
    const error = Object.assign(new Error(`${errno}: no\nluck`), { code: errno, syscall: "write" });
    const files = { ...SYSTEM_FILES, write: async () => Promise.reject(error) };
    const delivery = await deliver({ kind: "maildir", pattern: "/srv/{user}" }, { files });
    assert.deepEqual(summary(delivery), [code, enhanced, `${errno}: no?luck`]);
  });
}

test("a disk that hangs until the time is up is 451 4.3.0, and the message does not appear later", async (t) => {
  const base = await temporaryFolder(t);
  const pattern = join(base, "{user}");
  await deliver({ kind: "maildir", pattern });
  const [hang, written, patience] = [
    Promise.withResolvers<void>(),
    Promise.withResolvers<void>(),
    new AbortController(),
  ];
  const files: MaildirFiles = {
    ...SYSTEM_FILES,
    async write(path, content) {
      await hang.promise;
      await SYSTEM_FILES.write(path, content);
    },
    async remove(path) {
      await SYSTEM_FILES.remove(path);
      written.resolve();
    },
  };
  const changed = { files, newId: () => "id2", timeIsUp: patience.signal };
  const pending = deliver({ kind: "maildir", pattern }, changed);
  patience.abort();
  assert.deepEqual(summary(await pending), [451, "4.3.0", "the disk did not answer in time"]);
  hang.resolve();
  await within(written.promise, "the end of the write");
  assert.deepEqual(await readdir(join(base, "alice/new")), ["1800000000.id1.mx.home.example"]);
  assert.deepEqual(await readdir(join(base, "alice/tmp")), []);
});

test("no time left at the start is 451 4.3.0, and the disk is left alone", async (t) => {
  const base = await temporaryFolder(t);
  const timeIsUp = AbortSignal.abort();
  const delivery = await deliver({ kind: "maildir", pattern: join(base, "{user}") }, { timeIsUp });
  assert.deepEqual(summary(delivery), [451, "4.3.0", "no time left for the delivery"]);
  assert.deepEqual(await readdir(base), []);
});
