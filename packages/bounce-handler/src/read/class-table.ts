// Which class a failure has: a table, and the first row that fits. Called by judge.ts and text-bounce.ts. Words are looked for
// in the remote's text without its addresses: nobody is a spammer for being called so.
import type { BounceClass } from "./report.ts";

export interface ClassRow {
  readonly name: string;
  readonly class: BounceClass;
  /** Of the status code (RFC 3463): its class, where the row is for one only. */
  readonly only?: "4" | "5";
  /** `subject.detail`, or a `subject` with any detail. */
  readonly status?: readonly string[];
  /** In lower case. */
  readonly words?: readonly string[];
}

export const CLASS_ROWS: readonly ClassRow[] = [
  {
    name: "address status",
    class: "hard",
    only: "5",
    status: ["1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.9", "1.10", "2.1", "4.6"],
  },
  { name: "mailbox full status", class: "soft", status: ["2.2"] },
  { name: "time-out status", class: "soft", status: ["4.7"] },
  {
    name: "address words",
    class: "hard",
    only: "5",
    words: [
      "user unknown",
      "unknown user",
      "no such user",
      "no such mailbox",
      "no such recipient",
      "user not found",
      "mailbox not found",
      "recipient not found",
      "unknown recipient",
      "unknown or illegal alias",
      "no mailbox here by that name",
      // Notes: below, a host is listed in something.
      "not listed in domino directory",
      "not listed in public name",
    ],
  },
  {
    name: "spam words",
    class: "spam",
    words: [
      "spam",
      "blocked using",
      "blocklist",
      "block list",
      "blacklist",
      "black list",
      "blackhole",
      "denylist",
      "dnsbl",
      "barracudacentral",
      "reputation",
      "unsolicited",
      "bulk mail",
      "junk mail",
      "listed in",
      "listed by",
    ],
  },
  {
    name: "policy words",
    class: "policy",
    words: [
      "dmarc",
      "dkim",
      " spf ",
      "spf check",
      "spf fail",
      "(spf",
      "sender policy framework",
      "unauthenticated email",
      "sender verify failed",
      "virus",
      "malware",
      "prohibited attachment",
    ],
  },
  { name: "policy status", class: "policy", only: "5", status: ["7"] },
  {
    name: "mailbox full words",
    class: "soft",
    words: [
      "mailbox full",
      "mailbox is full",
      "inbox is full",
      "mailfolder is full",
      "quota exceeded",
      "exceeded quota",
      "exceeded storage",
      "exceeded its storage",
      "over quota",
      "out of storage",
      "quota",
      "insufficient system storage",
      "mailbox size limit",
      "too many messages in the mailbox",
    ],
  },
  { name: "transient status", class: "soft", only: "4", status: ["0", "1", "2", "3", "4", "5", "6", "7"] },
  {
    name: "time-out words",
    class: "soft",
    words: [
      "timed out",
      "connection refused",
      "network is unreachable",
      "greylist",
      "try again later",
      "message expired",
      "envelope expired",
      "delivery time expired",
    ],
  },
  {
    name: "policy refusal words",
    class: "policy",
    words: ["policy", "not authorized", "relaying denied", "access denied"],
  },
];

export interface Failure {
  /** Effective one. */
  readonly status: string | undefined;
  readonly replyCode: number | undefined;
  /** Diagnostic and words about the recipient, as latin1 or text. */
  readonly text: string;
}

export interface Classified {
  readonly class: BounceClass;
  readonly row: string;
}

export function classify({ status, replyCode, text }: Failure): Classified {
  const [klass, subject, detail] = status?.split(".") ?? [replyCode === undefined ? "5" : `${replyCode}`[0]];
  const words = withoutAddresses(text.toLowerCase());
  for (const row of CLASS_ROWS) {
    if (row.only !== undefined && row.only !== klass) continue;
    const byStatus = row.status?.some((one) => one === subject || one === `${subject}.${detail}`) ?? false;
    if (byStatus || row.words?.some((word) => words.includes(word)))
      return { class: row.class, row: row.name };
  }
  return klass === "4" ? { class: "soft", row: "transient" } : { class: "hard", row: "permanent" };
}

function withoutAddresses(text: string): string {
  if (!text.includes("@")) return text;
  return text
    .split(" ")
    .filter((word) => !word.includes("@"))
    .join(" ");
}
