// What users read of problems and of what became of their mail: what happened, and what to do. Called by pages.ts.
import type { Problem, SentMessage } from "./homing-api.ts";

/** By the type of the problem. Its own words (`detail`) are for the developer, and in the log. */
const WORDS: Readonly<Record<string, string>> = {
  "identity-not-confirmed":
    "We may not send mail for you now: your address is not confirmed for this site, or you took that back.",
  "confirmation-pending":
    "There is one link a day, and yours was mailed already. If you have not used it, look into your mailbox, and into the folder for junk mail.",
  "recipient-suppressed":
    "Nothing more can be sent to this address from here: mail to it came back, or its owner does not want any.",
  "limit-user": "You have sent as many articles as one may in a day.",
  "limit-recipient": "This person had enough mail from this site for today.",
  "limit-site": "This site has sent as much mail as it may in a day.",
  "idempotency-conflict":
    "This form was sent before, with something else in it. That one has left; press Send again if this one should go, too.",
  "idempotency-under-way": "This article is being sent right now. Look at “Your mail” in a moment.",
  "sender-too-long": "Your e-mail address is too long to be used here.",
  "message-too-large": "Your note is too long.",
  unavailable: "The mail server cannot take mail now. Nothing was sent.",
  unreachable:
    "The mail server does not answer. If you have just sent something, try again with the same form: it leaves only once.",
};

const TO_WORDS = "This is no e-mail address that mail can be sent to. Write it as bob@elsewhere.example.";
const OTHER_WORDS = "The mail server refused this, and the fault is ours, not yours. Nothing was sent.";

export function plainWords(problem: Problem): string {
  const wrongAddress = problem.type === "invalid-field" && fieldOf(problem) === "to";
  const words = wrongAddress ? TO_WORDS : (WORDS[problem.type] ?? OTHER_WORDS);
  return problem.retryAfter === undefined ? words : `${words} Try again in ${duration(problem.retryAfter)}.`;
}

/** The field of our form that is to be changed. */
export function fieldOf({ field, type }: Problem): "to" | "note" | undefined {
  if (type === "message-too-large") return "note";
  if (type === "recipient-suppressed" || type === "limit-recipient") return "to";
  if (field === undefined) return undefined;
  return field === "to" || field.startsWith("to[") ? "to" : field === "text" ? "note" : undefined;
}

function duration(seconds: number): string {
  if (seconds < 90) return "a minute";
  if (seconds < 90 * 60) return `${Math.ceil(seconds / 60)} minutes`;
  return `${Math.ceil(seconds / 3600)} hours`;
}

type Status = SentMessage["recipients"][number]["status"];

export const STATUS_WORDS: Readonly<Record<Status, string>> = {
  queued: "On its way",
  delivered: "Arrived at the recipient’s mail server",
  failed: "Could not be delivered",
  bounced: "Came back",
};
