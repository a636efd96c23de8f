// What PostSRSd and Homing are asked, with one secret: to which both say the same, and to which they do not, with the reason.
// Called by postsrsd.test.ts.
import assert from "node:assert/strict";
import { createRewriter, NULL_PATH, parseMailbox, renderMailbox } from "@homing/srs-core";

export const SECRET = "a secret that both of them have";
export const DOMAIN = "srs.example";
const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1000);
const ours = createRewriter({ secrets: [SECRET], domain: DOMAIN, scheme: "classic" });
const theirs = createRewriter({
  secrets: ["a secret of somebody else"],
  domain: "first.example",
  scheme: "classic",
});

function forged(sender: string, { by = ours, daysAgo = 0 } = {}): string {
  const parsed = parseMailbox(sender);
  assert.ok(parsed.ok);
  const outcome = by.forward(parsed.mailbox, NOW - daysAgo * DAY);
  assert.ok(outcome.ok && outcome.sender !== NULL_PATH);
  return renderMailbox(outcome.sender);
}

export const SRS0 = forged("bob@origin.example");
const SRS1 = forged("SRS0=abcd=Z5=origin.example=bob@first.example");
const TAG = SRS0.slice("SRS0=".length, "SRS0=".length + 4);
const swapped = (tag: string): string => SRS0.replace(TAG, tag);
const [LOCAL = ""] = SRS0.split("@");
const long = (length: number): string => "a".repeat(length);

export type Question = readonly [map: "forward" | "reverse", key: string];

/** To which both say the same. */
export const SAME: readonly Question[] = [
  ["forward", "bob@origin.example"],
  ["forward", "BOB@ORIGIN.EXAMPLE"],
  ["forward", "Bob@Origin.Example"],
  ["forward", "b.o.b+tag@origin.example"],
  ["forward", "bob=x@origin.example"],
  ["forward", "bob-x@origin.example"],
  ["forward", "bob!#$&'*/?^_`{|}~@origin.example"],
  ["forward", "bob%home@origin.example"],
  ["forward", "o'neil@origin.example"],
  ["forward", "1@2.example"],
  ["forward", "bob@a.b.c.d.e.f.g.example"],
  ["forward", "ann@home.example"],
  ["forward", "ann@HOME.example"],
  ["forward", "ann@mail.home.example"],
  ["forward", "ann@sub.customers.example"],
  ["forward", "ann@customers.example"],
  ["forward", SRS0],
  ["forward", SRS1],
  ["forward", ""],
  ["forward", '""'],
  ["forward", "bob"],
  ["forward", "<>"],
  ["forward", forged("bob@origin.example", { by: theirs })],
  ["forward", "SRS0=abcd=Z5=origin.example=bob@first.example"],
  ["forward", "SRS0+abcd=Z5=origin.example=bob@first.example"],
  ["forward", "SRS0-abcd=Z5=origin.example=bob@first.example"],
  ["forward", "srs0=abcd=Z5=origin.example=bob@first.example"],
  ["forward", "SRS1=wxyz=first.example==abcd=Z5=origin.example=bob@second.example"],
  ["forward", "SRS1=wxyz=first.example=+abcd=Z5=origin.example=bob@second.example"],
  ["forward", "josé@origin.example"],
  ["forward", "bob@xn--bcher-kva.example"],
  ["forward", "bob@localhost"],
  ["forward", "bob@under_score.example"],
  ["forward", ".bob@origin.example"],
  ["forward", "SRS0=abcd@origin.example"],
  ["forward", "ann@sub.srs.example"],
  ["forward", "double-bounce@mx.srs.example"],
  ["forward", `${long(16)}@${long(16)}.example`],
  ["reverse", SRS0],
  ["reverse", SRS0.toUpperCase().replace(TAG.toUpperCase(), TAG)],
  ["reverse", SRS0.toLowerCase()],
  ["reverse", SRS0.replace("SRS0=", "SRS0+")],
  ["reverse", SRS0.replace("SRS0=", "SRS0-")],
  ["reverse", SRS1],
  ["reverse", forged("bob=x+y@origin.example")],
  ["reverse", forged("bob@origin.example", { daysAgo: 20 })],
  ["reverse", forged("bob@origin.example", { daysAgo: 23 })],
  ["reverse", forged("bob@origin.example", { daysAgo: 100 })],
  ["reverse", swapped("AAAA")],
  ["reverse", swapped(TAG.slice(0, 3))],
  ["reverse", swapped("")],
  ["reverse", SRS0.replace("=bob@", "=eve@")],
  ["reverse", SRS0.replace("origin.example", "other.example")],
  ["reverse", "SRS0=abcd@srs.example"],
  ["reverse", "SRS0@srs.example"],
  ["reverse", "SRS1=abcd=first.example@srs.example"],
  ["reverse", "SRS2=abcd=Z5=origin.example=bob@srs.example"],
  ["reverse", "ann@srs.example"],
  ["reverse", "bob@origin.example"],
  ["reverse", ""],
  ["reverse", '""'],
  ["reverse", "bob"],
  ["reverse", forged("bob@origin.example", { daysAgo: 21 })],
  ["reverse", forged("bob@origin.example", { daysAgo: 22 })],
  ["reverse", forged("bob@origin.example", { daysAgo: -2 })],
  ["reverse", forged("josé@origin.example")],
  ["reverse", SRS1.replace(/^SRS1=..../, "SRS1=AAAA")],
  ["reverse", SRS1.toLowerCase()],
  ["reverse", SRS0.replace("=bob", "=b%6fb")],
  ["reverse", SRS0.replace(/=[A-Z2-7]{2}=/, "=Z=")],
  ["reverse", SRS0.replace(/=([A-Z2-7]{2})=/, "=A$1=")],
  ["reverse", `${long(300)}@srs.example`],
];

interface Difference {
  /** docs/postsrsd.md has it, too. */
  readonly reason: string;
  readonly peer: RegExp;
  readonly ours: RegExp;
  readonly questions: readonly Question[];
}

const NOT_FOUND = /^500$/;

export const DIFFERENT: readonly Difference[] = [
  {
    reason:
      "an own sender is not found, where PostSRSd finds him under his own name: Postfix changes nothing either way",
    peer: /^200 (ann@|SRS0=)/,
    ours: NOT_FOUND,
    questions: [
      ["forward", "ann@srs.example"],
      ["forward", "ann@SRS.EXAMPLE"],
      ["forward", swapped("AAAA")],
      ["forward", forged("bob@origin.example", { daysAgo: 100 })],
    ],
  },
  {
    reason: "what is no address is not wrapped: others would refuse it as a sender",
    peer: /^200 SRS0=/,
    ours: NOT_FOUND,
    questions: [
      ["forward", "@"],
      ["forward", "bob@"],
      ["forward", "@origin.example"],
      ["forward", "bob@x@origin.example"],
      ["forward", "bob@-x.example"],
      ["forward", "bob@a..b"],
      ["forward", `bob@${long(64)}.example`],
      ["forward", "two words@origin.example"],
      ["forward", "bob\tx@origin.example"],
      ["forward", "bob\nx@origin.example"],
      ["forward", "<bob@origin.example>"],
      ["forward", "bob(comment)@origin.example"],
      ["forward", "bob,ann@origin.example"],
      ["forward", `${long(300)}@origin.example`],
    ],
  },
  {
    reason: "one dot at the end of a domain is the root, and no part of the name",
    peer: /^200 SRS0=.*=origin\.example\.=bob@/,
    ours: /^200 SRS0=.*=origin\.example=bob@srs\.example$/,
    questions: [["forward", "bob@origin.example."]],
  },
  {
    reason:
      "an SRS address with more than 64 octets before the @ (RFC 5321) is refused by many servers: such a sender stays " +
      "as he is, or is kept by homing serve with a stateDirectory",
    peer: /^200 SRS0=/,
    ours: NOT_FOUND,
    questions: [
      ["forward", `${long(40)}@origin.example`],
      ["forward", `${long(64)}@origin.example`],
      ["forward", `${long(30)}@${long(30)}.example`],
      ["forward", `bob@${long(63)}.example`],
    ],
  },
  {
    reason:
      "quotes are how SMTP writes a local part, and no part of it: they stand around the whole or are not needed",
    peer: /^(500|200 SRS0=.*")/,
    ours: /^200 ("SRS0=[^"]*"@srs\.example|SRS0=[^"]*@srs\.example|"two%20words"@origin\.example|bob@origin\.example)$/,
    questions: [
      ["forward", '"two words"@origin.example'],
      ["forward", '"bob"@origin.example'],
      ["forward", '"a@b"@origin.example'],
      ["reverse", forged('"two words"@origin.example')],
      ["reverse", `"${LOCAL}"@srs.example`],
    ],
  },
  {
    reason: "a local part that is only valid in quotes gets them",
    peer: /^200 SRS0=/,
    ours: /^200 "SRS0=[^"]*"@srs\.example$/,
    questions: [
      ["forward", "bob@[192.0.2.1]"],
      ["forward", "b..b@origin.example"],
    ],
  },
  {
    reason: "a domain in UTF-8 goes out as A-labels, which every server reads",
    peer: /^200 SRS0=.*=b%c3%bccher\.example=bob@/,
    ours: /^200 SRS0=.*=xn--bcher-kva\.example=bob@/,
    questions: [["forward", "bob@bücher.example"]],
  },
  {
    reason: "SRS0 or SRS1 without what belongs to them is no SRS address, and is wrapped as any other sender",
    peer: /^(500|200 SRS1=)/,
    ours: /^200 SRS0=.*=SRS[01][^@]*@srs\.example$/i,
    questions: [
      ["forward", "srs0@origin.example"],
      ["forward", "SRS0@origin.example"],
      ["forward", "SRS0=@origin.example"],
      ["forward", "SRS1@origin.example"],
      ["forward", "SRS1=x@origin.example"],
      ["forward", "SRS1=wxyz=first.example@second.example"],
    ],
  },
  {
    reason:
      "only addresses at the SRS domain are unwrapped: one at another domain is not ours, though its tag be good",
    peer: /^200 bob@origin\.example$/,
    ours: NOT_FOUND,
    questions: [
      ["reverse", SRS0.replace("@srs.example", "@elsewhere.example")],
      ["reverse", SRS0.replace("@srs.example", "@home.example")],
      ["reverse", LOCAL],
      ["reverse", `${LOCAL}@`],
      ["reverse", `${SRS0} `],
    ],
  },
  {
    reason: "all of a tag must be right, and PostSRSd looks at the first characters alone",
    peer: /^200 bob@origin\.example$/,
    ours: NOT_FOUND,
    questions: [["reverse", swapped(`${TAG}aa`)]],
  },
];
