// A DKIM signature of a real signer, judged at the far end by the same program: in the client's session, from the queue, and
// from a queue that a killed process left. No octet below our fields changes: docs/walk-of-one-message.md.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { storiesNeed } from "../harness/availability.ts";
import { createDkimKey, type Dkim, dkim } from "../harness/dkim.ts";
import { waitFor } from "../harness/wait.ts";
import { KEPT, type SendOptions, sendOne } from "./harness/client.ts";
import { leftBehind, untilQueueIsEmpty } from "./harness/left-behind.ts";
import { PATIENCE_SECONDS, scale, timeout } from "./harness/scale.ts";
import { SAYS_NOTHING, type Sink, startSink } from "./harness/sink.ts";
import { createSite } from "./harness/site.ts";

const skip = (await storiesNeed("python3-dkim")) ?? false;
const KEY = createDkimKey("source.example", "mail");
/** In a file on its way in, and in chunks in the spool. */
const LARGE = scale(5_000_000, 25_000_000);

const HEADER = "From: bob@source.example\r\nTo: alice@forwarder.example\r\nSubject: signed\r\n";
const LINE = `${"text that is signed ".repeat(3)}.\r\n.dots and  blanks \t\r\n`;
const messages: [what: string, message: string, parameters: string][] = [
  ["plain", `${HEADER}\r\n${LINE}\r\n\r\n`, ""],
  ["8-bit", `${HEADER}Content-Type: text/plain; charset=utf-8\r\n\r\nGrüße, ${LINE}`, " BODY=8BITMIME"],
  ["SMTPUTF8", `${HEADER}X-Name: Jürgen\r\n\r\nGrüße, ${LINE}`, " BODY=8BITMIME SMTPUTF8"],
  [`${LARGE / 1e6} MB`, `${HEADER}\r\n${LINE.repeat(Math.floor(LARGE / LINE.length))}`, ""],
];

const WHAT = messages.map(([what]) => what).join(", ");

let signer: Dkim;
before(async () => {
  if (!skip) signer = await dkim();
});
after(() => signer?.stop());

/** Once there are so many: all, and the last one. */
async function arrivals(hop: Sink, count: number): Promise<[readonly Buffer[], Buffer]> {
  await waitFor(() => hop.arrived.length >= count || undefined, {
    seconds: PATIENCE_SECONDS,
    otherwise: () => `${hop.arrived.length} of ${count} arrived`,
  });
  const all = hop.arrived.map(({ message }) => message);
  return [all, all.at(-1) ?? Buffer.alloc(0)];
}

/** Good at the far end; and the judge can say no. */
async function assertSigned(message: Buffer): Promise<void> {
  assert.equal(await signer.verify(message, { dns: KEY.dns }), true);
  if (message.length > 1e6) return;
  const changed = Buffer.from(message.toString("latin1").replace("text that", "text which"), "latin1");
  assert.equal(await signer.verify(changed, { dns: KEY.dns }), false);
}

/** Signed, with what its client says at MAIL. */
async function signed([what, text, parameters]: (typeof messages)[number]) {
  const from = what === "SMTPUTF8" ? "jürgen@source.example" : "bob@source.example";
  const message = await signer.sign(Buffer.from(text), KEY.signer);
  return { letter: { token: "", message }, options: { from, parameters } satisfies SendOptions };
}

for (const [way, acceptance, localAddress, reply] of [
  ["a verified client's session", "in-session", "127.0.0.1", /^250 .*: passed on$/],
  ["an unverified client's session", "in-session", "127.0.7.1", /^250 .*: passed on$/],
  ["the queue", "spooled", "127.0.0.1", /^250 2\.0\.0 kept/],
] as const) {
  test(`through ${way}, signatures are good: ${WHAT}`, { timeout, skip }, async () => {
    await using hop = await startSink();
    await using site = await createSite({ routes: { "home.example": hop.port }, acceptance });
    const service = await site.start();
    for (const [index, message] of messages.entries()) {
      const { letter, options } = await signed(message);
      assert.match(await sendOne(service.port, letter, { ...options, localAddress }), reply);
      const [, arrived] = await arrivals(hop, index + 1);
      await assertSigned(arrived);
    }
    await untilQueueIsEmpty(site.stateFolder);
  });
}

test(`from the queue of a killed process, signatures are good: ${WHAT}`, { timeout, skip }, async () => {
  await using hop = await startSink({ rcpt: () => SAYS_NOTHING });
  await using site = await createSite({ routes: { "home.example": hop.port } });
  const first = await site.start();
  for (const message of messages) {
    const { letter, options } = await signed(message);
    assert.equal(await sendOne(first.port, letter, options), KEPT);
  }
  await first.stop("SIGKILL");
  assert.equal((await leftBehind(site.stateFolder)).queued.length, messages.length);
  hop.behave({});
  await site.start();
  const [all] = await arrivals(hop, messages.length);
  for (const message of all) await assertSigned(message);
  await untilQueueIsEmpty(site.stateFolder);
});
