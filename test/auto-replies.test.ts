// Automatic answers to SRS addresses, as vacation programs write them (RFC 3834): refused, unless the alias takes them; then a few
// a day go on to the original sender, while their client waits.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNCE_SETTINGS, createBouncePolicy } from "@homing/forwarder";
import { hello } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { bringAll, startScene } from "./harness/bounce-crowd.ts";
import { BOB, bring, remoteBounce, srsAddress } from "./harness/bounce-peers.ts";

const OPEN = "open@forwarder.example";
const CLOSED = "closed@forwarder.example";
const EVE = "eve@elsewhere.example";
const CAROL = "carol@home.example";
const HOUR = 3600;
const DAY = 86_400;
const SETTINGS = {
  aliases: `open: ${CAROL}\nclosed: ${CAROL}`,
  bouncePolicy: createBouncePolicy({
    all: BOUNCE_SETTINGS,
    byAlias: new Map([[OPEN, { ...BOUNCE_SETTINGS, autoReplies: "forward" as const }]]),
  }),
};
const HEAD = `From: <${CAROL}>\r\nTo: <${BOB}>\r\nSubject: away until Monday\r\n`;
const LETTER = `${HEAD}\r\nBuy something!\r\n`;
const ANSWER = `Auto-Submitted: auto-replied\r\n${HEAD}\r\nI am away.\r\n`;
/** RFC 8098. */
const READ = [
  HEAD.trimEnd(),
  "MIME-Version: 1.0",
  'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"',
  "",
  "--b",
  "Content-Type: text/plain",
  "",
  "Your mail was read.",
  "--b",
  "Content-Type: message/disposition-notification",
  "",
  `Final-Recipient: rfc822; ${CAROL}`,
  "Disposition: manual-action/MDN-sent-manually; displayed",
  "",
  "--b--",
  "",
].join("\r\n");

test("three a day go on as they came, with a sender of their own from us; those with the null path keep it", async (t) => {
  await using scene = await startScene(t, SETTINGS);
  const { forwarder, hop } = scene;
  const to = srsAddress(forwarder.rewriter, OPEN);
  const answers = [CAROL, "", CAROL, "", CAROL].map((from) => ({ from, to, message: ANSWER }));
  const replies = await bringAll(forwarder, answers);
  assert.deepEqual(
    replies.map((reply) => reply.slice(0, 9)),
    ["250 2.0.0", "250 2.0.0", "250 2.0.0", "550 5.7.1", "550 5.7.1"],
  );
  assert.match(String(replies[3]), /no further automatic answers today/);
  assert.deepEqual(
    hop.taken.map(({ recipient }) => recipient),
    [BOB, BOB, BOB],
  );
  const [named, nobody] = hop.taken;
  assert.match(String(named?.reversePath), /^SRS0=[^=]*=\w\w=home\.example=carol@forwarder\.example$/);
  assert.equal(nobody?.reversePath, "");
  for (const { message } of hop.taken) assert.ok(message.endsWith(ANSWER));

  const elsewhere = srsAddress(forwarder.rewriter, OPEN, EVE);
  assert.match(await bring(forwarder, elsewhere, ANSWER, CAROL), /^250 /, "of another sender");
  await scene.pass(DAY - HOUR);
  assert.match(await bring(forwarder, to, ANSWER, CAROL), /^550 5\.7\.1 /);
  await scene.pass(HOUR + 60);
  const next = await bringAll(forwarder, answers);
  assert.equal(next.filter((reply) => reply.startsWith("250")).length, 3, "and three on the next day");
  assert.equal(scene.told("bounce-refused").filter(({ reason }) => reason === "too-many-answers").length, 5);
});

test("an answer that cannot be delivered comes back to who wrote it, and not to the mail's sender", async (t) => {
  await using scene = await startScene(t, SETTINGS);
  const { forwarder, hop } = scene;
  assert.match(await bring(forwarder, srsAddress(forwarder.rewriter, OPEN), ANSWER, CAROL), /^250 /);
  const srs = String(hop.taken[0]?.reversePath);
  assert.match(await bring(forwarder, srs, remoteBounce({ target: BOB })), /^250 /);
  const [, dsn] = await scene.taken(2);
  assert.equal(dsn?.recipient, CAROL);
  assert.equal(hop.taken.length, 2);
});

/** What comes from a sender, to an alias, and what is said; with what it cost of the three. */
const others: [what: string, alias: string, from: string, message: string, said: RegExp, left: number][] = [
  ["an answer to an alias that takes none", CLOSED, CAROL, ANSWER, /^550 5\.7\.1 .*takes only bounces/, 0],
  ["the same with the null path", CLOSED, "", ANSWER, /^550 5\.7\.1 .*no automatic answers/, 0],
  ["a notice of reading, to an alias that takes none", CLOSED, "", READ, /^550 5\.7\.1 .*no automatic/, 0],
  ["a person's mail", OPEN, CAROL, LETTER, /^550 5\.7\.1 .*takes only bounces/, 3],
  ["a person's mail with the null path", OPEN, "", LETTER, /^550 5\.7\.1 .*takes only bounces/, 3],
  ["mail without a header", OPEN, CAROL, "\r\nBuy something!\r\n", /^550 5\.7\.1 /, 3],
  ["a notice of reading", OPEN, CAROL, READ, /^250 /, 2],
  ["an answer of 256 KiB", OPEN, CAROL, ofSize(256 * 1024), /^250 /, 2],
  ["a longer one", OPEN, CAROL, ofSize(256 * 1024 + 1), /^552 5\.3\.4 .*256 KiB/, 3],
  ["a bounce", OPEN, "", remoteBounce({ target: CAROL }), /^250 2\.0\.0 the bounce is taken/, 3],
];
for (const [what, alias, from, message, said, left] of others) {
  test(`${what} gets ${String(said).slice(2, 5)}, and ${left} answers may follow on that day`, async (t) => {
    await using scene = await startScene(t, SETTINGS);
    const { forwarder } = scene;
    const to = srsAddress(forwarder.rewriter, alias);
    assert.match(await bring(forwarder, to, message, from), said);
    const answers = Array.from({ length: 4 }, () => ({ from: CAROL, to, message: ANSWER }));
    const replies = await bringAll(forwarder, answers);
    assert.equal(replies.filter((reply) => reply.startsWith("250")).length, left);
  });
}

test("who has a sender of his own is refused at RCPT where the alias takes no answers", async (t) => {
  await using scene = await startScene(t, SETTINGS);
  const { forwarder } = scene;
  using client = await hello(forwarder);
  for (const [alias, said] of [
    [CLOSED, /^550 5\.7\.1 /],
    [undefined, /^550 5\.7\.1 /],
    [OPEN, /^250 /],
  ] as const) {
    await client.ask(`MAIL FROM:<${CAROL}>`);
    assert.match(await client.ask(`RCPT TO:<${srsAddress(forwarder.rewriter, alias)}>`), said);
    await client.ask("RSET");
  }
});

test("an answer that the sender's own server refuses has its words' code, is never kept, and costs nothing", async (t) => {
  await using scene = await startScene(t, SETTINGS);
  const { forwarder, refusals, hop } = scene;
  const to = srsAddress(forwarder.rewriter, OPEN);
  for (const [says, hears] of [
    ["452 4.2.2 full", /^452 4\.2\.2 /],
    ["550 5.1.1 nobody", /^550 5\.1\.1 /],
  ] as const) {
    refusals.set(BOB, says);
    for (let tries = 0; tries < 4; tries++) assert.match(await bring(forwarder, to, ANSWER, CAROL), hears);
  }
  refusals.clear();
  await scene.pass(HOUR);
  assert.equal(hop.taken.length, 0);
  assert.match(await bring(forwarder, to, ANSWER, CAROL), /^250 /);
});

test("answers that come at the same time share the three", async (t) => {
  await using scene = await startScene(t, SETTINGS);
  const { forwarder, hop } = scene;
  const to = srsAddress(forwarder.rewriter, OPEN);
  await Promise.all(Array.from({ length: 12 }, () => bring(forwarder, to, ANSWER, CAROL)));
  assert.equal(hop.taken.length, 3);
});

/** An answer of so many octets. */
function ofSize(octets: number): string {
  const line = `${"x".repeat(76)}\r\n`;
  const lines = Math.floor((octets - ANSWER.length - 2) / line.length);
  const text = ANSWER + line.repeat(lines);
  return `${text}${"x".repeat(octets - text.length - 2)}\r\n`;
}
