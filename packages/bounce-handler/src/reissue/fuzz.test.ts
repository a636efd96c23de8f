// A private address, planted in every field of a report in random disguise, never comes out.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { BounceRecipient, BounceReport } from "../read/report.ts";
import { leaksIn } from "../testing/leaks.ts";
import { reissue } from "./reissue.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const eachOctet = (text: string, written: (octet: number) => string) =>
  [...Buffer.from(text)].map(written).join("");
const hex = (octet: number) => octet.toString(16).padStart(2, "0").toUpperCase();

const DISGUISES: Readonly<Record<string, (text: string) => string>> = {
  none: (text) => text,
  base64,
  base64url: (text) => Buffer.from(text).toString("base64url"),
  "base64 of more": (text) => base64(`mail for ${text}, please`),
  "encoded word B": (text) => `=?utf-8?B?${base64(text)}?=`,
  "encoded words B": (text) => `=?utf-8?B?${base64(text.slice(0, 3))}?= =?utf-8?B?${base64(text.slice(3))}?=`,
  "encoded word Q": (text) => `=?us-ascii?Q?${eachOctet(text, (octet) => `=${hex(octet)}`)}?=`,
  percent: (text) => eachOctet(text, (octet) => `%${hex(octet)}`),
  "some percent": (text) => `${text.slice(0, 2)}%${hex(text.charCodeAt(2))}${text.slice(3)}`,
  octal: (text) => eachOctet(text, (octet) => `\\${octet.toString(8).padStart(3, "0")}`),
  xtext: (text) => eachOctet(text, (octet) => `+${hex(octet)}`),
  "RFC 6533": (text) => eachOctet(text, (octet) => `\\x{${hex(octet)}}`),
  HTML: (text) => eachOctet(text, (octet) => `&#${octet};`),
  hexadecimal: (text) => Buffer.from(text).toString("hex"),
  "soft hyphens": (text) => [...text].join("\u00ad"),
  blanks: (text) => [...text].join(" "),
};

const disguises = fc.array(fc.constantFrom(...Object.keys(DISGUISES)), { minLength: 1, maxLength: 2 });
/** Not words of our own text, and not in one another. */
const word = fc.stringMatching(/^q[a-z0-9]{8,14}x$/);
const around = fc.constantFrom("", "about ", "Re: to=", "<", "(", "x");
/** Marks that a Message-ID may have. */
const aroundInId = fc.constantFrom("", "x", ".", "=", "1-");

interface Planted {
  readonly text: string;
  readonly what: string;
}

const scene = fc.record({ localPart: word, label: word }).chain(({ localPart, label }) => {
  const domain = `${label}.example`;
  const secret = fc.constantFrom(
    `${localPart}@${domain}`,
    localPart,
    domain,
    `mx1.${domain}`,
    localPart.toUpperCase(),
  );
  const planted = fc
    .record({ secret, disguises, before: around, after: around })
    .map(({ secret, disguises, before, after }): Planted => {
      const what = disguises.reduce((text, name) => DISGUISES[name]?.(text) ?? "", secret);
      return { text: `${before}${what}${after}`, what };
    });
  return fc.record({
    localPart: fc.constant(localPart),
    domain: fc.constant(domain),
    planted: fc.array(planted, { minLength: 14, maxLength: 14 }),
    policy: fc.constantFrom("none" as const, "code" as const, "redacted" as const),
    withAlias: fc.boolean(),
  });
});

function reportOf(address: string, plants: readonly Planted[]): BounceReport {
  const text = (at: number) => plants[at]?.text ?? "";
  const recipient = (finalRecipient: string): BounceRecipient => ({
    finalRecipient,
    originalRecipient: text(0),
    action: "failed",
    status: text(1),
    effectiveStatus: text(2),
    final: true,
    class: "hard",
    diagnostic: text(3),
    smtpReply: { code: 550, enhanced: text(4), text: `user unknown ${text(5)}` },
    remoteMta: text(6),
    evidence: text(7),
  });
  return {
    kind: "dsn",
    reportingMta: text(8),
    originalEnvelopeId: text(9),
    arrivalDate: text(10),
    recipients: [recipient(address), recipient(text(11))],
    named: [text(7), text(9)],
    returned: [
      { name: "Received", value: text(12) },
      { name: "X-Original-To", value: text(13) },
      ...["Message-ID", "Date", "Subject", "From", "To"].map((name, at) => ({ name, value: text(at) })),
      { name: "Cc", value: text(5) },
    ],
    autoSubmitted: text(6),
    truncated: false,
  };
}

test("whatever a report holds, in whatever disguise, nothing of the private address comes out", () => {
  fc.assert(
    fc.property(scene, ({ localPart, domain, planted, policy, withAlias }) => {
      const reissued = reissue({
        report: reportOf(`${localPart}@${domain}`, planted),
        hostname: "mx.forwarder.test",
        id: "0",
        now: 1_800_000_000,
        to: { localPart: "bob", domain: "source.test" },
        alias: withAlias ? { localPart: "alice", domain: "forwarder.test" } : undefined,
        diagnostic: policy,
      });
      assert.equal(reissued.kind, "dsn");
      const message = reissued.octets.toString();
      for (const { what } of planted) assert.ok(!message.includes(what), `${what} in ${message}`);
      assert.deepEqual(leaksIn(message, [localPart, domain], []), []);
    }),
    { numRuns: 300 },
  );
});

const NOBODY: BounceReport = {
  kind: "bounce",
  reportingMta: undefined,
  originalEnvelopeId: undefined,
  arrivalDate: undefined,
  recipients: [],
  returned: undefined,
  named: [],
  autoSubmitted: undefined,
  truncated: false,
};

/** The Message-ID of a bounce that names the private address at one place alone. */
function messageIdOf(id: string, named: string): string | undefined {
  const reissued = reissue({
    report: { ...NOBODY, named: [named], returned: [{ name: "Message-ID", value: id }] },
    hostname: "mx.forwarder.test",
    id: "0",
    now: 1_800_000_000,
    to: { localPart: "bob", domain: "source.test" },
    alias: undefined,
    diagnostic: "none",
  });
  assert.equal(reissued.kind, "dsn");
  assert.equal(reissued.octets.includes("rfc822-headers"), reissued.messageId !== undefined);
  return reissued.messageId;
}

const inId = fc.record({ localPart: word, label: word, disguises, before: aroundInId, after: aroundInId });

test("in whatever disguise a Message-ID has the private local part or domain, it does not come out", () => {
  let told = 0;
  fc.assert(
    fc.property(inId, fc.boolean(), ({ localPart, label, disguises, before, after }, isHost) => {
      const disguised = (text: string) => disguises.reduce((all, name) => DISGUISES[name]?.(all) ?? "", text);
      const idOf = (text: string) => `<${before}${disguised(text)}${after}@source.test>`;
      const named = `(${localPart}@mx1.${label}.example):`;
      const id = messageIdOf(idOf(isHost ? `${label}.example` : localPart), named);
      assert.equal(id, undefined, id);
      if (messageIdOf(idOf("nobody-knows"), named) !== undefined) told++;
    }),
    { numRuns: 1000 },
  );
  // Another word in the same disguise does come out, where a Message-ID can have it.
  assert.ok(told > 300, String(told));
});
