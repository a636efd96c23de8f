// A bounce without a status part: runs the rules over its text. Called by judge.ts.
import type { BounceText } from "./bounce-text.ts";
import { classify } from "./class-table.ts";
import { effectiveStatus } from "./effective-status.ts";
import { type Finding, find } from "./finders.ts";
import { readable, trimmed } from "./octet-text.ts";
import type { BounceRecipient } from "./report.ts";
import { TEXT_RULES, type TextRule } from "./rules.ts";
import { findReply, findStatus } from "./smtp-reply.ts";

/** Code without its class; the first whose words are there. */
const WORDS: readonly (readonly [status: string, words: readonly string[]])[] = [
  [
    "2.2",
    ["mailbox full", "mailbox is full", "inbox is full", "over quota", "quota exceeded", "exceeded storage"],
  ],
  ["2.2", ["mailfolder is full", "full mailbox", "exceeding their quota", "disk quota"]],
  ["2.2", ["mailbox exceeds", "out of storage", "storage space", "mailbox size limit", "over its quota"]],
  ["2.1", ["disabled", "inactive", "suspended", "deactivated", "no longer active"]],
  [
    "1.1",
    [
      "user unknown",
      "unknown user",
      "no such user",
      "no mailbox here",
      "not listed in",
      "unknown to address",
    ],
  ],
  ["1.1", ["doesn't have an account", "does not have an account", "no such account", "no such person"]],
  [
    "1.1",
    ["no such mailbox", "address not found", "user not found", "recipient not found", "mailbox not found"],
  ],
  [
    "1.1",
    [
      "mailbox unavailable",
      "address couldn't be found",
      "name is not recognized",
      "unrouteable address",
      "unknown local part",
    ],
  ],
  ["1.2", ["host not found", "domain not found", "unknown host", "host unknown", "couldn't find any host"]],
  ["1.2", ["domain does not exist", "no such domain", "name service error", "domain name not found"]],
  ["4.7", ["timed out", "could not be delivered for", "message expired", "envelope expired"]],
  ["4.7", ["delivery time expired", "in the queue too long", "retry timeout exceeded"]],
  ["4.6", ["too many hops", "mail loop", "loops back"]],
  ["3.4", ["message too large", "too big", "size limit", "message size exceeds"]],
  [
    "7.1",
    ["relaying denied", "relay access denied", "not permitted to relay", "blocked", "spam", "access denied"],
  ],
];
/** Not the last word yet, whichever rule found it. Only words of delays: a failure tells of its tries, too. */
const DELAY_WORDS = [
  "this is a warning message only",
  "you do not need to resend",
  "you need not resend",
  "has not yet been delivered",
  "has not been delivered yet",
  "delivery attempts will continue",
  "will continue to be attempted",
  "has been delayed",
  "will keep trying",
  "will be retried",
  "this is just a warning",
  "will continue to try to deliver",
  "will continue to attempt delivery",
];
const MAX_DIAGNOSTIC = 1024;
const MAX_ADDRESS = 512;
/** For so many recipients, and at so many places, the whole text is searched for a reply. */
const MAX_SEARCHES = 20;

export function readTextBounce(
  text: BounceText,
  failedHeader: string,
  limit: number,
): readonly BounceRecipient[] {
  for (const rule of TEXT_RULES) {
    if (!rule.markers.every((marker) => text.flat.includes(marker))) continue;
    if (rule.oneOf && !rule.oneOf.some((words) => text.flat.includes(words))) continue;
    const findings = find(rule.find, text, failedHeader, limit);
    if (findings.length === 0) continue;
    const action =
      rule.action ?? (DELAY_WORDS.some((words) => text.flat.includes(words)) ? "delayed" : "failed");
    const alone = findings.length === 1;
    return findings.map((finding, at) => {
      const words = at < MAX_SEARCHES ? wordsWithReply(finding, text, alone) : finding.words;
      return recipientOf(rule, action, { ...finding, words });
    });
  }
  return [];
}

function recipientOf(
  rule: TextRule,
  action: "failed" | "delayed",
  { address, words }: Finding,
): BounceRecipient {
  const found = effectiveStatus({
    action,
    status: undefined,
    diagnostic: undefined,
    words,
    willRetry: action === "delayed",
  });
  const status = isGeneral(found.status)
    ? (statusByWords(words, action) ?? rule.status ?? found.status)
    : found.status;
  const kind = classify({ status, replyCode: found.reply?.code, text: words });
  // Behind `<address>:`.
  const diagnostic = readable(trimmed(trimmed(words).replace(/^:/, "")), MAX_DIAGNOSTIC);
  return {
    finalRecipient: readable(address, MAX_ADDRESS),
    originalRecipient: undefined,
    action,
    status: undefined,
    effectiveStatus: status,
    final: found.final,
    class: found.final ? kind.class : "delay",
    diagnostic: diagnostic === "" ? undefined : diagnostic,
    smtpReply: found.reply,
    remoteMta: undefined,
    evidence: `text rule ${rule.name}; class by ${found.final ? kind.row : "action"}`,
  };
}

/**
 * Where the place itself has no reply: the transcript's line about the address.
 * @param alone the text is about one address, so a reply that names nobody is its own
 */
function wordsWithReply({ address, words }: Finding, text: BounceText, alone: boolean): string {
  if (findReply(words) || findStatus(words)) return words;
  const line =
    lineAbout(address.toLowerCase(), text) ??
    (alone ? text.lines.find((one) => findReply(one) && !one.includes("@")) : undefined);
  return line === undefined ? words : `${words}\n${line}`;
}

/** A line with the address and a reply. */
function lineAbout(address: string, { flat, lines, lineAt }: BounceText): string | undefined {
  let at = flat.indexOf(address);
  for (let seen = 0; at >= 0 && seen < MAX_SEARCHES; seen++) {
    const line = lines[lineAt(at)] ?? "";
    if (findReply(line)) return line;
    at = flat.indexOf(address, at + address.length);
  }
  return undefined;
}

function isGeneral(status: string | undefined): boolean {
  return status === undefined || status.endsWith(".0.0");
}

function statusByWords(text: string, action: "failed" | "delayed"): string | undefined {
  const small = text.toLowerCase().replace(/[ \t\n]+/g, " ");
  const row = WORDS.find(([, words]) => words.some((word) => small.includes(word)));
  return row && `${action === "failed" ? "5" : "4"}.${row[0]}`;
}
