// npm run bench:bounces: what reading a bounce costs for each megabyte, of real ones and of those that are meant to hurt.
// Exit 1 where the 99th percentile is above the budget: 50 ms for one megabyte.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createBounceReader } from "@homing/bounce-handler";

const SAMPLES = join(import.meta.dirname, "../packages/bounce-handler/testdata/dsn");
const MIB = 1024 * 1024;
/** As a socket gives them. */
const PIECE_OCTETS = 64 * 1024;
/** As the first argument: more rounds, a better percentile. */
const ROUNDS = Number(process.argv[2] ?? 100);
const BUDGET_MS = 50;

const REPORT = "From: <>\r\nContent-Type: multipart/report; boundary=b\r\n\r\n";
const STATUS = "--b\r\nContent-Type: message/delivery-status\r\n\r\n";
const TEXT = "From: <MAILER-DAEMON@mx.example.org>\r\n\r\n";
const BLOCK = "Final-Recipient: rfc822; bob@example.org\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n";
const deep = Array.from(
  { length: 20 },
  (_, at) => `Content-Type: multipart/mixed; boundary=n${at}\r\n\r\n--n${at}\r\n`,
);
const phrases =
  "this is the qmail-send program a message that you sent could not be delivered to the following address(es) failed: your message to ";

/** A head, and what is repeated behind it to a megabyte. */
const contestants: Readonly<Record<string, Buffer>> = {
  "Postfix, returned message of 1 MiB": padded("postfix-rcpt550.eml"),
  "Exim, returned message of 1 MiB": padded("exim-rcpt550-plain.eml"),
  "OpenSMTPD, four recipients, 1 MiB": padded("opensmtpd-mixed.eml"),
  "Sendmail, returned message of 1 MiB": padded("sendmail-quota552.eml"),
  "text, lines": repeated(TEXT, "Hello, this is a line of some length.\r\n"),
  "text, one line": repeated(TEXT, "x"),
  "text, empty lines": repeated(TEXT, "\n"),
  "text, lines of one octet": repeated(TEXT, "x\n"),
  "text, addresses and replies": repeated(TEXT, "<bob@example.org> 550 5.1.1 x\r\n"),
  "text, other addresses": Buffer.from(
    TEXT + Array.from({ length: 30_000 }, (_, at) => `<b${at}@example.org>: y\r\n`).join(""),
  ),
  "text, phrases of all rules": repeated(TEXT, phrases),
  "text, phrases and addresses": repeated(TEXT, `${phrases}bob@example.org:\r\n`),
  "text, at signs": repeated(TEXT, "@"),
  "text, a@": repeated(TEXT, "a@"),
  "text, quotes": repeated(TEXT, '"@'),
  "text, digits": repeated(TEXT, "550 5.1."),
  "text, shifts of ISO-2022": repeated(TEXT, "\x1b$"),
  "text, blanks": repeated(TEXT, " "),
  "HTML, tags": repeated("From: <>\r\nContent-Type: text/html\r\n\r\n", "<p>"),
  "HTML, open brackets": repeated("From: <>\r\nContent-Type: text/html\r\n\r\n", "<"),
  "HTML, entities": repeated("From: <>\r\nContent-Type: text/html\r\n\r\n", "&lt;"),
  "header, short fields": repeated("", "a:\n"),
  "header, one field": repeated("Content-Type: multipart/mixed", ";a=(\\"),
  "status, recipients": repeated(REPORT + STATUS, BLOCK),
  "status, one diagnostic": repeated(
    `${REPORT + STATUS + BLOCK.trimEnd()}\r\nDiagnostic-Code: smtp;`,
    " 550",
  ),
  "status, folds": repeated(`${REPORT + STATUS}Action: failed`, "\r\n x"),
  "status, comments": repeated(`${REPORT + STATUS}Action: `, "("),
  "status in base64": repeated(
    `${REPORT + STATUS.trimEnd()}\r\nContent-Transfer-Encoding: base64\r\n\r\n`,
    "QUJD",
  ),
  "text in base64, one octet a line": repeated(
    "From: <>\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    "Q\n",
  ),
  "text in quoted-printable": repeated(
    "From: <>\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    "=3D=\r\n",
  ),
  parts: repeated(REPORT, "--b\r\n"),
  "parts with headers": repeated(REPORT, "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"),
  "lines like boundaries, 20 deep": repeated(`From: <>\r\n${deep.join("")}\r\n`, "--n\n"),
  "multiparts in one another": Buffer.from(
    `From: <>\r\n${Array.from({ length: 15_000 }, (_, at) => `Content-Type: multipart/mixed; boundary=n${at}\r\n\r\n--n${at}\r\n`).join("")}`,
  ),
};

let over = 0;
let worst = { name: "", p99: 0 };
console.log(`${ROUNDS} rounds, budget ${BUDGET_MS} ms`);
console.log(`${"milliseconds of CPU for each MiB".padEnd(40)}${"median".padStart(9)}${"p99".padStart(9)}`);
for (const [name, message] of Object.entries(contestants)) {
  const costs = Array.from(
    { length: ROUNDS + 5 },
    () => milliseconds(() => read(message)) / (message.length / MIB),
  )
    .slice(5)
    .sort((one, other) => one - other);
  const p99 = costs[Math.ceil(costs.length * 0.99) - 1] ?? Number.NaN;
  if (p99 > BUDGET_MS) over++;
  if (p99 > worst.p99) worst = { name, p99 };
  const median = costs[costs.length >> 1] ?? Number.NaN;
  console.log(
    `${name.padEnd(40)}${median.toFixed(1).padStart(9)}${p99.toFixed(1).padStart(9)}${p99 > BUDGET_MS ? "  OVER" : ""}`,
  );
}
const octets = 100 * MIB;
const before = process.memoryUsage().rss;
const took = milliseconds(() => {
  const reader = createBounceReader();
  reader.take(readFileSync(join(SAMPLES, "postfix-rcpt550.eml")));
  const piece = Buffer.from("Hello, this is a line of some length.\r\n".repeat(1680));
  for (let at = 0; at < octets; at += piece.length) reader.take(piece);
  reader.end();
});
const grown = (process.memoryUsage().rss - before) / MIB;
console.log(`\na bounce of 100 MiB: ${Math.round(took)} ms, ${grown.toFixed(0)} MiB more of RSS`);
const highest = `highest p99 of ${ROUNDS} rounds: ${worst.p99.toFixed(1)} ms for each MiB (${worst.name})`;
console.log(`${highest}; ${over === 0 ? "all" : `${over} NOT`} within ${BUDGET_MS} ms`);
process.exitCode = over === 0 ? 0 : 1;

function read(message: Buffer): void {
  const reader = createBounceReader();
  for (let at = 0; at < message.length; at += PIECE_OCTETS)
    reader.take(message.subarray(at, at + PIECE_OCTETS));
  reader.end();
}

function repeated(head: string, unit: string): Buffer {
  return Buffer.from(head + unit.repeat(Math.ceil((MIB - head.length) / unit.length)), "latin1");
}

/** The returned message grows. */
function padded(file: string): Buffer {
  const text = readFileSync(join(SAMPLES, file), "latin1");
  const end = text.lastIndexOf("\r\n--");
  const line = "Hello, this is a line of the message that was returned, of some length.\r\n";
  return Buffer.from(text.slice(0, end) + line.repeat(MIB / line.length) + text.slice(end), "latin1");
}

/** Of CPU: on a machine that others use too, a clock on the wall tells about them. */
function milliseconds(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
