// The replies that smtp-server makes by itself, as they should be (RFC 5321 §4.2, RFC 3463, and the registry of RFC
// 5248). Called by session.ts for each reply of the library; which ones there are, a table in smtp-in-replies.test.ts drives.
import type { Reply } from "@homing/mail";

export const GO_ON: Reply = { code: 354, enhanced: "", text: "End data with <CR><LF>.<CR><LF>" };
const SENDER_TAKEN: Reply = { code: 250, enhanced: "2.1.0", text: "Accepted" };
const RECIPIENT_TAKEN: Reply = { code: 250, enhanced: "2.1.5", text: "Accepted" };

/** Those of every message, by the library's name for the occasion. */
export function usualReply(occasion: string | false | undefined): Reply | undefined {
  if (occasion === "MAIL_FROM_OK") return SENDER_TAKEN;
  return occasion === "RCPT_TO_OK" ? RECIPIENT_TAKEN : undefined;
}

/** In lower case, of the start of the library's text. The first that fits. */
const REPLIES: readonly [start: string, reply: Reply][] = [
  ["server shutting down", { code: 421, enhanced: "4.3.2", text: "shutting down" }],
  ["command line too long", { code: 421, enhanced: "4.5.2", text: "the command line is too long" }],
  ["timeout", { code: 421, enhanced: "4.4.2", text: "timeout: too slow" }],
  ["internal server error", { code: 451, enhanced: "4.3.0", text: "local error, try again later" }],
  // We verify nothing, so nothing is said about the address.
  ["try to send something", { code: 252, enhanced: "2.0.0", text: "send mail to it, and you will see" }],
  ["not allowed", { code: 550, enhanced: "5.7.0", text: "not for you" }],
  [
    "message exceeds fixed",
    { code: 552, enhanced: "5.3.4", text: "the message is larger than this server takes" },
  ],
];

/** What RFC 5321 §4.2.4 calls recognized but not implemented. Everything else is 500. */
const NOT_IMPLEMENTED = new Set(
  "AUTH BDAT BURL EXPN ETRN HELP LHLO SAML SEND SOML STARTTLS TURN ATRN".split(" "),
);
const UNKNOWN: Reply = { code: 500, enhanced: "5.5.2", text: "command not recognized" };
const NOT_HERE: Reply = { code: 502, enhanced: "5.5.1", text: "command not implemented" };

/** @returns nothing where the library's own is right */
export function replyInstead(text: string, verb: string): Reply | undefined {
  const start = text.toLowerCase();
  if (start.startsWith("command not recognized")) return NOT_IMPLEMENTED.has(verb) ? NOT_HERE : UNKNOWN;
  return REPLIES.find(([library]) => start.startsWith(library))?.[1];
}

/** Postfix's smtpd_forbidden_commands: a web browser that was led here, or what is no SMTP at all. */
export function isForbiddenVerb(verb: string): boolean {
  return verb !== "" && (HTTP_VERBS.has(verb) || !/^[A-Z]/.test(verb));
}

const HTTP_VERBS = new Set("CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE".split(" "));
