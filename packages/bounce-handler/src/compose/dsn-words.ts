// The part of a DSN that a person reads: what happened, to which address, what to do. Called by compose-dsn.ts,
// and for the address by folded-notice.ts.
import { mailDate } from "@homing/mail";
import { renderMailbox } from "@homing/srs-core";
import type { Dsn, DsnAction, DsnRecipient } from "./dsn.ts";
import { statusWords } from "./status-words.ts";

type ActionKind = DsnAction["kind"];

/** From the worst to the best: the first that some recipient has decides about the subject. */
const SUBJECTS: readonly (readonly [ActionKind, string])[] = [
  ["failed", "mail was not delivered"],
  ["delayed", "mail is delayed"],
  ["expanded", "mail was passed on"],
  ["relayed", "mail was passed on"],
  ["delivered", "mail was delivered"],
];

/** Around the address: before it, and behind it. */
const SENTENCES: Readonly<Record<ActionKind, readonly [opening: string, end: string]>> = {
  failed: ["Sorry: ", "could not be delivered."],
  delayed: ["This is a warning only, you need not do anything: ", "has not been delivered yet."],
  delivered: ["For your information: ", "was delivered."],
  relayed: [
    "For your information: ",
    "was passed on to a server that does not tell of deliveries.\r\nYou hear of it again only if it fails.",
  ],
  expanded: [
    "For your information: ",
    "was passed on to several addresses.\r\nYou hear of it again only if it fails.",
  ],
};

/** Instead of "For your information: ". */
const HEARSAY = "For your information: the server behind this address reports that\r\n";

export function subjectWords({ recipients, isHearsay }: Dsn): string {
  const [kind, words] = SUBJECTS.find(([one]) => recipients.some(({ action }) => action.kind === one)) ?? [];
  if (kind === undefined) return "";
  return isHearsay && isSuccess(kind) ? `A server reports that your ${words}` : `Your ${words}`;
}

function isSuccess(kind: ActionKind): boolean {
  return kind !== "failed" && kind !== "delayed";
}

export function dsnWords(dsn: Dsn): string {
  const { recipients, foot = [] } = dsn;
  const words = recipients.map((recipient) => paragraphs(recipient, dsn)).join("\r\n");
  return foot.length === 0 ? words : [words, ...foot, ""].join("\r\n");
}

function paragraphs(recipient: DsnRecipient, { arrived, hostname, isHearsay }: Dsn): string {
  const { action, final, enhanced } = recipient;
  const [openingOfOurs, end] = SENTENCES[action.kind];
  const opening = isHearsay && isSuccess(action.kind) ? HEARSAY : openingOfOurs;
  const mail = arrived === undefined ? "your mail to" : `your mail of ${mailDate(arrived)} to`;
  const lines = [
    `${opening}${mail}\r\n\r\n    ${addressWords(final, hostname)}\r\n\r\n${end}`,
    ...moreWords(recipient),
    "",
    `(Status ${enhanced}.)`,
    "",
  ];
  return lines.join("\r\n");
}

/** Where the alias is not known, no more than that it is one of ours. */
export function addressWords(final: DsnRecipient["final"], hostname: string): string {
  return final === "withheld" ? `(an address for which ${hostname} takes mail)` : renderMailbox(final);
}

function moreWords({ action, enhanced, class: bounceClass }: DsnRecipient): readonly string[] {
  if (action.kind === "failed") {
    const { happened, advice } = statusWords(enhanced, bounceClass);
    return ["", happened, advice];
  }
  if (action.kind !== "delayed") return [];
  const { until } = action;
  return [
    "",
    until === undefined
      ? "It will be tried again. If it cannot be delivered in the end, you get another mail."
      : `It will be tried until ${mailDate(until)}. If it cannot be delivered by then, you get another mail.`,
  ];
}
