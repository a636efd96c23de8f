// The part of a DSN that a person reads: what happened, to which address, what to do. Called by compose-dsn.ts.
import { mailDate } from "@homing/mail";
import { renderMailbox } from "@homing/srs-core";
import type { Dsn, DsnAction, DsnRecipient } from "./dsn.ts";
import { statusWords } from "./status-words.ts";

type ActionKind = DsnAction["kind"];

/** From the worst to the best: the first that some recipient has decides about the subject. */
const SUBJECTS: readonly (readonly [ActionKind, string])[] = [
  ["failed", "Your mail was not delivered"],
  ["delayed", "Your mail is delayed"],
  ["expanded", "Your mail was passed on"],
  ["relayed", "Your mail was passed on"],
  ["delivered", "Your mail was delivered"],
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

export function subjectWords({ recipients }: Dsn): string {
  const found = SUBJECTS.find(([kind]) => recipients.some(({ action }) => action.kind === kind));
  return found?.[1] ?? "";
}

export function dsnWords(dsn: Dsn): string {
  return dsn.recipients.map((recipient) => paragraphs(recipient, dsn)).join("\r\n");
}

function paragraphs(recipient: DsnRecipient, { arrived, hostname }: Dsn): string {
  const { action, final, enhanced } = recipient;
  const [opening, end] = SENTENCES[action.kind];
  const address =
    final === "withheld" ? `(an address for which ${hostname} takes mail)` : renderMailbox(final);
  const mail = arrived === undefined ? "your mail to" : `your mail of ${mailDate(arrived)} to`;
  const lines = [
    `${opening}${mail}\r\n\r\n    ${address}\r\n\r\n${end}`,
    ...moreWords(recipient),
    "",
    `(Status ${enhanced}.)`,
    "",
  ];
  return lines.join("\r\n");
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
