import assert from "node:assert/strict";
import { test } from "node:test";
import type { SenderAsked, SenderVerdict } from "../senders/sender-checks.ts";
import { OLD_OFFER, POSTFIX_OFFER, renderConnect } from "./testing/milter-client.ts";
import { checksThat, forged, milterScene } from "./testing/milter-scene.ts";

const BOB = "bob@origin.example";
const GOOD = forged(BOB);
const NOT_A_BOUNCE =
  "550 5.7.1 this address takes only bounces (MAIL FROM:<>) to mail that was sent through here lately";

test("a sender is rewritten where a recipient leaves the site, and the alias is named where there is but one", async (t) => {
  const { dial, events } = await milterScene(t);
  const client = await dial();
  const one = await client.play({ sender: BOB, recipients: ["ann@club.example"] });
  assert.deepEqual([one.recipients, one.end], [["continue"], "continue"]);
  assert.match(one.changes.join(), /^sender <SRS0=[^=]+=[^=]+=origin\.example=bob@srs\.example>$/);
  const two = await client.playMessage({ sender: BOB, recipients: ["ann@club.example", "joe@home.example"] });
  assert.deepEqual(two.changes, [`sender <${GOOD}>`]);
  assert.notDeepEqual(one.changes, two.changes);
  const [event] = events;
  assert.ok(event?.event === "adapter-rewrote");
  assert.deepEqual([event.queueId, event.reversePath, event.recipients], ["4QUEUE", BOB, []]);
});

const untouched: readonly (readonly [what: string, sender: string, recipient: string])[] = [
  ["that stays here", BOB, "joe@home.example"],
  ["from a sender of ours", "joe@home.example", "ann@club.example"],
  ["from our host itself", "root@mx.home.example", "ann@club.example"],
  ["from a name without a domain", "root", "ann@club.example"],
  ["from an SRS address of ours", GOOD, "ann@club.example"],
  ["from the null sender", "", "ann@club.example"],
];
for (const [what, sender, recipient] of untouched)
  test(`mail ${what} stays as it is`, async (t) => {
    const client = await (await milterScene(t)).dial();
    const played = await client.play({ sender, recipients: [recipient] });
    assert.deepEqual(played, { recipients: ["continue"], changes: [], end: "continue" });
  });

const NOT_OURS =
  "550 5.7.1 the sender is at a domain of this server, which did not make that address, or long ago";
const WRONG = GOOD.replace(/=[^=]+=/, "=aaaaaaaa=");

test("a sender at our SRS domain with a wrong tag is refused, unless he is a user or a server of ours", async (t) => {
  const letter = { sender: WRONG, recipients: ["joe@home.example"] };
  const stranger = await (await milterScene(t)).dial();
  assert.deepEqual((await stranger.play(letter)).recipients, [NOT_OURS]);
  const boss = { ...letter, sender: "ceo@srs.example" };
  assert.deepEqual((await stranger.playMessage(boss)).recipients, [NOT_OURS]);
  const user = await (await milterScene(t)).dial();
  const macros = { i: "4Q", "{auth_authen}": "ann" };
  assert.deepEqual((await user.play({ ...letter, macros })).recipients, ["continue"]);
  const server = await (await milterScene(t, { networkOf: () => undefined })).dial();
  assert.deepEqual((await server.play(letter)).recipients, ["continue"]);
});

const LOCAL_PART = WRONG.slice(0, WRONG.indexOf("@"));
const SPELLINGS = [
  `${LOCAL_PART}%srs.example`,
  `${LOCAL_PART}%srs.example@home.example`,
  `srs.example!${LOCAL_PART}`,
  `srs.example!${LOCAL_PART}@home.example`,
  `@home.example:${WRONG}`,
  `${LOCAL_PART} @ srs.example`,
  `${LOCAL_PART}@(c)srs.example`,
  `${WRONG} (c)`,
  `S\\RS${WRONG.slice(3)}`,
];

test("a stranger's spelling that the mail server may turn into another address is refused", async (t) => {
  const { dial, events } = await milterScene(t);
  const client = await dial();
  const recipient =
    "553 5.1.3 this address has a % or !, a route, a comment or a blank in it: write it as user@domain";
  const sender =
    "553 5.1.7 the sender has a % or !, a route, a comment or a blank in it: write it as user@domain";
  const first = await client.play({ sender: "", recipients: SPELLINGS });
  assert.deepEqual([...new Set(first.recipients)], [recipient]);
  for (const spelling of SPELLINGS) {
    const played = await client.playMessage({ sender: spelling, recipients: ["joe@home.example"] });
    assert.deepEqual(played.recipients, [sender], spelling);
  }
  assert.match(JSON.stringify(events), /"recipient-spelling".*"sender-spelling"/);
});

test("a user or a server of ours writes as he likes, and what is written strangely counts as leaving", async (t) => {
  const recipients = ["joe%club.example@home.example"];
  const server = await (await milterScene(t, { networkOf: () => undefined })).dial();
  const { changes } = await server.play({ sender: BOB, recipients: ["joe @club.example"] });
  assert.deepEqual(changes, [`sender <${GOOD}>`]);
  const user = await (await milterScene(t)).dial();
  const macros = { i: "4Q", "{auth_authen}": "ann" };
  assert.deepEqual((await user.play({ sender: "a%b", recipients, macros })).recipients, ["continue"]);
});

test("one final dot of a domain makes no other address", async (t) => {
  const client = await (await milterScene(t)).dial();
  const played = await client.play({ sender: "", recipients: [`${WRONG}.`, `${GOOD}.`, `${GOOD}..`] });
  assert.deepEqual(played.recipients.slice(0, 2), [NOT_A_BOUNCE, "continue"]);
  assert.match(played.recipients[2] ?? "", /^553 5\.1\.3 /);
  assert.deepEqual(played.changes, [`delete <${GOOD}.>`, `add <${BOB}>`]);
  const forgedSender = await client.playMessage({ sender: `${WRONG}.`, recipients: ["joe@home.example"] });
  assert.deepEqual(forgedSender.recipients, [NOT_OURS]);
});

test("whoever is no SRS address is nobody at the SRS domain, for our own servers, too", async (t) => {
  for (const options of [{}, { networkOf: () => undefined }]) {
    const client = await (await milterScene(t, options)).dial();
    const recipients = ["nobody@srs.example", "nobody@srs.example.", `${"x".repeat(300)}@srs.example`];
    const played = await client.play({ sender: "", recipients });
    assert.deepEqual([...new Set(played.recipients)], ["550 5.1.1 no such address here"]);
  }
});

test("an address of more than 1,024 octets is refused, whoever sends", async (t) => {
  const long = `${"x".repeat(1100)}@club.example`;
  const client = await (await milterScene(t, { networkOf: () => undefined })).dial();
  const recipients = [long, "joe@home.example"];
  const first = await client.play({ sender: "", recipients });
  assert.deepEqual(first.recipients, ["550 5.1.3 this address is too long", "continue"]);
  const second = await client.playMessage({ sender: long, recipients });
  assert.deepEqual(second.recipients, [
    "550 5.1.3 this address is too long",
    "553 5.1.7 the sender address is too long",
  ]);
});

test("a sender who cannot be kept comes again, and the log says why", async (t) => {
  for (const [reason, reply] of [
    ["not-kept", /^451 4\.3\.0 /],
    ["no-room", /^451 4\.1\.7 /],
  ] as const) {
    const rewriter = { forward: () => ({ ok: false, reason, message: "not now" }) as const };
    const scene = await milterScene(t, { rewriter });
    const client = await scene.dial();
    const played = await client.playMessage({ sender: BOB, recipients: ["ann@club.example"] });
    assert.match(played.recipients[0] ?? "", reply);
    const [event] = scene.events;
    assert.equal(event?.event === "adapter-refused" && event.reason, `sender-${reason}`);
  }
});

test("an authenticated client is left alone: neither checked nor rewritten, and the next one is not", async (t) => {
  const client = await (await milterScene(t, { senders: checksThat("refuse") })).dial();
  const macros = { i: "4Q", "{auth_authen}": "ann" };
  const letter = { sender: BOB, recipients: ["ann@club.example"] };
  const authenticated = await client.play({ ...letter, macros });
  assert.deepEqual(authenticated, { recipients: ["continue"], changes: [], end: "continue" });
  const { recipients } = await client.playMessage(letter);
  assert.deepEqual(recipients, ["550 5.7.23 100% not a sender"]);
});

test("all mail is rewritten, or none, where the setting says so", async (t) => {
  const letter = { sender: BOB, recipients: ["joe@home.example"] };
  const always = await (await milterScene(t, { rewrite: "always" })).dial();
  assert.equal((await always.play(letter)).changes.length, 1);
  const never = await (await milterScene(t, { rewrite: "never" })).dial();
  const elsewhere = { ...letter, recipients: ["ann@club.example"] };
  assert.deepEqual((await never.play(elsewhere)).changes, []);
});

test("where nobody knows whether mail leaves, it is rewritten", async (t) => {
  const client = await (await milterScene(t, { leavesSite: async () => "unknown" })).dial();
  const { changes } = await client.play({ sender: BOB, recipients: ["joe@home.example"] });
  assert.equal(changes.length, 1);
});

test("lazy: only those are rewritten who would fail for us, and that is asked once a message", async (t) => {
  let asked = 0;
  const failsForUs = async ({ localPart }: { localPart: string }): Promise<boolean> => {
    asked++;
    return localPart === "bob";
  };
  const client = await (await milterScene(t, { failsForUs })).dial();
  const recipients = ["ann@club.example", "eve@club.example"];
  assert.equal((await client.play({ sender: BOB, recipients })).changes.length, 1);
  assert.equal(asked, 1);
  assert.deepEqual((await client.playMessage({ sender: "sue@origin.example", recipients })).changes, []);
});

test("a sender that no SRS address has room for is refused to those that leave, and to nobody else", async (t) => {
  const client = await (await milterScene(t)).dial();
  const played = await client.play({
    sender: `${"a".repeat(60)}@origin.example`,
    recipients: ["ann@club.example", "joe@home.example"],
  });
  assert.match(played.recipients[0] ?? "", /^550 5\.1\.7 the sender address cannot be forwarded: /);
  assert.deepEqual([played.recipients[1], played.changes], ["continue", []]);
});

test("a sender that is no address does not leave, and gets no bounce unwrapped", async (t) => {
  const client = await (await milterScene(t)).dial();
  const recipients = ["ann@club.example", "joe@home.example", GOOD];
  const played = await client.play({ sender: "bob@", recipients });
  assert.match(played.recipients[0] ?? "", /^550 5\.1\.7 /);
  assert.deepEqual(played.recipients.slice(1), ["continue", NOT_A_BOUNCE]);
});

test("a good SRS recipient becomes the original sender, and the text of RCPT is deleted to the octet", async (t) => {
  const { dial, events } = await milterScene(t);
  const client = await dial();
  const shouted = GOOD.replace("srs.example", "SRS.Example");
  const played = await client.play({ sender: "", recipients: [shouted, "joe@home.example"] });
  assert.deepEqual(played.changes, [`delete <${shouted}>`, `add <${BOB}>`]);
  const [event] = events;
  assert.ok(event?.event === "adapter-rewrote");
  assert.deepEqual(event.recipients, [{ recipient: shouted, newRecipient: BOB }]);
});

test("two bounces in one message are unwrapped each, and an address that both lead to is added once", async (t) => {
  const client = await (await milterScene(t)).dial();
  const other = forged("sue@origin.example");
  const upper = GOOD.replace("SRS0", "srs0");
  const { changes } = await client.play({ sender: "", recipients: [GOOD, upper, other] });
  assert.deepEqual(changes, [
    ...[GOOD, upper, other].map((address) => `delete <${address}>`),
    `add <${BOB}>`,
    "add <sue@origin.example>",
  ]);
});

test("an SRS recipient is only checked where the next server unwraps it", async (t) => {
  const client = await (await milterScene(t, { bounces: "keep" })).dial();
  const recipients = [GOOD, GOOD.replace("bob@", "eve@")];
  const played = await client.play({ sender: "", recipients });
  assert.deepEqual(played, { recipients: ["continue", NOT_A_BOUNCE], changes: [], end: "continue" });
});

test("an automatic answer that the next server unwraps keeps its sender", async (t) => {
  const client = await (await milterScene(t, { takesAnswers: true, bounces: "keep" })).dial();
  const played = await client.play({ sender: "auto@club.example", recipients: [GOOD] });
  assert.deepEqual(played, { recipients: ["continue"], changes: [], end: "continue" });
});

test("nobody looks where mail would go that SPF refuses, or whose sender stays anyway", async (t) => {
  const leavesSite = () => Promise.reject(new Error("asked"));
  const letter = { sender: BOB, recipients: ["ann@club.example"] };
  const refusing = await (await milterScene(t, { leavesSite, senders: checksThat("refuse") })).dial();
  assert.deepEqual((await refusing.play(letter)).recipients, ["550 5.7.23 100% not a sender"]);
  const own = await (await milterScene(t, { leavesSite })).dial();
  assert.deepEqual((await own.play({ ...letter, sender: "joe@home.example" })).recipients, ["continue"]);
});

test("a forged SRS recipient is refused, and so is mail with a sender of its own to a good one", async (t) => {
  const { dial, events } = await milterScene(t);
  const client = await dial();
  const bad = await client.play({ sender: "", recipients: [GOOD.replace("bob@", "eve@")] });
  assert.deepEqual(bad.recipients, [NOT_A_BOUNCE]);
  const answer = await client.playMessage({ sender: "eve@evil.example", recipients: [GOOD] });
  assert.deepEqual(answer.recipients, [NOT_A_BOUNCE]);
  const reasons = events.map((event) => (event.event === "adapter-refused" ? event.reason : event.event));
  assert.deepEqual(reasons, ["bad-tag", "sender-not-null"]);
});

test("an automatic answer, where they are taken, goes to the original sender, checked and rewritten", async (t) => {
  const client = await (await milterScene(t, { takesAnswers: true, senders: checksThat("accept") })).dial();
  const { changes } = await client.play({ sender: "auto@club.example", recipients: [GOOD] });
  assert.deepEqual(changes.slice(0, 3), [
    `sender <${forged("auto@club.example")}>`,
    `delete <${GOOD}>`,
    `add <${BOB}>`,
  ]);
  assert.match(changes[3] ?? "", /^insert 0 Received-SPF: pass\n envelope-from="auto@club\.example";$/);
});

test("whoever guesses SRS addresses waits; a client of another network does not", async (t) => {
  const client = await (await milterScene(t)).dial();
  // Short tags are what falls to a guesser.
  const guesses = Array.from({ length: 30 }, (_, index) =>
    GOOD.replace(/^SRS0=[^=]+/, "SRS0=AAAA").replace("=bob@", `=u${index}@`),
  );
  const { recipients } = await client.play({ sender: "", recipients: guesses });
  assert.equal(recipients.at(-1), "451 4.7.1 too many wrong addresses were tried, try again later");
  const other = await client.play({ client: "198.51.100.1", sender: "", recipients: [GOOD] });
  assert.deepEqual(other.recipients, ["continue"]);
});

test("SPF refuses at RCPT, with a % that survives; a null sender to a good SRS address is not asked", async (t) => {
  const { dial, events } = await milterScene(t, { senders: checksThat("refuse") });
  const client = await dial();
  const { recipients } = await client.play({ sender: BOB, recipients: ["ann@club.example"] });
  assert.deepEqual(recipients, ["550 5.7.23 100% not a sender"]);
  assert.equal(events[0]?.event === "adapter-refused" && events[0].reason, "spf-fail");
  const bounce = await client.playMessage({ sender: "", recipients: [GOOD] });
  assert.deepEqual([bounce.recipients, bounce.changes.length], [["continue"], 2]);
});

test("SPF defers with the reply of the check", async (t) => {
  const client = await (await milterScene(t, { senders: checksThat("defer", 451) })).dial();
  const { recipients } = await client.play({ sender: BOB, recipients: ["ann@club.example"] });
  assert.deepEqual(recipients, ["451 4.4.3 100% not a sender"]);
});

test("a message to two recipients has one Received-SPF on top, and a suspect one its verdict below", async (t) => {
  const client = await (await milterScene(t, { senders: checksThat("tag") })).dial();
  const { changes } = await client.play({
    sender: BOB,
    recipients: ["joe@home.example", "eve@home.example"],
  });
  assert.deepEqual(changes, [
    "insert 0 X-Homing-Verdict: suspect; spf-fail",
    `insert 0 Received-SPF: fail\n envelope-from="${BOB}";`,
  ]);
});

test("the verdict tells what would have been, and that a trusted forwarder is believed", async (t) => {
  const { check } = checksThat("tag");
  const letter = { sender: BOB, recipients: ["joe@home.example"] };
  const fieldOf = async (more: object): Promise<string | undefined> => {
    const senders = {
      async check(asked: SenderAsked): Promise<SenderVerdict> {
        return { ...((await check(asked)) as SenderVerdict), ...more };
      },
    };
    return (await (await (await milterScene(t, { senders })).dial()).play(letter)).changes[0];
  };
  assert.equal(
    await fieldOf({ would: "refuse" }),
    "insert 0 X-Homing-Verdict: suspect; spf-fail; would-refuse",
  );
  assert.equal(
    await fieldOf({ action: "accept", isTrustedForwarder: true }),
    "insert 0 X-Homing-Verdict: accepted; spf-fail-overridden-by-trusted-forwarder",
  );
  assert.match((await fieldOf({ action: "accept" })) ?? "", /^insert 0 Received-SPF: /);
});

test("a process of the same machine has no address, and is not checked", async (t) => {
  const client = await (await milterScene(t, { senders: checksThat("refuse") })).dial();
  const played = await client.play({ client: "local", sender: BOB, recipients: ["joe@home.example"] });
  assert.deepEqual(played.recipients, ["continue"]);
});

test("an IPv6 client with its prefix is checked by its address alone", async (t) => {
  const asked: string[] = [];
  const check = async ({ client }: { client: string }) => void asked.push(client);
  const client = await (await milterScene(t, { senders: { check: check as never } })).dial();
  await client.play({ client: "IPv6:2001:db8::1", sender: BOB, recipients: ["joe@home.example"] });
  assert.deepEqual(asked, ["2001:db8::1"]);
});

test("without changed senders, SPF and bounces are done, no sender is refused, and the log tells it once", async (t) => {
  const { dial, events } = await milterScene(t, { senders: checksThat("accept") });
  const old = await dial(OLD_OFFER);
  const letter = { sender: `${"a".repeat(60)}@origin.example`, recipients: ["ann@club.example"] };
  const played = await old.play(letter);
  assert.deepEqual([played.recipients, played.changes.length], [["continue"], 1]);
  assert.match(played.changes[0] ?? "", /^insert 0 Received-SPF:pass/);
  const bounce = await (await dial(OLD_OFFER)).play({ sender: "", recipients: [GOOD] });
  assert.deepEqual(bounce.changes, [`delete <${GOOD}>`, `add <${BOB}>`]);
  const told = events.flatMap((event) => (event.event === "adapter-limited" ? [event.message] : []));
  assert.deepEqual(told, [
    "the mail server does not take changed senders: none is rewritten. Sendmail before 8.14 is too old",
  ]);
});

test("a recipient that can be added but not deleted stays as it is", async (t) => {
  const client = await (await milterScene(t)).dial({ ...POSTFIX_OFFER, actions: 0x1ff & ~0x08 });
  const played = await client.play({ sender: "", recipients: [GOOD] });
  assert.deepEqual(played, { recipients: ["continue"], changes: [], end: "continue" });
});

test("a thousand recipients are taken, and the others are asked to come again", async (t) => {
  const client = await (await milterScene(t)).dial();
  const recipients = Array.from({ length: 1001 }, (_, index) => `u${index}@home.example`);
  const played = await client.play({ sender: BOB, recipients });
  assert.deepEqual(played.recipients.slice(998), [
    "continue",
    "continue",
    "452 4.5.3 no more than 1000 recipients, send again to the others",
  ]);
});

test("ABORT twice forgets the message, and the connection goes on", async (t) => {
  const { dial, events } = await milterScene(t);
  const client = await dial();
  await client.command("C", renderConnect("192.0.2.1"));
  await client.command("M", `<${BOB}>\0`);
  await client.command("R", "<ann@club.example>\0");
  const abort = Buffer.from("\0\0\0\x01A", "latin1");
  client.send(abort, abort);
  const { changes } = await client.playMessage({ sender: "", recipients: ["ann@club.example"] });
  assert.deepEqual([changes, events], [[], []]);
});

test("a connection is used again for the next client, of whom nothing is known", async (t) => {
  const asked: unknown[] = [];
  const check = async ({ client, helo }: { client: string; helo: string }) =>
    void asked.push({ client, helo });
  const client = await (await milterScene(t, { senders: { check: check as never } })).dial();
  const letter = { sender: BOB, recipients: ["joe@home.example"] };
  await client.play({ ...letter, helo: "first.example" });
  client.send(Buffer.from("\0\0\0\x01K", "latin1"));
  await client.command("C", renderConnect("198.51.100.7"));
  await client.playMessage(letter);
  assert.deepEqual(asked, [
    { client: "192.0.2.1", helo: "first.example" },
    { client: "198.51.100.7", helo: "" },
  ]);
});

test("a second message without ABORT between begins anew", async (t) => {
  const client = await (await milterScene(t)).dial();
  await client.command("M", `<${BOB}>\0`);
  await client.command("R", "<ann@club.example>\0");
  const { changes } = await client.playMessage({ sender: BOB, recipients: ["joe@home.example"] });
  assert.deepEqual(changes, []);
});

test("QUIT closes the connection, also as the first word", async (t) => {
  const { dial, events } = await milterScene(t);
  for (const client of [await dial(), await dial(null)]) {
    client.send(Buffer.from("\0\0\0\x01Q", "latin1"));
    assert.equal(await client.frame(), undefined);
  }
  assert.deepEqual(events, []);
});

test("a bug makes the client come again, and leaves nothing half changed", async (t) => {
  const throwing = { failsForUs: () => Promise.reject(new Error("at RCPT")) };
  const { dial, events } = await milterScene(t, throwing);
  const letter = { sender: BOB, recipients: ["ann@club.example"] };
  assert.deepEqual((await (await dial()).play(letter)).recipients, ["tempfail"]);
  let calls = 0;
  const ownDomains = () => {
    // At RCPT it is asked once; then the message ends.
    if (++calls > 1) throw new Error("at the end");
    return { has: () => false };
  };
  const late = await milterScene(t, { ownDomains, senders: checksThat("tag") });
  const played = await (await late.dial()).play(letter);
  assert.deepEqual(played, { recipients: ["continue"], changes: [], end: "tempfail" });
  for (const list of [events, late.events])
    assert.deepEqual(
      list.map(({ event }) => event),
      ["error"],
    );
});

const faults: readonly (readonly [what: string, octets: string, fault: RegExp])[] = [
  ["a command before the offer", "\0\0\0\x04Cx\0U", /^"C" before the offer: nothing is agreed on$/],
  ["another protocol", "GET / HTTP/1.0\r\n\r\n", /^a frame of 1195725856 octets, the limit is 1049600$/],
  ["an unknown command", "\0\0\0\x01\x07", /^there is no command 0x7$/],
  ["an offer of version 1", "\0\0\0\x0dO\0\0\0\x01\0\0\0\0\0\0\0\0", /^the mail server speaks version 1, /],
  ["half an offer", "\0\0\0\x05O\0\0\0\x06", /^an offer of 4 octets: it has 12$/],
];
for (const [what, octets, fault] of faults)
  test(`${what} closes the connection, with one line in the log`, async (t) => {
    const { dial, events } = await milterScene(t);
    const client = await dial(null);
    client.send(Buffer.from(octets, "latin1"));
    assert.equal(await client.frame(), undefined);
    assert.equal(events.length, 1);
    assert.match(events[0]?.event === "adapter-fault" ? events[0].fault : "", fault);
  });

const disorder: readonly (readonly [what: string, octets: string, fault: string])[] = [
  ["RCPT without MAIL", "\0\0\0\x07R<a@b>\0", "RCPT before MAIL"],
  ["the end without MAIL", "\0\0\0\x01E", "the end of a message before MAIL"],
  ["a path without NUL", "\0\0\0\x03M<>", '"M" has a text that does not end with NUL'],
  ["a macro without value", "\0\0\0\x04DMi\0", '"D" has a text that does not end with NUL'],
  ["a client without family", "\0\0\0\x03Cx\0", '"C" without an address family'],
];
for (const [what, octets, fault] of disorder)
  test(`${what} is a fault`, async (t) => {
    const { dial, events } = await milterScene(t);
    const client = await dial();
    client.send(Buffer.from(octets, "latin1"));
    assert.equal(await client.frame(), undefined);
    assert.deepEqual(
      events.map((event) => event.event === "adapter-fault" && event.fault),
      [fault],
    );
  });

test("an offer of libmilter's with more behind it is read, and macros are asked for", async (t) => {
  const client = await (await milterScene(t)).dial(null);
  const agreed = await client.negotiate(POSTFIX_OFFER, Buffer.from("\0\0\0\x01j {if_name}\0"));
  assert.equal(agreed.behind.toString("latin1"), "\0\0\0\x02i {auth_authen}\0\0\0\0\x05i\0");
});
