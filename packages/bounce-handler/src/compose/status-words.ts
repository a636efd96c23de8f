// What a status code means, in words for the person who gets a DSN: what happened, and what to do. It is about what lies behind
// an alias: the address that he wrote was right, and he knows no other. Called by dsn-words.ts and folded-notice.ts. RFC 3463
// and the IANA registry of enhanced status codes.
import type { BounceClass } from "../read/report.ts";

export interface StatusWords {
  readonly happened: string;
  readonly advice: string;
}

const TELL_OWNER = "Tell the owner of the address by other means.";

const RULE: StatusWords = {
  happened: "The message was refused by a rule of the server.",
  advice: "If it was no mistake of yours, tell the owner of the address by other means.",
};

/** By subject and detail, then by subject; the class says only whether it is over. */
const WORDS: Readonly<Record<string, StatusWords>> = {
  "1.1": {
    happened: "The mailbox behind this address does not exist, or no longer exists.",
    advice: TELL_OWNER,
  },
  "1.2": { happened: "The place that the mail goes on to does not exist.", advice: TELL_OWNER },
  "1.3": { happened: "The place that the mail goes on to has no valid address.", advice: TELL_OWNER },
  "1.6": { happened: "The mailbox behind this address has moved.", advice: TELL_OWNER },
  "1.10": { happened: "The place that the mail goes on to takes no mail.", advice: TELL_OWNER },
  "2.1": { happened: "The mailbox behind this address is closed.", advice: TELL_OWNER },
  "2.2": {
    happened: "The mailbox is full.",
    advice: "Send it again later, or tell its owner by other means.",
  },
  "3.4": { happened: "The message is too large.", advice: "Send it without large attachments, or in parts." },
  "2.3": {
    happened: "The message is too large for this mailbox.",
    advice: "Send it without large attachments.",
  },
  "4.1": {
    happened: "The server of the mailbox did not answer.",
    advice: "Send it again later, or tell the owner of the address by other means.",
  },
  "4.6": { happened: "The mail went in a circle.", advice: TELL_OWNER },
  "4.7": {
    happened: "The mail could not be delivered for too long.",
    advice: "Send it again later, or tell the owner of the address by other means.",
  },
  "6.3": {
    happened: "The message is in a form that the next server does not take.",
    advice: "Send it as plain text without special characters.",
  },
  "6.7": {
    happened: "The message uses international addresses, which the next server does not take.",
    advice: "Send it from an address of plain letters.",
  },
  "7.26": {
    happened: "The next server could not make sure that the mail is from you.",
    advice: "Ask whoever runs your mail about SPF, DKIM and DMARC, and show this status.",
  },
  "1": { happened: "The next server did not accept an address of the message.", advice: TELL_OWNER },
  "2": { happened: "The mailbox did not take the message.", advice: "Tell its owner by other means." },
  "3": {
    happened: "The server of the mailbox has trouble.",
    advice: "Send it again later, or tell the owner of the address by other means.",
  },
  "4": {
    happened: "The server of the mailbox could not be reached.",
    advice: "Send it again later, or tell the owner of the address by other means.",
  },
  "6": {
    happened: "The message is in a form that was not accepted.",
    advice: "Send it in a simpler form, as plain text.",
  },
  "7": RULE,
};

/** Where the status has no more to say than that it failed, or that a rule was against it. */
const CLASS_WORDS: Partial<Readonly<Record<BounceClass, StatusWords>>> = {
  spam: {
    happened: "The message was taken for spam.",
    advice: "If it is none, send it in other words, or tell the owner of the address by other means.",
  },
  policy: RULE,
  soft: {
    happened: "The server of the mailbox could not take the message for now, and it is not tried any more.",
    advice: "Send it again later, or tell the owner of the address by other means.",
  },
};

const OTHER: StatusWords = {
  happened: "The mailbox behind this address did not take the message.",
  advice: TELL_OWNER,
};

/** @param enhanced as `5.1.1` */
export function statusWords(enhanced: string, bounceClass?: BounceClass): StatusWords {
  const [, subject = "", detail = ""] = enhanced.split(".");
  const ofClass = bounceClass && (subject === "0" || subject === "7") ? CLASS_WORDS[bounceClass] : undefined;
  return WORDS[`${subject}.${detail}`] ?? ofClass ?? WORDS[subject] ?? OTHER;
}
