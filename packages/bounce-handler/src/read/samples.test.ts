// The 57 reports of four real MTAs, as they came and in every wrapping that peers and gateways put around them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readBounce } from "./reader.ts";
import type { BounceReport } from "./report.ts";

interface Sample {
  readonly file: string;
  readonly reported: readonly { readonly Status: string; readonly "Final-Recipient": string }[];
  readonly perMessage: Readonly<Record<string, string>>;
  readonly truth: readonly {
    readonly privateRecipient: string;
    readonly outcome: string;
    readonly smtpReply: string | null;
    readonly remoteEnhanced: string | null;
    readonly senderKnows: string | null;
  }[];
}

const FOLDER = join(import.meta.dirname, "../../testdata/dsn");
const { samples } = JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")) as {
  readonly samples: readonly Sample[];
};
const octetsOf = ({ file }: Sample): Buffer => readFileSync(join(FOLDER, file));

/** What is told of success is a class; what is told of failure is that it is over, or not. */
const OUTCOMES: Readonly<Record<string, readonly [classes: string, final: boolean]>> = {
  failed: ["hard soft policy spam", true],
  delayed: ["delay", false],
  delivered: ["success", true],
  relayed: ["success", true],
  "relayed-or-expanded": ["success", true],
};

function assertTruth({ reported, truth }: Sample, report: BounceReport): void {
  assert.equal(report.kind, "dsn");
  assert.equal(report.recipients.length, truth.length);
  for (const { privateRecipient, outcome, smtpReply, remoteEnhanced, senderKnows } of truth) {
    // After an alias of its own, an MTA may name the alias (RFC 3464 §2.3.2).
    const names = [privateRecipient, senderKnows];
    const recipient = report.recipients.find((one) => names.includes(one.finalRecipient ?? ""));
    assert.ok(recipient, privateRecipient);
    const field = reported.find((one) => one["Final-Recipient"].includes(recipient.finalRecipient ?? "?"));
    assert.ok(field);
    assert.equal(recipient.effectiveStatus, remoteEnhanced ?? field.Status);
    assert.equal(recipient.status, field.Status);
    const [classes = "", final] = OUTCOMES[outcome] ?? [];
    assert.ok(classes.split(" ").includes(recipient.class), recipient.class);
    assert.equal(recipient.final, final);
    // The remote's reply to an expanded message is not in the report.
    if (smtpReply !== null && recipient.action !== "expanded") {
      assert.equal(recipient.smtpReply?.code, Number(smtpReply));
      if (remoteEnhanced !== null) assert.equal(recipient.smtpReply?.enhanced, remoteEnhanced);
    }
  }
}

test("there are 57 samples", () => assert.equal(samples.length, 57));

for (const sample of samples) {
  test(`${sample.file}: recipient, outcome and effective status are what happened`, () => {
    const report = readBounce(octetsOf(sample));
    assertTruth(sample, report);
    assert.equal(report.reportingMta, "mta.relay.example");
    const envelopeId = sample.perMessage["Original-Envelope-Id"] ?? sample.perMessage["Original-Envelope-ID"];
    assert.equal(report.originalEnvelopeId, envelopeId);
    assert.equal(report.truncated, false);
    const from = report.returned?.find((field) => field.name === "From");
    assert.match(from?.value ?? "", /^Alice /);
  });
}

const classes: readonly [file: string, classes: readonly string[]][] = [
  ["postfix-mixed.eml", ["soft", "hard", "spam", "spam"]],
  ["opensmtpd-mixed.eml", ["soft", "hard", "spam", "spam"]],
  ["postfix-dmarc550.eml", ["policy"]],
  ["exim-policy554.eml", ["spam"]],
  ["exim-quota552.eml", ["soft"]],
  ["postfix-delay-expire-expired.eml", ["soft"]],
  ["postfix-moved551.eml", ["hard"]],
];
for (const [file, expected] of classes) {
  test(`${file} is ${expected.join(", ")}`, () => {
    const report = readBounce(readFileSync(join(FOLDER, file)));
    assert.deepEqual(
      report.recipients.map((one) => one.class),
      expected,
    );
  });
}

/** Each part's header and body, by the boundary that stands in the outer header. */
interface Taken {
  readonly header: string;
  readonly boundary: string;
  readonly parts: readonly { readonly header: string; readonly body: string }[];
}

function takeApart(sample: Sample): Taken {
  const text = octetsOf(sample).toString("latin1");
  const boundary = /boundary="?([^"\r\n]+)"?/.exec(text)?.[1] ?? "";
  const [top = "", ...rest] = text.split(`--${boundary}`);
  const parts = rest.slice(0, -1).map((part) => {
    const whole = part.replace(/^\r\n/, "").replace(/\r\n$/, "");
    const empty = whole.startsWith("\r\n") ? 0 : whole.indexOf("\r\n\r\n") + 2;
    return { header: whole.slice(0, empty), body: whole.slice(empty + 2) };
  });
  return { header: top.slice(0, top.indexOf("\r\n\r\n") + 2), boundary, parts };
}

function putTogether({ header, boundary, parts }: Taken): string {
  const bodies = parts.map((part) => `--${boundary}\r\n${part.header}\r\n${part.body}\r\n`);
  return `${header}\r\n${bodies.join("")}--${boundary}--\r\n`;
}

function isStatus(header: string): boolean {
  return /message\/(global-)?delivery-status/i.test(header);
}

function encoded(name: string, encode: (body: string) => string, of: (header: string) => boolean) {
  return (taken: Taken): Taken => ({
    ...taken,
    parts: taken.parts.map(({ header, body }) =>
      of(header)
        ? {
            header: `${header.replace(/^Content-Transfer-Encoding:.*\r\n/im, "")}Content-Transfer-Encoding: ${name}\r\n`,
            body: encode(body),
          }
        : { header, body },
    ),
  });
}

const base64 = (body: string): string =>
  (
    Buffer.from(body, "latin1")
      .toString("base64")
      .match(/.{1,76}/g) ?? []
  ).join("\r\n");
const quotedPrintable = (body: string): string =>
  body
    .replace(
      /[^\r\n !-<>-~\t]|=/g,
      (octet) => `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .split("\r\n")
    .map((line) => line.replace(/(.{60}[^=]{0,3})(?=...)/g, "$1=\r\n"))
    .join("\r\n");
const onStatus = (change: (body: string) => string) => (taken: Taken) => ({
  ...taken,
  parts: taken.parts.map((part) => (isStatus(part.header) ? { ...part, body: change(part.body) } : part)),
});
const nested = (type: string) => (taken: Taken) => {
  const inner = `${taken.header.match(/^Content-Type:.*\r\n([ \t].*\r\n)*/im)?.[0] ?? ""}\r\n${putTogether(taken).slice(taken.header.length + 2)}`;
  const top = taken.header.replace(
    /^Content-Type:.*\r\n([ \t].*\r\n)*/im,
    `Content-Type: ${type}; boundary=outermost\r\n`,
  );
  const footer = { header: "Content-Type: text/plain\r\n", body: "A mailing list's footer.\r\n" };
  return { header: top, boundary: "outermost", parts: [splitInner(inner), footer] };
};
function splitInner(inner: string): { header: string; body: string } {
  const empty = inner.indexOf("\r\n\r\n");
  return { header: inner.slice(0, empty + 2), body: inner.slice(empty + 4) };
}

const wrappings: readonly [what: string, wrap: (taken: Taken) => Taken][] = [
  [
    "in multipart/mixed",
    (taken) => ({
      ...taken,
      header: taken.header.replace(/multipart\/report; report-type=delivery-status/i, "multipart/mixed"),
    }),
  ],
  [
    "in multipart/related with a type in odd case",
    (taken) => ({
      ...taken,
      header: taken.header.replace(
        /multipart\/(report; report-type=delivery-status|mixed)/i,
        "MultiPart/Related",
      ),
      parts: taken.parts.map((part) => ({
        ...part,
        header: part.header.replace(
          /message\/delivery-status/i,
          "MESSAGE/Delivery-Status (yes); charset=us-ascii",
        ),
      })),
    }),
  ],
  ["with its status part in base64", encoded("base64", base64, isStatus)],
  ["with its status part in quoted-printable", encoded("Quoted-Printable", quotedPrintable, isStatus)],
  ["with all its parts in base64", encoded("base64", base64, () => true)],
  ["with all its parts in quoted-printable", encoded("quoted-printable", quotedPrintable, () => true)],
  [
    "with the types of RFC 6533",
    (taken) => ({
      ...taken,
      parts: taken.parts.map((part) => ({
        ...part,
        header: part.header
          .replace(/message\/delivery-status/i, "message/global-delivery-status")
          .replace(/message\/rfc822/i, "message/global")
          .replace(/text\/rfc822-headers/i, "message/global-headers"),
      })),
    }),
  ],
  [
    "with many empty lines between its blocks",
    onStatus((body) => `\r\n\r\n${body.replaceAll("\r\n\r\n", "\r\n\r\n \r\n\r\n")}`),
  ],
  ["with no empty lines between its blocks", onStatus((body) => body.replaceAll("\r\n\r\n", "\r\n"))],
  [
    "with an empty line behind each field",
    onStatus((body) => body.replace(/\r\n(?=[A-Z][\w-]*:)/g, "\r\n\r\n")),
  ],
  ["inside another multipart", nested("multipart/mixed")],
  [
    "inside two others",
    (taken) => nested("multipart/mixed")({ ...nested("multipart/signed")(taken), boundary: "outermost" }),
  ],
  ["without its text", (taken) => ({ ...taken, parts: taken.parts.slice(1) })],
];

for (const [what, wrap] of wrappings) {
  test(`every sample ${what} says the same`, () => {
    for (const sample of samples) {
      // OpenSMTPD has the remote's reply in its text alone.
      if (what === "without its text" && sample.file.startsWith("opensmtpd")) continue;
      const wrapped = readBounce(Buffer.from(putTogether(wrap(takeApart(sample))), "latin1"));
      const plain = readBounce(octetsOf(sample));
      assert.deepEqual(wrapped.recipients.map(bare), plain.recipients.map(bare), sample.file);
      assert.deepEqual(wrapped.returned, plain.returned, sample.file);
      assert.equal(wrapped.originalEnvelopeId, plain.originalEnvelopeId);
    }
  });
}

/** Evidence may name another field. */
function bare({ evidence: _, ...rest }: BounceReport["recipients"][number]) {
  return rest;
}

for (const [what, end] of [
  ["LF", "\n"],
  ["bare CR", "\r"],
] as const) {
  test(`every sample with ${what} says the same`, () => {
    for (const sample of samples) {
      const text = octetsOf(sample).toString("latin1").replaceAll("\r\n", end);
      assert.deepEqual(readBounce(Buffer.from(text, "latin1")), readBounce(octetsOf(sample)), sample.file);
    }
  });
}

test("every sample inside a message that somebody sends on is nobody's bounce", () => {
  for (const sample of samples) {
    const forwarded = [
      "From: Carol <carol@example.org>",
      "Subject: what is this?",
      "Content-Type: multipart/mixed; boundary=fwd",
      "",
      "--fwd",
      "",
      "I got this.",
      "--fwd",
      "Content-Type: message/rfc822",
      "",
      octetsOf(sample).toString("latin1"),
      "--fwd--",
      "",
    ].join("\r\n");
    const report = readBounce(Buffer.from(forwarded, "latin1"));
    assert.equal(report.kind, "not-a-bounce");
    assert.deepEqual(report.recipients, []);
  }
});
