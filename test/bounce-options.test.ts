// What `bounces` of homing.yaml does: each way, for each class, at one alias, at one domain and for all. A service forwards a
// message, hears of it from the other side, and who gets what in the end is all that counts.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReturnClass } from "@homing/forwarder";
import type { Arrived } from "./faults/harness/sink.ts";
import { type BounceScene, bounceOf, startBounceScene } from "./harness/bounce-scene.ts";

const ALIASES = [
  "plain@forwarder.example",
  "verbatim@forwarder.example",
  "owner@forwarder.example",
  "both@forwarder.example",
  "silent@forwarder.example",
  "member@club.example",
  "mixed@club.example",
  "answers@club.example",
  "@quiet.example",
];
const SETTINGS = `domains: [forwarder.example, club.example, quiet.example]
domainAliases: { old-club.example: club.example }
bounces:
  return: { success: owner }
  aliases:
    verbatim@forwarder.example: { return: verbatim }
    Owner@Forwarder.example: { return: owner, owner: list-owner@office.example }
    both@forwarder.example: { return: both, diagnostic: redacted }
    silent@forwarder.example: { return: silent }
    mixed@club.example: { return: { hard: both, delay: reissue } }
    answers@club.example: { autoReplies: forward }
domainSettings:
  club.example:
    bounces:
      diagnostic: none
      return: { spam: silent, delay: owner, soft: verbatim }
      owner: club@office.example
  quiet.example:
    bounces: { return: silent }
`;

const OURS = "a DSN of ours";
const NEUTRAL = "a DSN of ours that names no alias";
const AS_IT_CAME = "the bounce as it came";
const OTHER = "something else";

type Told = typeof OURS | typeof NEUTRAL | typeof AS_IT_CAME | typeof OTHER;
/** By recipient: `sender` is the original one. Without any, nobody gets anything. */
type Ends = Readonly<Record<string, Told>>;

/** Where no other owner is named: postmaster at the alias's domain, whose mail goes there. */
const KEEPER = "keeper@office.example";
const CLUB = "club@office.example";

const ofAll: Row[] = [
  ["plain@forwarder.example", "hard", { sender: OURS }],
  ["plain@forwarder.example", "soft", { sender: OURS }],
  ["plain@forwarder.example", "policy", { sender: OURS }],
  ["plain@forwarder.example", "spam", { sender: OURS }],
  ["plain@forwarder.example", "delay", { sender: OURS }],
  ["plain@forwarder.example", "success", { [KEEPER]: AS_IT_CAME }],
];
const ofOneAlias: Row[] = [
  ["verbatim@forwarder.example", "hard", { sender: AS_IT_CAME }],
  ["verbatim@forwarder.example", "success", { sender: AS_IT_CAME }],
  ["owner@forwarder.example", "hard", { "list-owner@office.example": AS_IT_CAME }],
  ["owner@forwarder.example", "delay", { "list-owner@office.example": AS_IT_CAME }],
  ["both@forwarder.example", "hard", { sender: OURS, [KEEPER]: AS_IT_CAME }],
  ["both@forwarder.example", "delay", { sender: OURS, [KEEPER]: AS_IT_CAME }],
  ["silent@forwarder.example", "hard", {}],
  ["silent@forwarder.example", "success", {}],
];
/** Classes that it does not name are as for all. */
const ofOneDomain: Row[] = [
  ["member@club.example", "hard", { sender: OURS }],
  ["member@club.example", "soft", { sender: AS_IT_CAME }],
  ["member@club.example", "spam", {}],
  ["member@club.example", "delay", { [CLUB]: AS_IT_CAME }],
  ["member@club.example", "success", { [CLUB]: AS_IT_CAME }],
  ["member@old-club.example", "hard", { sender: OURS }],
  ["member@old-club.example", "spam", {}],
];
const ofAnAliasOverItsDomain: Row[] = [
  ["mixed@club.example", "hard", { sender: OURS, [CLUB]: AS_IT_CAME }],
  ["mixed@club.example", "delay", { sender: OURS }],
  ["mixed@club.example", "spam", {}],
  ["mixed@club.example", "policy", { sender: OURS }],
];
/** Nobody knows which address it was, so nobody knows its domain's settings. */
const ofACatchAll: Row[] = [["anybody@quiet.example", "hard", { sender: NEUTRAL }]];

type Row = readonly [alias: string, name: ReturnClass, ends: Ends];

/** Each row has a sender of its own: what has his name in it is about his message. */
async function bounced(scene: BounceScene, rows: readonly Row[]): Promise<readonly Ends[]> {
  const came: { readonly sender: string; readonly alias: string; readonly bounce: string }[] = [];
  for (const [at, [alias, name]] of rows.entries()) {
    const sender = `s${at}@source.example`;
    const srs = await scene.forwarded(sender, alias);
    const bounce = bounceOf(sender, alias, name);
    assert.match(await scene.send("", srs, bounce), /^250 /, `${name} of ${alias}`);
    came.push({ sender, alias, bounce });
  }
  await scene.settled();
  return came.map(({ sender, alias, bounce }) => {
    const ends: Record<string, Told> = {};
    for (const arrived of bouncesAbout(scene, sender)) {
      const who = arrived.recipient === sender ? "sender" : arrived.recipient;
      assert.equal(ends[who], undefined, `${who} is told once`);
      ends[who] = toldBy(arrived, bounce, alias);
    }
    return ends;
  });
}

/** The forwarded letter is not among them. */
function bouncesAbout({ hop }: BounceScene, sender: string): Arrived[] {
  return hop.arrived.filter(({ reversePath, message }) => reversePath === "" && message.includes(sender));
}

function toldBy({ message }: Arrived, bounce: string, alias: string): Told {
  const text = message.toString("latin1");
  // Our own fields are on top.
  if (text.endsWith(bounce)) return AS_IT_CAME;
  const isOurs = text.includes("Reporting-MTA: dns; mx.forwarder.example\r\n");
  if (!isOurs || /home\.example|hidden-/.test(text)) return OTHER;
  if (text.includes(`Final-Recipient: rfc822; ${alias}\r\n`)) return OURS;
  return text.includes("Final-Recipient: x-homing; withheld\r\n") ? NEUTRAL : OTHER;
}

function inWords(ends: Ends): string {
  const words = Object.entries(ends).map(([who, what]) => `${who} gets ${what}`);
  return words.join(", ") || "nobody gets anything";
}

test("a bounce goes where the settings of its alias, its domain and of all say, by class", async (t) => {
  await using stack = new AsyncDisposableStack();
  const scene = await startBounceScene(stack, { settings: SETTINGS, aliases: ALIASES });
  const rows = [ofAll, ofOneAlias, ofOneDomain, ofAnAliasOverItsDomain, ofACatchAll].flat();
  const found = await bounced(scene, rows);
  for (const [at, [alias, name, ends]] of rows.entries())
    await t.test(`${name} of ${alias}: ${inWords(ends)}`, () => assert.deepEqual(found[at], ends));
});

test("without a queue the ways are the same, and all is done before the bounce is answered", async () => {
  await using stack = new AsyncDisposableStack();
  const scene = await startBounceScene(stack, { settings: SETTINGS, aliases: ALIASES, hasQueue: false });
  const rows = [...ofOneAlias, ...ofOneDomain];
  const found = await bounced(scene, rows);
  assert.deepEqual(
    found,
    rows.map(([, , ends]) => ends),
  );
});

test("the diagnostic has the codes, or nothing, or the common words too, as the alias has it", async () => {
  await using stack = new AsyncDisposableStack();
  const scene = await startBounceScene(stack, { settings: SETTINGS, aliases: ALIASES });
  const rows: Row[] = [
    ["plain@forwarder.example", "hard", {}],
    ["member@club.example", "hard", {}],
    ["both@forwarder.example", "hard", {}],
  ];
  await bounced(scene, rows);
  const diagnostics = rows.map((_, at) => {
    const sender = `s${at}@source.example`;
    const dsn = bouncesAbout(scene, sender).find(({ recipient }) => recipient === sender);
    return /^Diagnostic-Code: (.*)\r$/m.exec(String(dsn?.message))?.[1];
  });
  assert.deepEqual(diagnostics, ["smtp; 550 5.1.1", undefined, "smtp; 550 5.1.1 user unknown"]);
});

test("a verbatim bounce has the answer of the sender's own server, and is never kept", async () => {
  await using stack = new AsyncDisposableStack();
  const scene = await startBounceScene(stack, { settings: SETTINGS, aliases: ALIASES });
  const sender = "s@source.example";
  const alias = "verbatim@forwarder.example";
  const srs = await scene.forwarded(sender, alias);
  for (const [says, hears] of [
    ["452 4.2.2 full", /^452 4\.2\.2 /],
    ["550 5.1.1 nobody", /^550 5\.1\.1 /],
  ] as const) {
    scene.hop.behave({ rcpt: ({ recipient }) => (recipient === sender ? says : undefined) });
    const before = scene.hop.arrived.length;
    assert.match(await scene.send("", srs, bounceOf(sender, alias, "hard")), hears);
    await scene.settled();
    assert.equal(scene.hop.arrived.length, before, "and nobody else is told");
  }
});

const ANSWER =
  "From: carol@home.example\r\nTo: s@source.example\r\nSubject: away until Monday\r\n" +
  "Auto-Submitted: auto-replied\r\n\r\nI am away.\r\n";

test("an automatic reply is refused, and forwarded where the alias has it so", async () => {
  await using stack = new AsyncDisposableStack();
  const scene = await startBounceScene(stack, { settings: SETTINGS, aliases: ALIASES });
  const sender = "s@source.example";
  const refusing = await scene.forwarded(sender, "member@club.example");
  for (const from of ["carol@home.example", ""])
    assert.match(await scene.send(from, refusing, ANSWER), /^550 5\.7\.1 /);

  const taking = await scene.forwarded(sender, "answers@club.example");
  const before = scene.hop.arrived.length;
  const byHand = ANSWER.replace(/Auto-Submitted.*\r\n/, "").replace("away until Monday", "hello");
  assert.match(await scene.send("carol@home.example", taking, byHand), /^550 5\.7\.1 /);
  for (const from of ["carol@home.example", ""])
    assert.match(await scene.send(from, taking, ANSWER), /^250 /);
  await scene.settled();
  const answers = scene.hop.arrived.slice(before);
  assert.deepEqual(
    answers.map(({ recipient }) => recipient),
    [sender, sender],
  );
  const [named, nobody] = answers;
  assert.match(String(named?.reversePath), /^SRS0=.*=home\.example=carol@forwarder\.example$/);
  assert.equal(nobody?.reversePath, "");
  for (const answer of answers) assert.ok(answer.message.toString("latin1").endsWith(ANSWER));
});
