import assert from "node:assert/strict";
import { test } from "node:test";
import type { ForwarderEvent } from "@homing/forwarder";
import type { AdapterEvent } from "@homing/mta-adapters";
import { createMasking } from "./mask-events.ts";

const KEY = Buffer.from("a key of this test");
const ALICE = "alice@home.example";
const BOB = "bob@origin.example";
const CAROL = "Carol@Club.Example";
const QUOTED = '"a @ b"@third.example';
const SRS = "SRS0=4nbkgaqy=JK=origin.example=bob@club.example";
const WORDS = `<${ALICE}>: unknown, try ${QUOTED} or http://x.test/?to=dave%40elsewhere.example`;

/** Each kind of event, with an address wherever one may be: a new kind does not compile until it is here. */
type AnyEvent = ForwarderEvent | AdapterEvent;
const byKind: { readonly [Kind in AnyEvent["event"]]: Extract<AnyEvent, { event: Kind }> } = {
  refused: {
    event: "refused",
    session: "s",
    client: "127.0.0.1",
    stage: "rcpt",
    reversePath: BOB,
    recipient: QUOTED,
    reason: "one-recipient",
    reply: `550 5.1.1 <${CAROL}>: no`,
  },
  received: {
    event: "received",
    id: "i",
    session: "s",
    client: "127.0.0.1",
    helo: BOB,
    reversePath: BOB,
    recipient: CAROL,
    octets: 1,
  },
  posted: {
    event: "posted",
    id: "i",
    reversePath: SRS,
    recipient: CAROL,
    targets: [ALICE],
    octets: 1,
  },
  "logged-in": { event: "logged-in", session: "s", client: "127.0.0.1", user: CAROL },
  "log-in-failed": {
    event: "log-in-failed",
    session: "s",
    client: "127.0.0.1",
    user: BOB,
    reason: "unavailable",
    cause: WORDS,
  },
  "log-in-guessing": { event: "log-in-guessing", budget: "name", network: "192.0.2.1", user: ALICE },
  submitted: {
    event: "submitted",
    id: "i",
    session: "s",
    user: BOB,
    reversePath: BOB,
    recipients: 1,
    octets: 1,
  },
  authenticated: {
    event: "authenticated",
    id: "i",
    session: "s",
    client: "192.0.2.1",
    reversePath: BOB,
    spf: "fail",
    mechanism: `exists:${BOB}`,
    dkim: [{ domain: "origin.example", result: "fail", aligned: true }],
    headerFrom: "origin.example",
    dmarc: "fail",
    policy: "none",
    arc: "none",
    verdict: "accept",
    overridden: { fault: "spf-fail", by: "trusted-forwarder" },
    trusted: { line: 1, entry: `192.0.2.0/24 for=${CAROL}`, reason: `asked for by ${ALICE}` },
    atRisk: false,
  },
  "not-authenticated": { event: "not-authenticated", id: "i", client: "192.0.2.1" },
  "bounce-client": {
    event: "bounce-client",
    id: "i",
    client: "192.0.2.1",
    spf: "none",
    domain: "mx.home.example",
  },
  "not-sealed": { event: "not-sealed", id: "i", cause: `no key at ${ALICE}` },
  "trust-not-needed": {
    event: "trust-not-needed",
    entry: `192.0.2.0/24 for=${CAROL}`,
    why: "its mail has SRS senders",
    messages: 5,
  },
  "list-unknown": { event: "list-unknown", cause: "SERVFAIL for the A of 1.2.0.192.list.example" },
  forwarded: {
    event: "forwarded",
    id: "i",
    alias: CAROL,
    targets: [ALICE, QUOTED],
    reversePath: BOB,
    newReversePath: SRS,
    rewritten: true,
  },
  unwrapped: { event: "unwrapped", id: "i", recipient: SRS, srs: "srs0", to: BOB },
  delivered: {
    event: "delivered",
    id: "i",
    target: ALICE,
    hop: "mx.home.example (192.0.2.1:25)",
    detail: WORDS,
  },
  bounce: {
    event: "bounce",
    id: "i",
    to: BOB,
    alias: CAROL,
    action: "failed",
    enhanced: "5.1.1",
    class: "hard",
    way: "reissue",
    outcome: "told",
    dsn: "j",
  },
  "bounce-refused": { event: "bounce-refused", id: "i", recipient: SRS, reason: "not-a-bounce" },
  "double-bounce": { event: "double-bounce", id: "i", target: ALICE, enhanced: "5.1.1" },
  notice: { event: "notice", id: "i", to: BOB, count: 3 },
  "alias-index": { event: "alias-index", selectors: 1, leftOut: 0, ms: 1 },
  "not-delivered": {
    event: "not-delivered",
    id: "i",
    target: ALICE,
    hop: "192.0.2.1:25",
    code: 550,
    enhanced: "5.1.1",
    detail: WORDS,
  },
  "forward-file": {
    event: "forward-file",
    user: "carol",
    faults: [`.forward:1:1: address "${CAROL}": …`],
    firstSeen: 1,
    until: 2,
  },
  dropped: {
    event: "dropped",
    session: "s",
    recipient: CAROL,
    dropped: [
      { target: ALICE, why: `loop: ${ALICE} → carol → ${ALICE}` },
      { target: "carol", why: "in no table" },
    ],
  },
  "forward-unavailable": { event: "forward-unavailable", user: "carol", cause: `lost at ${CAROL}` },
  deferred: { event: "deferred", id: "i", target: ALICE, attempts: 1, due: 2 },
  "given-up": { event: "given-up", id: "i", target: ALICE, attempts: 1, enhanced: "5.1.1" },
  dsn: { event: "dsn", id: "i", about: "j", to: BOB, action: "failed" },
  "nobody-told": { event: "nobody-told", id: "i", target: ALICE, to: BOB },
  "lease-lost": { event: "lease-lost", id: "i", target: ALICE, attempts: 1 },
  "many-bounces": { event: "many-bounces", scope: "domain", domain: "origin.example", perMinute: 201 },
  "adapter-fault": {
    event: "adapter-fault",
    adapter: "milter",
    peer: "127.0.0.1:1",
    fault: `"${ALICE}" is no command`,
  },
  "adapter-busy": { event: "adapter-busy", adapter: "policy", connections: 200 },
  "adapter-refused": {
    event: "adapter-refused",
    adapter: "policy",
    client: "192.0.2.1",
    reversePath: BOB,
    recipient: SRS,
    reason: "spf-fail",
    reply: `550 5.7.23 <${CAROL}>: no`,
  },
  "adapter-rewrote": {
    event: "adapter-rewrote",
    adapter: "milter",
    queueId: "4Q",
    reversePath: BOB,
    newReversePath: SRS,
    recipients: [{ recipient: QUOTED, newRecipient: CAROL }],
  },
  "adapter-limited": { event: "adapter-limited", adapter: "milter", message: "no sender is rewritten" },
  guessing: { event: "guessing", budget: "victim", network: "192.0.2.1", victim: BOB },
  discarded: { event: "discarded", id: "i", recipient: CAROL },
  answered: { event: "answered", id: "i", reply: `250 2.0.0 <${CAROL}>: passed on` },
  error: { event: "error", session: "s", message: `Error: ${ALICE}\n    at file:///opt/homing/x.ts:1:2` },
};
/** Their samples have no address: no event of their kind could. */
const WITHOUT = new Set<string>([
  "alias-index",
  "adapter-busy",
  "adapter-limited",
  "many-bounces",
  "not-authenticated",
  "bounce-client",
  "list-unknown",
]);
const events = Object.values(byKind).filter(({ event }) => !WITHOUT.has(event));
const ADDRESSES = [ALICE, BOB, CAROL, QUOTED, SRS, "dave%40elsewhere.example"];

for (const masking of ["domain", "hash"] as const) {
  const mask = createMasking(masking, KEY);
  for (const event of events) {
    test(`${masking}: no address is left in ${event.event}, and every field is there`, () => {
      assert.ok(
        ADDRESSES.some((address) => JSON.stringify(event).includes(JSON.stringify(address).slice(1, -1))),
      );
      const masked = mask(event);
      const printed = JSON.stringify(masked).toLowerCase();
      for (const address of ADDRESSES) {
        const [local = ""] = address.split(/@(?=[^@]*$)|%40/);
        for (const text of [address, local]) {
          assert.ok(
            !printed.includes(JSON.stringify(text).slice(1, -1).toLowerCase()),
            `${text} in ${printed}`,
          );
        }
      }
      assert.deepEqual(Object.keys(masked), Object.keys(event));
    });
  }
}

test("full: events are printed as they are", () => {
  const mask = createMasking("full", KEY);
  for (const event of events) assert.deepEqual(mask(event), event);
});

test("domain: the domain and everything but addresses stay, also of quoted local parts", () => {
  const mask = createMasking("domain", KEY);
  assert.deepEqual(mask(byKind.refused), {
    ...byKind.refused,
    reversePath: "*@origin.example",
    recipient: "*@third.example",
    reply: "550 5.1.1 <*@Club.Example>: no",
  });
  assert.deepEqual(mask(byKind.forwarded).targets, ["*@home.example", "*@third.example"]);
});

test("hash: one address is one hash, in any case, as a field and in the words of a server", () => {
  const mask = createMasking("hash", KEY);
  const delivered = mask({
    event: "delivered",
    id: "i",
    target: ALICE,
    hop: "192.0.2.1:25",
    detail: "<ALICE@home.EXAMPLE>: taken",
  });
  assert.match(String(delivered.target), /^hash:[0-9a-f]{16}$/);
  assert.equal(delivered.detail, `<${String(delivered.target)}>: taken`);
  assert.notEqual(
    delivered.target,
    mask({ event: "unwrapped", id: "i", recipient: SRS, srs: "srs0", to: BOB }).to,
  );
});

test("hash: with another key it is another hash: logs of two runs cannot be put together", () => {
  const target = (key: string): unknown =>
    createMasking(
      "hash",
      Buffer.from(key),
    )({ event: "delivered", id: "", target: ALICE, hop: "", detail: "" }).target;
  assert.notEqual(target("one"), target("two"));
});

/** Events that are not the forwarder's own have texts with names, too. */
const texts: [what: string, event: object, shown: object][] = [
  [
    "mistakes in tables by their place alone",
    {
      problems: [
        '/etc/homing/aliases:3:4 alias "fritz" stands on line 1 already: join the two',
        "/etc/my aliases:12:1 loop: carol → dave → carol: give one of them an address outside",
        "/etc/homing/aliases:5:2 no mail store keeps a local copy: set localDelivery, or take \\frank out",
        "table /etc/homing/aliases: there is no such file",
      ],
    },
    {
      problems: [
        "/etc/homing/aliases:3:4 *",
        "/etc/my aliases:12:1 *",
        "/etc/homing/aliases:5:2 *",
        "table /etc/homing/aliases: there is no such file",
      ],
    },
  ],
  [
    "mistakes in a user's file by their place alone",
    { faults: ['~/.forward:2:7: "frank.secret" is no address', "~/.forward: it leads out of the home"] },
    { faults: ["~/.forward:2:7 *", "~/.forward: it leads out of the home"] },
  ],
  [
    "no path of a maildir",
    { hop: "maildir:/m/{domain}/{user}", detail: "EACCES: permission denied, open '/m/a.test/alice/tmp/1'" },
    { hop: "maildir:/m/{domain}/{user}", detail: "EACCES: permission denied, open '/*" },
  ],
  [
    "the file name of a message in a maildir",
    { hop: "maildir:/m/{user}", detail: "1700000000.f00.mx.test" },
    { hop: "maildir:/m/{user}", detail: "1700000000.f00.mx.test" },
  ],
  [
    "no names of a loop, and no name of a target",
    { dropped: [{ target: "dave", why: "loop: carol → dave" }] },
    { dropped: [{ target: "*", why: "loop: *" }] },
  ],
  [
    "no recipient without a domain",
    { recipient: "frank", reversePath: "" },
    { recipient: "*", reversePath: "" },
  ],
];
for (const [what, event, shown] of texts) {
  test(`domain: shown is ${what}`, () => assert.deepEqual(createMasking("domain", KEY)(event), shown));
}

test("the null sender stays visible", () => {
  const bounce: ForwarderEvent = {
    event: "refused",
    session: "s",
    client: "::1",
    stage: "mail",
    reversePath: "",
    reason: "r",
    reply: "",
  };
  for (const masking of ["domain", "hash"] as const)
    assert.equal(createMasking(masking, KEY)(bounce).reversePath, "");
});
