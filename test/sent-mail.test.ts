// Mail that is sent from here for somebody: it leaves with a sender at a return domain, what bounces to it is told to the user in
// terms of the recipient to whom he wrote, and what is known of it is written with the mail and with its end.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  BOUNCE_SETTINGS,
  createBouncePolicy,
  type NoteChanges,
  type PostedMail,
  QUEUE_TIMES,
  type SentMail,
  type SubmissionPolicy,
  type Submitter,
} from "@homing/forwarder";
import { memoryContent } from "@homing/mail";
import { createRewriter, type Mailbox, NULL_PATH, parseMailbox, renderMailbox } from "@homing/srs-core";
import { sendMessage } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { type Scene, startScene } from "./harness/bounce-crowd.ts";
import { assertSilent, bring, remoteBounce, secretAddress, srsAddress } from "./harness/bounce-peers.ts";
import { type InProcessOptions, inProcessForwarder, NOW } from "./harness/in-process.ts";
import type { Taken } from "./harness/scripted-hop.ts";
import { client, logIn, TLS } from "./harness/submission-scene.ts";

const RETURNS = "bounce.site.example";
const USER = "alice@users.example";
const FRIEND = "carol@friends.example";
const NOBODY = `nobody@${RETURNS}`;
const GONE = "550 5.1.1 no such user";
const GREYLISTED = "450 4.2.1 later";
const HOUR = 3600;
const LIFE = 23 * 86_400;

const rewriter = createRewriter({
  secrets: ["a secret of the return domain"],
  domain: RETURNS,
  alwaysRewrite: true,
});
/** Of mail of this user to this recipient. */
const srsOf = (recipient: string, user = USER): string => srsAddress(rewriter, recipient, user);

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

/** What a site knows of its mail, as plain notes. */
interface Known extends SentMail {
  /** SRS addresses and to whom they were sent; "away" while nobody can say. */
  readonly sent: Map<string, string> | "away";
  forget(): void;
  readonly eatenOf: string[];
  /** Of which it was asked. */
  readonly ends: string[];
}

function known(): Known {
  let sent: Map<string, string> | "away" = new Map();
  const eatenOf: string[] = [];
  const ends: string[] = [];
  let reports = 0;
  return {
    rewriters: [rewriter],
    get sent() {
      return sent;
    },
    forget() {
      sent = sent === "away" ? new Map() : "away";
    },
    eatenOf,
    ends,
    isNobody: (recipient) => renderMailbox(recipient) === NOBODY,
    async eaten(recipient) {
      eatenOf.push(renderMailbox(recipient));
    },
    async recipientOf(srs) {
      if (sent === "away") return sent;
      const recipient = sent.get(renderMailbox(srs));
      if (recipient === undefined) return undefined;
      return {
        recipient: mailbox(recipient),
        returned: ({ user, action, enhanced, class: bounceClass, now }) => [
          {
            of: "returned",
            key: `${recipient} ${++reports}`,
            value: `${renderMailbox(user)} ${action} ${enhanced} ${bounceClass}`,
            expires: now + LIFE,
          },
        ],
      };
    },
    settled({ id, reversePath, recipient, outcome, now }) {
      if (reversePath.domain !== RETURNS) return [];
      const value = outcome.kind === "failed" ? `failed ${outcome.enhanced} ${outcome.class}` : outcome.kind;
      ends.push(value);
      return [{ of: "settled", key: `${id} ${renderMailbox(recipient)}`, value, expires: now + LIFE }];
    },
  };
}

interface SentScene extends Scene {
  readonly known: Known;
}

async function sentScene(
  t: TestContext,
  options: Partial<InProcessOptions> = {},
  more: Partial<SentMail> = {},
): Promise<SentScene> {
  const sentMail = Object.defineProperties(known(), Object.getOwnPropertyDescriptors(more));
  return { ...(await startScene(t, { sentMail, ...options })), known: sentMail };
}

const NO_NOTES: NoteChanges = { now: NOW, write: [], remove: [] };

function mailTo(
  recipient: string,
  more: Partial<PostedMail> & { readonly subject?: string } = {},
): PostedMail {
  const { subject = "Look at this", ...rest } = more;
  const id = rest.id ?? `mail-to-${recipient.split("@")[0]}`;
  const text = [
    `From: "Alice via Cards" <cards@site.example>`,
    `To: ${recipient}`,
    `Subject: ${subject}`,
    `Message-ID: <${id}@site.example>`,
    "Date: Fri, 20 Nov 2026 20:31:40 +0000",
    "",
    "An article.",
    "",
  ].join("\r\n");
  return {
    id,
    sender: mailbox(USER),
    reversePath: mailbox(srsOf(recipient)),
    recipient: mailbox(recipient),
    content: memoryContent(Buffer.from(text)),
    eightBit: false,
    smtpUtf8: false,
    ...rest,
  };
}

/** Posted, and known as the site's. */
async function post(scene: SentScene, mails: readonly PostedMail[], notes = NO_NOTES): Promise<string> {
  const { sent } = scene.known;
  if (sent !== "away")
    for (const { reversePath, recipient } of mails)
      if (reversePath !== NULL_PATH) sent.set(renderMailbox(reversePath), renderMailbox(recipient));
  return await scene.forwarder.post(mails, notes);
}

async function notesOf({ forwarder }: SentScene, of: string): Promise<readonly string[]> {
  assert.ok(forwarder.state);
  const all: string[] = [];
  for await (const { key, value } of forwarder.state.failures.notes.all(of)) all.push(`${key}: ${value}`);
  return all;
}

/** Until nothing is under way. */
async function quiet(scene: SentScene): Promise<void> {
  await scene.pass(3);
}

async function bounceTo({ forwarder }: SentScene, to: string, bounce: Parameters<typeof remoteBounce>[0]) {
  return await bring(forwarder, to, remoteBounce(bounce));
}

test("what is posted is served at once, with its sender at the return domain, and its end is noted", async (t) => {
  await using scene = await sentScene(t);
  const note = { of: "message", key: "m1", value: "two", expires: NOW + LIFE };
  const mails = [mailTo(FRIEND), mailTo("dave@friends.example")];
  assert.equal(await post(scene, mails, { ...NO_NOTES, write: [note] }), "stored");
  const taken = await scene.taken(2);
  assert.deepEqual(
    new Set(taken.map(({ recipient }) => recipient)),
    new Set([FRIEND, "dave@friends.example"]),
  );
  const [first] = taken.filter(({ recipient }) => recipient === FRIEND);
  assert.equal(first?.reversePath, srsOf(FRIEND));
  const { message = "" } = first ?? {};
  assert.match(message, /^Received: by mx\.forwarder\.example \(Homing\) id mail-to-carol\r\n/);
  assert.ok(message.endsWith("\r\n\r\nAn article.\r\n"));
  await quiet(scene);
  assert.deepEqual(await notesOf(scene, "settled"), [
    `mail-to-carol ${FRIEND}: delivered`,
    "mail-to-dave dave@friends.example: delivered",
  ]);
  assert.deepEqual(await notesOf(scene, "message"), ["m1: two"]);
  assert.deepEqual(
    scene.told("posted").map(({ id, targets }) => [id, targets]),
    mails.map(({ id, recipient }) => [id, [renderMailbox(recipient)]]),
  );
});

test("a bounce is told to the user, about the recipient to whom he wrote, with what is noted of it", async (t) => {
  await using scene = await sentScene(t);
  await post(scene, [mailTo(FRIEND)]);
  const [sent] = await scene.taken(1);
  const returned = sent?.message.slice(0, sent.message.indexOf("\r\n\r\n")) ?? "";
  // As a server has it behind which the recipient has another address.
  const target = secretAddress();
  assert.match(await bounceTo(scene, srsOf(FRIEND), { target, returned }), /^250 2\.0\.0 /);
  const [, dsn] = await scene.taken(2);
  assert.equal(dsn?.recipient, USER);
  assert.equal(dsn?.reversePath, "");
  const { message = "" } = dsn ?? {};
  assert.match(message, /^Final-Recipient: rfc822; carol@friends\.example\r$/m);
  assert.match(message, /^Status: 5\.1\.1\r$/m);
  assert.match(message, /^Subject: Look at this\r$/m, "our Received field proves it");
  assertSilent(message, target);
  assert.deepEqual(await notesOf(scene, "returned"), [`${FRIEND} 1: ${USER} failed 5.1.1 hard`]);
  const [event] = scene.told("bounce");
  assert.deepEqual([event?.to, event?.alias, event?.way, event?.outcome], [USER, FRIEND, "reissue", "told"]);
});

test("the header of another message is not returned, though it is the user's own", async (t) => {
  await using scene = await sentScene(t);
  await post(scene, [mailTo(FRIEND), mailTo("dave@friends.example", { subject: "To Dave alone" })]);
  const taken = await scene.taken(2);
  const other = taken.find(({ recipient }) => recipient !== FRIEND)?.message ?? "";
  const returned = other.slice(0, other.indexOf("\r\n\r\n"));
  await bounceTo(scene, srsOf(FRIEND), { target: FRIEND, returned });
  const { message = "" } = (await scene.taken(3))[2] ?? {};
  assert.match(message, /^Final-Recipient: rfc822; carol@friends\.example\r$/m);
  assert.doesNotMatch(message, /To Dave alone/);
});

test("a bounce of which nothing is known names nobody, and is told all the same", async (t) => {
  await using scene = await sentScene(t);
  assert.match(await bounceTo(scene, srsOf(FRIEND), { target: FRIEND }), /^250 2\.0\.0 /);
  const [dsn] = await scene.taken(1);
  assert.equal(dsn?.recipient, USER);
  assert.match(dsn?.message ?? "", /^Final-Recipient: x-homing; withheld\r$/m);
  assertSilent(dsn?.message ?? "", FRIEND);
  assert.deepEqual(await notesOf(scene, "returned"), []);
});

test("while nobody can say what it is about, a bounce comes again", async (t) => {
  await using scene = await sentScene(t);
  scene.known.forget();
  assert.match(await bounceTo(scene, srsOf(FRIEND), { target: FRIEND }), /^451 4\.3\.0 /);
  await quiet(scene);
  assert.equal(scene.hop.taken.length, 0);
  scene.known.forget();
  assert.match(await bounceTo(scene, srsOf(FRIEND), { target: FRIEND }), /^250 /);
  await scene.taken(1);
});

test("five bounces to one address are told and noted, the further ones in a notice that names the recipient", async (t) => {
  await using scene = await sentScene(t);
  const { sent } = scene.known;
  assert.ok(sent !== "away");
  for (const friend of [FRIEND, "dave@friends.example"]) sent.set(srsOf(friend), friend);
  for (let at = 0; at < 8; at++) {
    const reply = await bounceTo(scene, srsOf(FRIEND), { target: FRIEND, messageId: `<${at}@site.example>` });
    assert.match(reply, /^250 /);
  }
  await bounceTo(scene, srsOf("dave@friends.example"), { target: "dave@friends.example" });
  await scene.taken(6);
  await scene.pass(HOUR + 120);
  const told = await scene.taken(7);
  assert.match(told[5]?.message ?? "", /^Final-Recipient: rfc822; dave@friends\.example\r$/m);
  assert.match(told[6]?.message ?? "", /^Subject: 3 further mails of yours could not be delivered\r$/m);
  assert.match(told[6]?.message ?? "", /^Final-Recipient: rfc822; carol@friends\.example\r$/m);
  assert.equal((await notesOf(scene, "returned")).length, 6, "beyond the budget there are none");
});

test("settings of aliases say nothing of mail that was sent from here: its bounces are told to the user", async (t) => {
  const { ways } = BOUNCE_SETTINGS;
  const silent = { ...BOUNCE_SETTINGS, ways: { ...ways, hard: "owner", soft: "silent" } } as const;
  const bouncePolicy = createBouncePolicy({ all: silent });
  await using scene = await sentScene(t, { bouncePolicy });
  await post(scene, [mailTo(FRIEND)]);
  await scene.taken(1);
  await bounceTo(scene, srsOf(FRIEND), { target: FRIEND });
  await bounceTo(scene, srsOf(FRIEND), {
    target: FRIEND,
    status: "4.2.2",
    action: "delayed",
    words: "452 full",
  });
  const taken = await scene.taken(3);
  assert.deepEqual(
    taken.slice(1).map(({ recipient }) => recipient),
    [USER, USER],
  );
  assert.deepEqual(await notesOf(scene, "returned"), [
    `${FRIEND} 1: ${USER} failed 5.1.1 hard`,
    `${FRIEND} 2: ${USER} delayed 4.2.2 delay`,
  ]);
});

test("what bounces to nobody is thrown away and counted, whoever sends it; no other address is there", async (t) => {
  await using scene = await sentScene(t);
  const bounce = remoteBounce({ target: FRIEND });
  assert.match(await bring(scene.forwarder, NOBODY, bounce), /^250 /);
  assert.match(await bring(scene.forwarder, NOBODY, bounce, "daemon@friends.example"), /^250 /);
  assert.match(await bring(scene.forwarder, `somebody@${RETURNS}`, bounce), /^550 5\.7\.1 /);
  assert.match(
    await bring(scene.forwarder, `SRS0=${"a".repeat(14)}=JK=users.example=alice@${RETURNS}`, bounce),
    /^550 5\.7\.1 /,
  );
  await quiet(scene);
  assert.deepEqual(scene.hop.taken, []);
  assert.deepEqual(scene.known.eatenOf, [NOBODY, NOBODY]);
  assert.deepEqual(
    scene.told("discarded").map(({ recipient }) => recipient),
    [NOBODY, NOBODY],
  );
});

test("nobody sends as an address of a return domain from outside, and answers are refused", async (t) => {
  await using scene = await sentScene(t, { aliases: "alice: a@home.example" });
  const from = (sender: string) =>
    bring(scene.forwarder, "alice@forwarder.example", "Subject: x\r\n\r\n", sender);
  assert.match(await from(NOBODY), /^550 5\.7\.1 mail from this domain/);
  assert.match(await bring(scene.forwarder, srsOf(FRIEND), "Subject: x\r\n\r\n", FRIEND), /^550 5\.7\.1 /);
});

test("what we cannot deliver is told to the user about the recipient, and noted in the same turn", async (t) => {
  await using scene = await sentScene(t);
  scene.refusals.set(FRIEND, GONE);
  await post(scene, [mailTo(FRIEND)]);
  const [dsn] = await scene.taken(1);
  assert.equal(dsn?.recipient, USER);
  assert.match(dsn?.message ?? "", /^Final-Recipient: rfc822; carol@friends\.example\r\nAction: failed\r$/m);
  assert.match(dsn?.message ?? "", /^Subject: Look at this\r$/m);
  await quiet(scene);
  assert.deepEqual(await notesOf(scene, "settled"), [`mail-to-carol ${FRIEND}: failed 5.1.1 hard`]);
});

test("of a delay the user is told, and of the end; only that is noted", async (t) => {
  await using scene = await sentScene(t);
  scene.refusals.set(FRIEND, GREYLISTED);
  await post(scene, [mailTo(FRIEND)]);
  await scene.pass(2 * 86_400);
  assert.equal(scene.hop.taken.length, 1);
  assert.deepEqual(await notesOf(scene, "settled"), []);
  await scene.pass(QUEUE_TIMES.mail - 2 * 86_400 + HOUR);
  const actions = scene.hop.taken.map(({ message }) => /^Action: (.*)\r$/m.exec(message)?.[1]);
  assert.deepEqual(actions, ["delayed", "failed"]);
  const [settled = ""] = await notesOf(scene, "settled");
  assert.match(settled, /: failed 4\.4\.7 /);
});

test("of mail that does not matter nobody is told, not the postmaster either", async (t) => {
  await using scene = await sentScene(t);
  scene.refusals.set(FRIEND, GONE);
  await post(scene, [mailTo(FRIEND, { sender: NULL_PATH, reversePath: mailbox(NOBODY) })]);
  await scene.pass(2 * 86_400);
  assert.deepEqual(scene.hop.taken, []);
  assert.deepEqual(scene.told("double-bounce"), []);
  assert.deepEqual(await notesOf(scene, "settled"), [`mail-to-carol ${FRIEND}: failed 5.1.1 hard`]);
});

test("of mail of our own to which nothing returns nobody is told either: it is no bounce", async (t) => {
  await using scene = await sentScene(t);
  scene.refusals.set(FRIEND, GONE);
  await post(scene, [mailTo(FRIEND, { sender: NULL_PATH, reversePath: NULL_PATH })]);
  await scene.pass(2 * 86_400);
  assert.deepEqual(scene.hop.taken, []);
  assert.deepEqual(scene.told("double-bounce"), []);
  assert.equal(scene.told("given-up").length, 1);
  assert.deepEqual(await notesOf(scene, "settled"), []);
});

test("recipients of ours are where the tables lead, and so are users whose mail bounces", async (t) => {
  const target = secretAddress();
  const home = secretAddress();
  const aliases = `friend: ${target}\nalice: ${home}\nhole: :blackhole:`;
  await using scene = await sentScene(t, { aliases });
  const user = "alice@forwarder.example";
  const toFriend = mailTo("friend@forwarder.example", {
    sender: mailbox(user),
    reversePath: mailbox(srsOf("friend@forwarder.example", user)),
  });
  const mails = [toFriend, mailTo("hole@forwarder.example"), mailTo("none@forwarder.example")];
  assert.equal(await post(scene, mails), "stored");
  const taken = await scene.taken(2);
  const sent = taken.find(({ recipient }) => recipient === target);
  assert.equal(
    sent?.reversePath,
    srsOf("friend@forwarder.example", user),
    "the return domain sends from here, too",
  );
  const dsn = taken.find(({ recipient }) => recipient === USER);
  assert.match(
    dsn?.message ?? "",
    /^Final-Recipient: rfc822; none@forwarder\.example\r\nAction: failed\r\nStatus: 5\.1\.1\r$/m,
  );
  await quiet(scene);
  assert.deepEqual(await notesOf(scene, "settled"), [
    "mail-to-friend friend@forwarder.example: delivered",
    "mail-to-hole hole@forwarder.example: delivered",
    "mail-to-none none@forwarder.example: failed 5.1.1 hard",
  ]);

  await bounceTo(scene, String(sent?.reversePath), { target });
  const told = (await scene.taken(3))[2];
  assert.equal(told?.recipient, home);
  assert.match(told?.message ?? "", /^Final-Recipient: rfc822; friend@forwarder\.example\r$/m);
  assertSilent(told?.message ?? "", target);
});

const ends: [what: string, gone: number, settled: string][] = [
  ["one of several destinations is gone", 1, "delivered"],
  ["all of several destinations are gone", 3, "failed 5.1.1 hard"],
];
for (const [what, gone, settled] of ends) {
  for (const isImportant of [true, false]) {
    const whose = isImportant ? "the user hears" : "nobody hears";
    test(`where ${what}, one end is noted of mail of which ${whose}: how many there are is private`, async (t) => {
      const targets = Array.from({ length: 3 }, () => secretAddress());
      await using scene = await sentScene(t, { aliases: `team: ${targets.join(", ")}` });
      for (const target of targets.slice(0, gone)) scene.refusals.set(target, GONE);
      const team = "team@forwarder.example";
      const envelope: Partial<PostedMail> = isImportant
        ? { reversePath: mailbox(srsOf(team)) }
        : { sender: NULL_PATH, reversePath: mailbox(NOBODY) };
      assert.equal(await post(scene, [mailTo(team, envelope)]), "stored");
      await scene.pass(HOUR);
      assert.deepEqual(await notesOf(scene, "settled"), [`mail-to-team ${team}: ${settled}`]);
      assert.deepEqual(scene.known.ends, [settled]);
    });
  }
}

test("an SRS address is nobody to whom mail is posted, be its tag good or not", async (t) => {
  await using scene = await sentScene(t);
  const mails = [srsOf(FRIEND), srsAddress(scene.forwarder.rewriter, "alice@forwarder.example", FRIEND)].map(
    (srs, at) => mailTo(srs, { id: `m${at}`, reversePath: mailbox(srsOf(FRIEND)) }),
  );
  assert.equal(await scene.forwarder.post(mails, NO_NOTES), "stored");
  const taken = await scene.taken(2);
  assert.deepEqual(
    taken.map(({ recipient, reversePath }) => [recipient, reversePath]),
    [
      [USER, ""],
      [USER, ""],
    ],
  );
});

test("of mail that is posted again under the same key nothing more leaves, and nothing is noted", async (t) => {
  await using scene = await sentScene(t);
  const key = { of: "key", key: "k1" };
  const notes = (value: string) => ({
    ...NO_NOTES,
    write: [{ ...key, value, expires: NOW + 86_400 }],
    absent: [key],
  });
  const outcomes = await Promise.all([
    post(scene, [mailTo(FRIEND, { id: "m1" })], notes("1")),
    post(scene, [mailTo(FRIEND, { id: "m2" })], notes("2")),
  ]);
  assert.deepEqual(outcomes, ["stored", "conflict"]);
  await quiet(scene);
  assert.equal(scene.hop.taken.length, 1);
  assert.deepEqual(await notesOf(scene, "key"), ["k1: 1"]);
});

test("while a recipient of ours may not be sent to, nothing is posted, and it may come again", async (t) => {
  await using scene = await sentScene(t, { aliases: "later: :defer: not today" });
  assert.equal(await post(scene, [mailTo(FRIEND), mailTo("later@forwarder.example")]), "failed");
  await quiet(scene);
  assert.deepEqual(scene.hop.taken, []);
  assert.deepEqual(await notesOf(scene, "settled"), []);
});

test("below the floor of the disk there is no room for mail or notes; without a state folder nothing is posted", async (t) => {
  const stateFolder = await mkdtemp(join(tmpdir(), "homing-sent-"));
  t.after(() => rm(stateFolder, { recursive: true }));
  const note = { of: "message", key: "m1", value: "", expires: NOW + LIFE };
  await using scene = await sentScene(t, { minFreeOctets: Number.MAX_SAFE_INTEGER, stateFolder });
  assert.equal(await post(scene, [mailTo(FRIEND)], { ...NO_NOTES, write: [note] }), "no-room");
  assert.deepEqual(await notesOf(scene, "message"), []);
  await using stateless = await inProcessForwarder({ aliases: "", sentMail: known() });
  assert.equal(await stateless.post([mailTo(FRIEND)], NO_NOTES), "failed");
});

test("what is posted while the service ends is answered: what is stored then leaves after the next start, once", async (t) => {
  const stateFolder = await mkdtemp(join(tmpdir(), "homing-sent-"));
  t.after(() => rm(stateFolder, { recursive: true }));
  const large = memoryContent(Buffer.alloc(600_000, "Subject: large\r\n\r\n"));
  const aliases = "team: a@home.example, b@home.example";
  const posted: Promise<string>[] = [];
  const arrived: string[] = [];
  {
    await using before = await sentScene(t, { stateFolder, aliases });
    const postSome = (when: string): void => {
      for (const to of ["friend@friends.example", "team@forwarder.example", "none@forwarder.example"])
        for (const more of [{}, { content: large }]) {
          const id = `${when}-${posted.length}`;
          posted.push(post(before, [mailTo(to, { id, ...more }), mailTo(FRIEND, { id: `${id}-too` })]));
        }
    };
    postSome("before");
    const closed = before.forwarder[Symbol.asyncDispose]();
    for (let turn = 0; turn < 5; turn++) {
      postSome("amid");
      await new Promise(setImmediate);
    }
    await closed;
    postSome("behind");
    const outcomes = await Promise.all(posted);
    assert.deepEqual(new Set(outcomes.slice(0, 6)), new Set(["stored"]));
    assert.deepEqual(new Set(outcomes.slice(-6)), new Set(["failed"]));
    arrived.push(
      ...before.hop.taken.filter(({ reversePath }) => reversePath !== "").map(({ recipient }) => recipient),
    );
  }
  const stored = (await Promise.all(posted)).filter((outcome) => outcome === "stored").length;
  await using after = await sentScene(t, { stateFolder, aliases });
  await after.pass(2);
  arrived.push(
    ...after.hop.taken.filter(({ reversePath }) => reversePath !== "").map(({ recipient }) => recipient),
  );
  assert.equal(arrived.filter((recipient) => recipient === FRIEND).length, stored);
});

test("what was posted and not served is served after the next start", async (t) => {
  const stateFolder = await mkdtemp(join(tmpdir(), "homing-sent-"));
  t.after(() => rm(stateFolder, { recursive: true }));
  {
    await using before = await sentScene(t, { stateFolder });
    before.refusals.set(FRIEND, GREYLISTED);
    assert.equal(await post(before, [mailTo(FRIEND)]), "stored");
    await quiet(before);
  }
  await using after = await sentScene(t, { stateFolder });
  await after.pass(HOUR);
  assert.equal((await after.taken(1))[0]?.recipient, FRIEND);
  assert.deepEqual(await notesOf(after, "settled"), [`mail-to-carol ${FRIEND}: delivered`]);
});

// --- what a DSN returns of it ---------------------------------------------------------------------------------------------------

const TOKEN = "https://mail.site.example/mine?t=";
/** As the HTTP API composes it: links that are the recipient's alone, in the header and at the foot. */
function withLinks(recipient: string): ReturnType<typeof memoryContent> {
  const text = [
    `List-Unsubscribe: <${TOKEN}header>`,
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    `From: "Alice via Cards" <cards@site.example>`,
    `To: ${recipient}`,
    "Subject: Look at this",
    "Message-ID: <links@site.example>",
    "",
    `An article.\r\n${TOKEN}foot`,
    "",
  ];
  return memoryContent(Buffer.from(text.join("\r\n")));
}

/** Of the user, who is told: where it stands, it is wanted. */
const OWN_LINK = "https://mail.site.example/mine?own";
const FOOT = ["You sent this through Cards. To see or end what is sent in your name:", OWN_LINK];
const foot: SentMail["foot"] = (sender) => (renderMailbox(sender) === USER ? FOOT : []);

function assertOwn(dsn: Taken | undefined, action: string, told = USER): void {
  const message = dsn?.message ?? assert.fail("no DSN");
  assert.equal(dsn?.recipient, told);
  assert.match(message, new RegExp(`^Action: ${action}\\r$`, "m"));
  assert.doesNotMatch(message, /\/mine\?t=|List-Unsubscribe|An article/);
  assert.match(message, /^Subject: Look at this\r$/m);
  const words = message.slice(message.indexOf("\r\n\r\n"), message.indexOf("message/delivery-status"));
  assert.equal(words.includes(FOOT.join("\r\n")), told === USER);
}

test("no DSN about posted mail returns the recipient's links: refused, late, at an alias, of the site itself", async (t) => {
  const target = secretAddress();
  await using scene = await sentScene(t, { aliases: `team: ${target}, ${target}.too` }, { foot });
  const site = "bounces@site.example";
  const friends = Array.from({ length: 3 }, (_, at) => `friend${at}@friends.example`);
  const [gone = "", late = "", transactional = ""] = friends;
  scene.refusals.set(gone, GONE).set(late, GREYLISTED).set(transactional, GONE);
  scene.refusals.set(target, GONE).set(`${target}.too`, GONE);
  const posted = [gone, late, "team@forwarder.example"].map((to) => mailTo(to, { content: withLinks(to) }));
  const own = mailTo(transactional, {
    ...{ content: withLinks(transactional), sender: mailbox(site) },
    reversePath: mailbox(srsOf(transactional, site)),
  });
  assert.equal(await post(scene, [...posted, own]), "stored");
  await scene.pass(2 * 86_400);
  const about = (to: string): readonly Taken[] =>
    scene.hop.taken.filter(({ message }) => message.includes(`Final-Recipient: rfc822; ${to}\r`));
  assertOwn(about(gone)[0], "failed");
  assertOwn(about(late)[0], "delayed");
  assertOwn(about(transactional)[0], "failed", site);
  const ofTeam = about("team@forwarder.example");
  assert.ok(ofTeam.length > 0);
  for (const dsn of ofTeam) assertOwn(dsn, "failed", dsn.recipient);
});

test("what is re-issued to the user has his own link below its words", async (t) => {
  await using scene = await sentScene(t, {}, { foot });
  await post(scene, [mailTo(FRIEND, { content: withLinks(FRIEND) })]);
  const [sent] = await scene.taken(1);
  const returned = sent?.message.slice(0, sent.message.indexOf("\r\n\r\n")) ?? "";
  await bounceTo(scene, srsOf(FRIEND), { target: FRIEND, returned });
  assertOwn((await scene.taken(2))[1], "failed");
});

test("a header that proves to whom the mail went says so, where nothing else is known", async (t) => {
  const proven: (string | undefined)[] = [];
  const recipientOf: SentMail["recipientOf"] = async () => ({
    recipient: undefined,
    returned({ recipient }) {
      proven.push(recipient && renderMailbox(recipient));
      return [];
    },
  });
  await using scene = await sentScene(t, {}, { recipientOf });
  await post(scene, [mailTo(FRIEND)]);
  const [sent] = await scene.taken(1);
  const returned = sent?.message.slice(0, sent.message.indexOf("\r\n\r\n")) ?? "";
  await bounceTo(scene, srsOf(FRIEND), { target: FRIEND, returned });
  await bounceTo(scene, srsOf(FRIEND), { target: FRIEND });
  assert.deepEqual(proven, [FRIEND, undefined]);
});

// --- mail that is handed in by SMTP -----------------------------------------------------------------------------------------------

interface HandedIn {
  readonly settings: Pick<InProcessOptions, "tls" | "submission">;
  readonly outcomes: readonly string[];
}

/** As a site's: each copy with its own return path and links, and a note for the message. */
function handedIn(): HandedIn {
  const outcomes: string[] = [];
  const submitter: Submitter = {
    name: "cards",
    sender: async () => ({
      kind: "open",
      keyOf: (recipient) => renderMailbox(recipient).toLowerCase(),
      rcpt: async () => undefined,
      message: async ({ content, recipients }) => ({
        kind: "send",
        sender: mailbox(USER),
        content,
        copies: recipients.map((recipient) => ({
          reversePath: mailbox(srsOf(renderMailbox(recipient))),
          fields: `List-Unsubscribe: <${TOKEN}${renderMailbox(recipient)}>\r\n`,
        })),
        notes: {
          ...NO_NOTES,
          write: [{ of: "message", key: `m${outcomes.length}`, value: "", expires: NOW + LIFE }],
        },
        settled: (outcome) => outcomes.push(outcome),
      }),
    }),
  };
  const policy: SubmissionPolicy = {
    logIn: async () => undefined,
    keyed: async () => submitter,
  };
  const listenTls = { host: "127.0.0.1", port: 0 };
  return { settings: { tls: TLS, submission: { policy, listenTls } }, outcomes };
}

async function handIn(
  { forwarder }: SentScene,
  to: readonly string[],
  rcpt = "",
  mail = "",
): Promise<string> {
  using wire = await client(forwarder);
  await logIn(wire, "cards", "key");
  await wire.ask(`MAIL FROM:<${USER}>${mail}`);
  for (const one of to) assert.match(await wire.ask(`RCPT TO:<${one}>${rcpt}`), /^250 /, one);
  return await sendMessage(wire, "From: cards@site.example\r\nSubject: Look at this\r\n\r\nAn article.\r\n");
}

test("handed in to aliases of ours, mail keeps its return path; each name has its copy and its end", async (t) => {
  const target = secretAddress();
  const aliases = `one: ${target}\ntwo: ${target}\nhole: :blackhole:`;
  const { settings, outcomes } = handedIn();
  await using scene = await sentScene(t, { aliases, ...settings });
  const [one, two, hole] = ["one", "two", "hole"].map((name) => `${name}@forwarder.example`);
  assert.ok(one && two && hole);
  const kept = await handIn(scene, [one, two, hole, one.toUpperCase()]);
  assert.match(kept, /^250 /);
  const taken = await scene.taken(2);
  await quiet(scene);
  assert.deepEqual(
    new Set(taken.map(({ recipient, reversePath }) => `${recipient} ${reversePath}`)),
    new Set([one, two].map((name) => `${target} ${srsOf(name)}`)),
  );
  const ends = (await notesOf(scene, "settled")).map((note) => note.replace(/^\S+ /, ""));
  assert.deepEqual(ends.toSorted(), [`${hole}: delivered`, `${one}: delivered`, `${two}: delivered`]);
  assert.equal(await handIn(scene, [hole]), kept, "whoever sent it does not know that it is thrown away");
  assert.equal((await notesOf(scene, "settled")).length, 4);
  assert.deepEqual(await notesOf(scene, "message"), ["m0: ", "m1: "]);
  assert.deepEqual(outcomes, ["kept", "kept"]);
});

test("a DSN about mail that was handed in returns no links and no body, whatever its client asks", async (t) => {
  const { settings } = handedIn();
  const target = secretAddress();
  const aliases = `team: ${target}, ${target}.too`;
  await using scene = await sentScene(t, { aliases, ...settings }, { foot });
  scene.refusals.set(FRIEND, GONE);
  const to = [FRIEND, "dave@friends.example", "team@forwarder.example"];
  assert.match(await handIn(scene, to, " NOTIFY=SUCCESS,FAILURE,DELAY", " RET=FULL"), /^250 /);
  await scene.pass(60);
  const dsns = scene.hop.taken.filter(({ reversePath }) => reversePath === "");
  const actions = ["expanded", "failed", "relayed"];
  assert.equal(dsns.length, actions.length);
  for (const action of actions)
    assertOwn(
      dsns.find(({ message }) => message.includes(`Action: ${action}\r`)),
      action,
    );
});
