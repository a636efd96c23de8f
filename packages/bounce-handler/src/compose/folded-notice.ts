// One DSN about many failures of one sender's mail to one alias: those beyond what is told one by one (buckets/). Which they
// were, the Message-IDs say; nothing of the messages themselves comes back. Pure. Called by the forwarder when a notice is due.
import { mailDate } from "@homing/mail";
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import type { BounceClass } from "../read/report.ts";
import { deliveryStatus } from "./delivery-status.ts";
import { addressWords } from "./dsn-words.ts";
import { listedWords } from "./listed-lines.ts";
import { type OwnMail, reportMail } from "./own-mail.ts";
import { statusWords } from "./status-words.ts";

export interface FoldedNotice extends OwnMail {
  /** Undefined where it is not known: the neutral form. */
  readonly alias: Mailbox | undefined;
  /** Failures, listed or not. */
  readonly count: number;
  /** As the messages had them, in their order. */
  readonly messageIds: readonly string[];
  /** When the first of them failed. */
  readonly since?: UnixSeconds | undefined;
  /** Of one of them at least, as `5.1.1`. */
  readonly enhanced: string;
  readonly class?: BounceClass | undefined;
  /** It goes to the alias's owner: the messages were not his own. */
  readonly isForOwner?: boolean | undefined;
  /** It travels over SMTPUTF8: the alias may stand as it is (RFC 6533). */
  readonly smtpUtf8?: boolean | undefined;
}

export function composeFoldedNotice(notice: FoldedNotice): Buffer {
  const { hostname, alias, enhanced, smtpUtf8 } = notice;
  const recipient = { final: alias ?? "withheld", action: { kind: "failed" }, enhanced } as const;
  return reportMail(
    notice,
    {
      subject: `${furtherWords(notice, "mail")} could not be delivered`,
      automatic: "auto-replied",
    },
    {
      words: noticeWords(notice),
      status: deliveryStatus({ hostname, recipients: [recipient], smtpUtf8 }),
    },
  );
}

function noticeWords(notice: FoldedNotice): string {
  const { hostname, alias, count, since, enhanced } = notice;
  const { happened, advice } = statusWords(enhanced, notice.class);
  return [
    `Sorry: ${furtherWords(notice, "message")} to`,
    "",
    `    ${addressWords(alias ?? "withheld", hostname)}`,
    "",
    `could not be delivered${since === undefined ? "" : ` since ${mailDate(since)}`}.`,
    "You were told of the first ones one by one, and are told of the further ones",
    "together, from time to time.",
    "",
    ...(count === 1 ? [] : ["This is what happened to one of them:", ""]),
    happened,
    // For who wrote them.
    ...(notice.isForOwner ? [] : [advice]),
    "",
    `(Status ${enhanced}.)`,
    "",
    ...listWords(notice),
  ].join("\r\n");
}

function furtherWords({ count, isForOwner }: FoldedNotice, noun: string): string {
  return `${count} further ${noun}${count === 1 ? "" : "s"}${isForOwner ? "" : " of yours"}`;
}

function listWords({ messageIds, count }: FoldedNotice): readonly string[] {
  const { lines, unlisted } = listedWords(messageIds, count);
  if (lines.length === 0) return ["None of them had a Message-ID that could be listed here.", ""];
  return [
    count === 1 ? "Its Message-ID:" : "Their Message-IDs:",
    "",
    ...lines,
    "",
    ...(unlisted === 0 ? [] : [`Not listed: ${unlisted} more.`, ""]),
  ];
}
