import assert from "node:assert/strict";
import { test } from "node:test";
import { type Envelope, memoryContent, type Reply } from "@homing/mail";
import { type Delivery, deliver } from "./deliver.ts";
import type { HostPort } from "./host-port.ts";
import type { NextHop, NextHops } from "./next-hops.ts";
import type { Attempt, TlsOutcome } from "./outbound/attempt.ts";
import type { Busy, Outbound } from "./outbound/outbound.ts";
import { submit } from "./smtp-out.ts";
import { type Answers, FIN, type Hop, RST, startHop } from "./testing/smtp-peers.ts";
import { within } from "./testing/wire.ts";

const envelope: Envelope = {
  reversePath: { localPart: "a", domain: "b.test" },
  recipient: { localPart: "c", domain: "D.Test" },
  eightBit: false,
  smtpUtf8: false,
};
const NOBODY: HostPort = { host: "127.0.0.1", port: 1 };

/** Each attempt has a connection of its own. */
const unpooled: Outbound = {
  submit: ({ hop, ...attempt }) => submit({ server: hop, hostname: "mx.test", ...attempt }),
  close: () => assert.fail("nothing is left open"),
};

async function deliverTo(
  found: NextHops,
  timeIsUp = new AbortController().signal,
  message = "x\r\n",
): Promise<Delivery> {
  const findNextHops = async (domain: string): Promise<NextHops> => {
    assert.equal(domain, "D.Test");
    return found;
  };
  const options = { findNextHops, outbound: unpooled, patience: { kind: "queue" }, timeIsUp } as const;
  const delivery = await within(
    deliver(options, envelope, memoryContent(Buffer.from(message, "latin1"))),
    "the delivery",
  );
  assert.ok(delivery.kind !== "busy");
  return delivery;
}

function through(...hosts: HostPort[]): Promise<Delivery> {
  return deliverTo({ kind: "hosts", hosts: hosts.map(({ host, port }) => ({ host, port })) });
}

const name = (hop: Hop): string => `127.0.0.1:${hop.port}`;

const noHops: [found: NextHops, code: number, enhanced: string, detail: string][] = [
  [{ kind: "none", enhanced: "5.1.2", cause: "no such domain" }, 550, "5.1.2", "no such domain"],
  [{ kind: "none", enhanced: "5.1.10", cause: "null MX" }, 550, "5.1.10", "null MX"],
  [{ kind: "unknown", enhanced: "4.4.3", cause: "SERVFAIL" }, 451, "4.4.3", "SERVFAIL"],
  [{ kind: "hosts", hosts: [] }, 451, "4.4.4", "no server to try"],
];
for (const [found, code, enhanced, detail] of noHops) {
  test(`${detail}: failed with ${code} ${enhanced}, and no hop to name`, async () => {
    assert.deepEqual(await deliverTo(found), { kind: "failed", code, enhanced, hop: "", detail });
  });
}

test("a message that the first hop takes goes to no other", async () => {
  await using first = await startHop({ dot: "250 2.0.0 queued as 1A" });
  await using second = await startHop();
  assert.deepEqual(await through(first, second), {
    kind: "delivered",
    hop: name(first),
    detail: "queued as 1A",
    tls: "none",
  });
  assert.equal(first.messages.length, 1);
  assert.equal(second.connections.length, 0);
});

const passedOver: [what: string, answers: Answers][] = [
  ["greets with 554", { greeting: "554 5.3.2 no" }],
  ["greets with 421", { greeting: "421 4.7.0 busy" }],
  ["closes before its greeting", { greeting: FIN }],
  ["resets before its greeting", { greeting: RST }],
  ["greets with words", { greeting: "hello" }],
  ["refuses EHLO and HELO", { EHLO: "550 no", HELO: "550 no" }],
  ["closes after EHLO", { EHLO: FIN }],
  ["defers MAIL", { MAIL: "451 4.7.1 later", DATA: "503 no" }],
  ["says 421 to MAIL", { MAIL: "421 4.3.2 busy", DATA: "503 no" }],
  ["defers RCPT", { RCPT: "450 4.2.1 greylisted", DATA: "503 no" }],
  ["closes at MAIL", { MAIL: FIN }],
  ["closes at DATA", { DATA: FIN }],
];
for (const [what, answers] of passedOver) {
  test(`a hop that ${what} leaves the message to the next`, async () => {
    await using first = await startHop(answers);
    await using second = await startHop();
    const delivery = await through(first, second);
    assert.equal(delivery.kind, "delivered");
    assert.equal(delivery.hop, name(second));
    assert.equal(second.messages.length, 1);
  });
}

const final: [what: string, answers: Answers, code: number, enhanced: string][] = [
  ["refuses MAIL", { MAIL: "550 5.7.1 no", DATA: "503 no" }, 550, "5.7.1"],
  ["refuses RCPT", { RCPT: "550 5.1.1 unknown", DATA: "503 no" }, 550, "5.1.1"],
  ["refuses the message", { dot: "554 5.6.0 spam" }, 554, "5.6.0"],
  ["closes after the final dot, so that it may have the message", { dot: FIN }, 451, "4.4.2"],
  ["resets after the final dot", { dot: RST }, 451, "4.4.2"],
];
for (const [what, answers, code, enhanced] of final) {
  test(`a hop that ${what} has the last word: ${code} ${enhanced}, and no other is asked`, async () => {
    await using first = await startHop(answers);
    await using second = await startHop();
    const delivery = await through(first, second);
    assert.ok(delivery.kind === "failed");
    assert.deepEqual([delivery.code, delivery.enhanced, delivery.hop], [code, enhanced, name(first)]);
    assert.equal(second.connections.length, 0);
  });
}

test("the hop's own words are in the detail, for the log", async () => {
  await using hop = await startHop({
    RCPT: "550-5.1.1 <c@private.test>\r\n550 5.1.1 unknown",
    DATA: "503 no",
  });
  const delivery = await through(hop);
  assert.equal(delivery.detail, "550 5.1.1 <c@private.test> unknown");
});

test("when no hop can be had, the last one's failure counts", async () => {
  await using busy = await startHop({ greeting: "421 4.3.2 busy" });
  const last = await through(NOBODY, busy);
  assert.ok(last.kind === "failed");
  assert.deepEqual([last.code, last.enhanced, last.hop], [421, "4.3.2", name(busy)]);
  const nobody = await through(busy, NOBODY);
  assert.ok(nobody.kind === "failed");
  assert.deepEqual([nobody.code, nobody.enhanced, nobody.hop], [451, "4.4.1", "127.0.0.1:1"]);
});

test("a greeting of 554 refuses no message for good: no mailbox was asked", async () => {
  await using closed = await startHop({ greeting: "554 5.7.1 not from your address" });
  for (const hops of [[closed], [NOBODY, closed]]) {
    const delivery = await through(...hops);
    assert.ok(delivery.kind === "failed");
    assert.deepEqual([delivery.code, delivery.enhanced], [451, "4.7.1"]);
    assert.match(delivery.detail, /^554 5\.7\.1 not from your address/);
  }
});

test("a hop that is an IPv6 address is named in brackets", async () => {
  const delivery = await through({ host: "::1", port: 1 });
  assert.equal(delivery.hop, "[::1]:1");
});

test("no attempt starts when its time is over: the client is to come again", async () => {
  await using refuses = await startHop({ greeting: "554 5.3.2 no" });
  await using second = await startHop();
  // Time for one attempt, not for two.
  const patience = new AbortController();
  const timeIsUp = Object.defineProperty(patience.signal, "aborted", {
    get: () => refuses.connections.length > 0,
  });
  const delivery = await deliverTo({ kind: "hosts", hosts: [refuses, second] }, timeIsUp);
  assert.ok(delivery.kind === "failed");
  assert.deepEqual([delivery.code, delivery.enhanced], [451, "4.3.2"]);
  assert.equal(refuses.connections.length, 1);
  assert.equal(second.connections.length, 0);
});

/** An outbound that has one answer for each hop, and tells how long it was allowed to wait. */
function scripted(outcomes: readonly (Attempt | Busy)[]): Outbound & { readonly waits: unknown[] } {
  const left = [...outcomes];
  const waits: unknown[] = [];
  return {
    waits,
    async submit({ patience }) {
      waits.push(patience.freeWithinMs);
      return left.shift() ?? assert.fail("one hop too many");
    },
    async close() {},
  };
}

const BUSY: Busy = { kind: "busy", cause: "no connection was free", hasWaited: true };
const TAKEN: Attempt = {
  kind: "accepted",
  reply: { code: 250, enhanced: "2.0.0", text: "ok" },
  tls: "verified",
};
const CLOSED: Attempt = {
  kind: "answered",
  reply: { code: 554, enhanced: "5.3.2", text: "no" },
  stage: "greeting",
  tls: "none",
};
const AWAY: Attempt = { kind: "no-answer", cause: "ECONNREFUSED", stage: "greeting" };

const pooled: [what: string, outcomes: readonly (Attempt | Busy)[], expected: string][] = [
  ["all hops are busy", [BUSY, BUSY], "busy"],
  ["one is busy, the other takes it", [BUSY, TAKEN], "delivered"],
  ["one is busy, the other refuses everybody", [BUSY, CLOSED], "failed 451"],
  ["one is busy, the other cannot be reached", [BUSY, AWAY], "failed 451"],
  ["one cannot be reached, the other is busy", [AWAY, BUSY], "failed 451"],
];
/** To as many hops as there are outcomes. */
async function throughPool(outcomes: readonly (Attempt | Busy)[], freeWithinMs: number) {
  const outbound = scripted(outcomes);
  const hosts = outcomes.map((_, index) => ({ host: `192.0.2.${index}`, port: 25 }));
  const delivery = await deliver(
    {
      findNextHops: async () => ({ kind: "hosts", hosts }),
      outbound,
      patience: { kind: "waiting-client", freeWithinMs },
    },
    envelope,
    memoryContent(Buffer.from("x\r\n")),
  );
  return { delivery, waits: outbound.waits };
}

for (const [what, outcomes, expected] of pooled) {
  test(`over pooled connections: ${what}: ${expected}`, async () => {
    const { delivery, waits } = await throughPool(outcomes, 1_000);
    assert.equal(delivery.kind === "failed" ? `failed ${delivery.code}` : delivery.kind, expected);
    // The client's second is waited once, not once for each hop.
    const busyFirst = outcomes[0] === BUSY;
    assert.deepEqual(waits, [1_000, busyFirst ? 0 : 1_000]);
  });
}

test("behind a server that could not be reached a moment ago nobody has waited yet: the next one is waited for", async () => {
  const noServer: Busy = { kind: "busy", cause: "the server could not be reached a moment ago" };
  const { delivery, waits } = await throughPool([noServer, BUSY, TAKEN], 240_000);
  assert.equal(delivery.kind, "delivered");
  assert.deepEqual(waits, [240_000, 240_000, 0]);
});

const recorded: [sts: NextHop["sts"], tls: TlsOutcome, expected: string | undefined][] = [
  [undefined, "verified", undefined],
  [{ mode: "enforce", matches: true }, "verified", "enforced"],
  [{ mode: "testing", matches: true }, "verified", "testing-passed"],
  [{ mode: "testing", matches: true }, "unverified", "testing-failed"],
  [{ mode: "testing", matches: false }, "verified", "testing-failed"],
];
for (const [sts, tls, expected] of recorded) {
  test(`MTA-STS ${JSON.stringify(sts)} and TLS ${tls}: ${expected ?? "nothing"} is told`, async () => {
    const delivery = await deliver(
      {
        findNextHops: async () => ({
          kind: "hosts",
          hosts: [{ host: "192.0.2.1", port: 25, ...(sts ? { sts } : {}) }],
        }),
        outbound: scripted([{ ...TAKEN, tls }]),
        patience: { kind: "queue" },
      },
      envelope,
      memoryContent(Buffer.from("x\r\n")),
    );
    assert.ok(delivery.kind === "delivered");
    assert.deepEqual([delivery.tls, delivery.sts], [tls, expected]);
  });
}

const said: [what: string, answers: Answers, reply: Pick<Reply, "code" | "enhanced"> | undefined][] = [
  ["a refusal of the recipient", { RCPT: "550 5.2.2 full" }, { code: 550, enhanced: "5.2.2" }],
  ["a deferral without an enhanced code", { RCPT: "450 later" }, { code: 450, enhanced: "4.0.0" }],
  // Final for the server, and not for the mailbox.
  ["a refusal at the greeting", { greeting: "554 5.3.2 no" }, { code: 554, enhanced: "5.3.2" }],
  ["no answer", { MAIL: FIN }, undefined],
  ["a refusal of ours, of 8 bits", { EHLO: "250 hop.example" }, undefined],
];
for (const [what, answers, reply] of said) {
  test(`${what}: the codes of the server are ${reply ? `${reply.code} ${reply.enhanced}` : "not there"}`, async () => {
    await using hop = await startHop(answers);
    const delivery = await deliverTo(
      { kind: "hosts", hosts: [{ host: hop.host, port: hop.port }] },
      undefined,
      "Subject: \xfc\r\n\r\n",
    );
    assert.ok(delivery.kind === "failed");
    assert.deepEqual(delivery.reply, reply);
  });
}
