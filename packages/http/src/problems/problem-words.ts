// What each problem of the API means, and what the developer of a web site does about it; with the example that the OpenAPI
// document shows. Called by problems.ts and by openapi.ts.
import type { Problem, ProblemType } from "@homing/on-behalf";

export interface ProblemWords {
  readonly meaning: string;
  /** What to do. */
  readonly advice: string;
  readonly example: Omit<Problem, "type">;
}

const TOMORROW = "Try again when the time in Retry-After is over, and not before: it does not help.";
const NEW_LINK = "The user can ask the site for a new link.";

export const PROBLEM_WORDS: Readonly<Record<ProblemType, ProblemWords>> = {
  unauthorized: {
    meaning:
      "Every request for a site needs the site's key, and no site has the one that came, or none came.",
    advice:
      "Send the field Authorization: Bearer KEY. The key is in the file that keysFile of the site names. Never put it into " +
      "a URL or into a page: who has it sends mail as the site.",
    example: {
      detail: "There is no field Authorization",
      hint: "send the field Authorization: Bearer KEY, with the key of the site",
    },
  },
  "malformed-request": {
    meaning:
      "The body is no JSON, is not UTF-8, has a member twice or is nested too deep; or the URL is broken.",
    advice: "Have a library write the JSON and escape the parts of the URL.",
    example: {
      detail: "The body is not JSON",
      hint: "have a library write it: JSON.stringify, json.dumps, json_encode",
    },
  },
  "invalid-field": {
    meaning:
      "One field has a value that it cannot have, is missing, or is not known. The answer names it. Line breaks and other " +
      "control characters are refused in all that stands in the header of a mail.",
    advice: "Look up the field in /v1/openapi.json. If a user typed the value, show him what is wrong.",
    example: {
      detail: "address must be a string",
      field: "address",
      hint: "it is a number: look it up in /v1/openapi.json",
    },
  },
  "not-found": {
    meaning:
      "The path is none of the API, or what it names does not exist, does not any more, or is of another site.",
    advice: "Look at the id. Messages are kept for some weeks, and then forgotten.",
    example: { detail: "There is no such thing of this site" },
  },
  "method-not-allowed": {
    meaning: "The path exists, and the method cannot be used on it.",
    advice: "Use one of those in the field Allow of the answer.",
    example: { detail: "This path does not take this method", hint: "it takes GET, HEAD, OPTIONS" },
  },
  "too-large": {
    meaning: "The body of a request may have 512 KiB, and not more.",
    advice: "Send less. Attachments are not taken: send a link instead.",
    example: { detail: "The body has more than 512 KiB", hint: "send less, and a link to the rest" },
  },
  "unsupported-media-type": {
    meaning: "The API takes JSON in UTF-8 alone, and not compressed.",
    advice: "Send the field Content-Type: application/json, and no Content-Encoding.",
    example: {
      detail: "The body is not declared as JSON in UTF-8",
      field: "Content-Type",
      hint: "send the field Content-Type: application/json",
    },
  },
  "profile-not-allowed": {
    meaning: "The site may send mail of some profiles only, and not of the one that was asked for.",
    advice: "Ask who runs this server to add it to profiles of the site.",
    example: { detail: "The site has no profile on-behalf", field: "profile" },
  },
  "identity-not-confirmed": {
    meaning:
      "Mail in somebody's name needs his permission, given to this site. He has not given it, has taken it back, or has not " +
      "used it for 180 days.",
    advice: "Ask for it with POST /v1/identities, and tell the user to look into his mail.",
    example: {
      detail: "The address is not confirmed for this site",
      field: "onBehalfOf",
      hint: "ask the user with POST /v1/identities",
    },
  },
  "confirmation-pending": {
    meaning:
      "One mail that asks for a confirmation goes to an address in a day, whichever site asks, so that nobody is flooded.",
    advice:
      "Tell the user to look into his mail, also among the advertising. Try again when the time in Retry-After is over.",
    example: {
      detail: "A confirmation was mailed to this address today",
      field: "address",
      hint: "the user finds the link in that mail",
      retryAfter: 86_400,
    },
  },
  "return-url-not-allowed": {
    meaning:
      "Users are sent back only to pages that the settings of the site list, so that no link here leads elsewhere.",
    advice: "Use a URL that begins with one of returnUrls of the site, or have it added.",
    example: { detail: "The URL begins with none of the site's returnUrls", field: "returnUrl" },
  },
  "token-malformed": {
    meaning: "The link, or the token in it, is not whole: mail programs break long links.",
    advice: "The user copies all of the link out of the mail.",
    example: { detail: "The token is cut off" },
  },
  "token-wrong": {
    meaning: "The token is signed with no key of this server, was changed, or is for another purpose.",
    advice: "Use tokens for what they were made for. Links are not made by sites.",
    example: { detail: "The signature of the token is not right" },
  },
  "token-expired": {
    meaning:
      "A link that confirms an address is good for 24 hours, a link at the foot of a message for 180 days.",
    advice: NEW_LINK,
    example: { detail: "The token has expired" },
  },
  "token-used": {
    meaning: "A link that confirms an address does so once.",
    advice: `If the address is not confirmed, something else was: see GET /v1/identities. ${NEW_LINK}`,
    example: { detail: "The token was used before" },
  },
  "too-many-recipients": {
    meaning: "One message may have a few recipients only (5, unless the settings of the site say otherwise).",
    advice: "Let the user choose fewer. This is not the way to send a newsletter.",
    example: { detail: "The message has 6 recipients; 5 are allowed", field: "to" },
  },
  "recipient-suppressed": {
    meaning:
      "Mail to this recipient came back for good, the site suppressed it, or the recipient wants no mail. Nothing was sent, " +
      "to nobody of this message.",
    advice:
      "Leave the recipient out. See GET /v1/suppressions: one of reason bounce or manual the site can take away; what the " +
      "recipient wants, he alone can change.",
    example: { detail: "Mail to this recipient is suppressed", field: "to[0]" },
  },
  "visitor-rules": {
    meaning:
      "Somebody who is not logged in may send a short note: up to 1,000 characters of text, no HTML, no links, and the IP " +
      "address of the browser has to be given as visitorIp.",
    advice: "Shorten it, or let the user log in and ask for an identity of scope user.",
    example: { detail: "A visitor's text has no links", field: "text" },
  },
  "from-not-permitted": {
    meaning:
      "The request asks for fromMode user, and a DMARC record of the user's domain says that mail which others send with its " +
      "addresses in From is to be refused.",
    advice: "Use fromMode auto or site: the site's address stands in From, and the user's in Reply-To.",
    example: {
      detail: "DMARC of example.org lets nobody else write its addresses into From",
      field: "fromMode",
      hint: "use auto or site",
    },
  },
  "sender-too-long": {
    meaning: "The user's address is so long that no return path can be made of it that a mail server takes.",
    advice: "Let the user confirm a shorter address.",
    example: { detail: "The address has no room in a local part of 64 octets", field: "onBehalfOf" },
  },
  "message-too-large": {
    meaning: "A text may have 100,000 characters, and HTML 200,000.",
    advice: "Send less, and a link to the rest.",
    example: { detail: "The text has more than 100,000 characters", field: "text" },
  },
  "limit-user": {
    meaning: "A user may send some messages in 24 hours (20, unless the settings of the site say otherwise).",
    advice: TOMORROW,
    example: { detail: "The user has sent 20 messages in 24 hours", retryAfter: 3600 },
  },
  "limit-recipient": {
    meaning:
      "A recipient gets a few messages from a site in 24 hours (3, unless the settings of the site say otherwise).",
    advice: TOMORROW,
    example: { detail: "The recipient had 3 messages in 24 hours", field: "to[0]", retryAfter: 3600 },
  },
  "limit-visitor": {
    meaning: "From one IP address (IPv6: a /64 network) visitors may send some messages in 24 hours.",
    advice: `${TOMORROW} Look whether visitorIp is the browser's address, and not that of your own proxy.`,
    example: {
      detail: "20 messages came from this address in 24 hours",
      field: "visitorIp",
      retryAfter: 3600,
    },
  },
  "limit-site": {
    meaning:
      "A site may send so many messages in 24 hours as its settings say, have so many confirmations mailed, and suppress " +
      "10,000 recipients.",
    advice: `${TOMORROW} Ask who runs this server for more, if that was no mistake and nobody misuses your site.`,
    example: { detail: "The site has sent 10,000 messages in 24 hours", retryAfter: 3600 },
  },
  "idempotency-key-invalid": {
    meaning: "An Idempotency-Key has 1 to 256 printable characters of ASCII.",
    advice: "Make a random one for each message, as a UUID, and keep it until you have an answer.",
    example: { detail: "The key has more than 256 characters", field: "Idempotency-Key" },
  },
  "idempotency-conflict": {
    meaning: "With this key another message was sent within 24 hours. Nothing was sent now.",
    advice: "Use a new key for a new message, and the same message with the same key.",
    example: { detail: "The key was used with another request", field: "Idempotency-Key" },
  },
  "idempotency-under-way": {
    meaning: "The request with this key has come twice at the same time, and the first has no answer yet.",
    advice: "Send it again in a second: the answer will be that of the first.",
    example: {
      detail: "The request with this key is under way",
      field: "Idempotency-Key",
      retryAfter: 1,
    },
  },
  "limit-links": {
    meaning:
      "Of links to see and end what is sent, 10 a day are mailed to those who ask from one network, and 1,000 altogether.",
    advice: `${TOMORROW} The link at the foot of a mail that came does the same.`,
    example: { detail: "No more links are mailed today", retryAfter: 3600 },
  },
  unavailable: {
    meaning:
      "The disk of this server is full or fails. What was asked for was not done, or it is not known whether it was.",
    advice:
      "Send the same request again when the time in Retry-After is over; a message with the same Idempotency-Key, so that it " +
      "goes out once.",
    example: { detail: "It cannot be stored now", retryAfter: 10 },
  },
};
