import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListedMessage, ListedRecipient, ShownRecipient } from "../service/control/queue-questions.ts";
import { safe, safeText } from "../terminal-text.ts";
import { listLine, messageLines, totalsLine } from "./queue-words.ts";

const NOW = 1_800_000_000;
const FAILURE = { code: 450, enhanced: "4.2.1", detail: "greylisted" };
const WAITING: ListedRecipient = {
  recipient: "alice@home.example",
  alias: "alice@club.example",
  state: "waiting",
  due: NOW + 700,
  attempts: 3,
  lastFailure: FAILURE,
};

function entry(recipients: readonly ListedRecipient[], more: Partial<ListedMessage> = {}): ListedMessage {
  const counts = { due: 0, waiting: 0, leased: 0 };
  for (const { state } of recipients) counts[state]++;
  return {
    id: "8f0a72787d144ff76f90",
    received: NOW - 3 * 3600,
    expires: NOW + 86_400,
    octets: 7412,
    sender: "bob@origin.example",
    counts,
    recipients: [...recipients],
    ...more,
  };
}

const lines: [what: string, entry: ListedMessage, line: string][] = [
  [
    "a recipient that waits",
    entry([WAITING]),
    "8f0a72787d144ff76f90     3 h   7.4 KB  bob@origin.example  →  alice@home.example (due in 11 min, 3 tries, 450 4.2.1)",
  ],
  [
    "the null sender, a first attempt that runs, and a recipient that is due",
    entry(
      [
        { ...WAITING, state: "leased", attempts: 1, lastFailure: undefined },
        { ...WAITING, recipient: "b@x.example", state: "due", attempts: 0, lastFailure: undefined },
      ],
      { sender: "", octets: 12, received: NOW },
    ),
    "8f0a72787d144ff76f90     0 s     12 B  <>  →  alice@home.example (being tried, 1 try), b@x.example (due now, not tried yet)",
  ],
  [
    "more recipients than fit",
    entry([WAITING], { counts: { due: 0, waiting: 990, leased: 10 }, octets: 26_214_400 }),
    "8f0a72787d144ff76f90     3 h  26.2 MB  bob@origin.example  →  alice@home.example (due in 11 min, 3 tries, 450 4.2.1), and 999 more",
  ],
];
for (const [what, listed, line] of lines) {
  test(`one line for ${what}`, () => {
    assert.equal(listLine(listed, NOW), line);
  });
}

test("the totals say how many are tried, due and waiting", () => {
  assert.equal(
    totalsLine({ messages: 1, octets: 999, counts: { due: 0, waiting: 1, leased: 0 } }),
    "1 message, 999 B, 1 recipient: 0 being tried, 0 due, 1 waiting",
  );
  assert.equal(
    totalsLine({ messages: 2, octets: 5000, counts: { due: 1, waiting: 4, leased: 2 } }),
    "2 messages, 5.0 KB, 7 recipients: 2 being tried, 1 due, 4 waiting",
  );
  assert.equal(
    totalsLine({ messages: 0, octets: 0, counts: { due: 0, waiting: 0, leased: 0 } }),
    "no messages",
  );
});

test("everything about a message, a fact a line", () => {
  const { recipients: _, ...facts } = entry([WAITING], { received: NOW - 90 });
  const shown: ShownRecipient = {
    ...WAITING,
    reversePath: "SRS0=x@club.example",
    stays: false,
    notify: "sender",
    trace: "",
    delayToldAt: NOW - 60,
  };
  const message = { ...facts, eightBit: true, smtpUtf8: false, header: "Subject: hi\r\nTo: x\r\n" };
  assert.deepEqual(
    [...messageLines(message, [shown], NOW)],
    [
      "id         8f0a72787d144ff76f90",
      "received   2027-01-15T07:58:30Z, 90 s ago",
      "given up   2027-01-16T08:00:00Z, in 24 h",
      "size       7412 octets, 8BITMIME",
      "sender     bob@origin.example",
      "recipient  alice@home.example",
      "  alias    alice@club.example",
      "  sent as  SRS0=x@club.example",
      "  state    due in 11 min, 3 tries",
      "  answer   450 4.2.1 greylisted",
      "  delay    told 60 s ago",
      "  failure  is told to the sender",
      "header",
      "  Subject: hi",
      "  To: x",
    ],
  );
});

test("a next hop's reply has its codes already, and other failures get ours", () => {
  const answers = ["450 4.2.1 greylisted", "connect ECONNREFUSED 127.0.0.1:1", ""].map((detail) => {
    const lastFailure = { ...FAILURE, detail };
    const shown = { ...WAITING, lastFailure, reversePath: "", stays: false, notify: "nobody", trace: "" };
    const message = { ...entry([WAITING]), eightBit: false, smtpUtf8: false, header: "" };
    return [...messageLines(message, [shown], NOW)].find((line) => line.startsWith("  answer"));
  });
  assert.deepEqual(answers, [
    "  answer   450 4.2.1 greylisted",
    "  answer   450 4.2.1 connect ECONNREFUSED 127.0.0.1:1",
    "  answer   450 4.2.1",
  ]);
});

/** Escape sequences in seven and eight bits, line ends, and what turns the writing around. */
const HOSTILE = "a\x1b[2J\x9b2J\r\n\x00\u202emoc.live\u2066\u200f\u061cz";
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

test("what strangers wrote cannot move the cursor, begin a line, or turn one around", () => {
  const hostile: ListedRecipient = {
    ...WAITING,
    recipient: HOSTILE,
    alias: `${HOSTILE}2`,
    lastFailure: { code: 450, enhanced: HOSTILE, detail: HOSTILE },
  };
  const listed = entry([hostile], { id: HOSTILE, sender: HOSTILE });
  const shown: ShownRecipient = {
    ...hostile,
    reversePath: HOSTILE,
    stays: true,
    notify: HOSTILE,
    trace: HOSTILE,
  };
  const message = { ...listed, eightBit: false, smtpUtf8: true, header: `${HOSTILE}\r\n` };
  for (const line of [listLine(listed, NOW), ...messageLines(message, [shown], NOW), safe(HOSTILE)])
    assert.doesNotMatch(line, UNSAFE);
});

test("a message for a terminal keeps its lines, and nothing that controls one", () => {
  assert.equal(safeText("one\r\n\ttwo\n"), "one\n\ttwo\n");
  assert.doesNotMatch(safeText(HOSTILE).replaceAll("\n", ""), UNSAFE);
});
