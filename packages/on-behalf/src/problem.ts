// Why something is not done, as a value: the same for HTTP (RFC 9457), for SMTP and for the pages. Made by the files of this
// package; rendered by packages/http and by the submission for sites.

/** Each with its HTTP status and the title of RFC 9457 §3.1.3; docs/on-behalf.md lists them. */
export const PROBLEMS = {
  unauthorized: { status: 401, title: "The site key is missing or wrong" },
  "malformed-request": { status: 400, title: "The request cannot be read" },
  "invalid-field": { status: 422, title: "A field has a value that it cannot have" },
  "not-found": { status: 404, title: "There is no such thing" },
  "method-not-allowed": { status: 405, title: "That cannot be done with it" },
  "too-large": { status: 413, title: "The request is too large" },
  "unsupported-media-type": { status: 415, title: "The request is no JSON" },
  "profile-not-allowed": { status: 403, title: "The site may not send mail of this profile" },
  "identity-not-confirmed": { status: 403, title: "The user has not confirmed the address for this site" },
  "confirmation-pending": { status: 429, title: "A confirmation was mailed to this address today" },
  "return-url-not-allowed": { status: 422, title: "The site has no such page to return to" },
  "token-malformed": { status: 400, title: "The link is not whole" },
  "token-wrong": { status: 400, title: "The link is none of ours, or is for something else" },
  "token-expired": { status: 410, title: "The link is too old" },
  "token-used": { status: 410, title: "The link was used before" },
  "too-many-recipients": { status: 422, title: "The message has too many recipients" },
  "recipient-suppressed": { status: 422, title: "Mail to this recipient came back, or he does not want it" },
  "visitor-rules": { status: 422, title: "A visitor may only send a short note" },
  "from-not-permitted": {
    status: 422,
    title: "The user's domain does not let others write its address into From",
  },
  "sender-too-long": { status: 422, title: "The user's address does not fit into a return path" },
  "message-too-large": { status: 413, title: "The message is too large" },
  "limit-user": { status: 429, title: "The user has sent as much as one may in a day" },
  "limit-recipient": {
    status: 429,
    title: "The recipient had as much from this site as one may have in a day",
  },
  "limit-visitor": { status: 429, title: "As much was sent from this visitor's address as may be in a day" },
  "limit-links": { status: 429, title: "As many links were mailed as may be in a day" },
  "limit-site": { status: 429, title: "The site has done as much as it may in a day" },
  "idempotency-key-invalid": { status: 400, title: "The Idempotency-Key cannot be used" },
  "idempotency-conflict": { status: 409, title: "The Idempotency-Key belongs to another request" },
  "idempotency-under-way": { status: 409, title: "The request with this Idempotency-Key is under way" },
  unavailable: { status: 503, title: "It cannot be stored now" },
} as const satisfies Readonly<Record<string, { readonly status: number; readonly title: string }>>;

export type ProblemType = keyof typeof PROBLEMS;

export interface Problem {
  readonly type: ProblemType;
  /** What is wrong in this case, for the developer of the site. One sentence; nothing private of others in it. */
  readonly detail: string;
  /** Of the request, as a path: `to[1]`. */
  readonly field?: string;
  /** What to do. */
  readonly hint?: string;
  /** Seconds; of every limit. */
  readonly retryAfter?: number;
}

/** What is not done, and why. */
export interface Refused {
  readonly ok: false;
  readonly problem: Problem;
}

export function refused(
  type: ProblemType,
  detail: string,
  more: Omit<Problem, "type" | "detail"> = {},
): Refused {
  return { ok: false, problem: { type, detail, ...more } };
}
