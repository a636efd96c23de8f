// A problem of on-behalf as an SMTP reply: the codes that say what a client should do, and the words for the developer of the
// site. Called by site-policy.ts.
import type { SubmissionRefusal } from "@homing/forwarder";
import { PROBLEMS, type Problem, type ProblemType } from "@homing/on-behalf";
import { printable } from "@homing/srs-core";

/** RFC 5321 §4.5.3.1.5: a line has 512 octets. */
const MAX_WORDS = 400;

/** Those that are not `550 5.7.1`. */
const CODES: Partial<Readonly<Record<ProblemType, readonly [code: number, enhanced: string]>>> = {
  unavailable: [451, "4.3.0"],
  "too-many-recipients": [452, "4.5.3"],
  "sender-too-long": [553, "5.1.7"],
  "message-too-large": [552, "5.3.4"],
};

export function refusalOf({ type, detail, hint, retryAfter }: Problem): SubmissionRefusal {
  const isLimit = PROBLEMS[type].status === 429;
  const [code, enhanced] = CODES[type] ?? (isLimit ? ([450, "4.7.1"] as const) : ([550, "5.7.1"] as const));
  const wait = isLimit && retryAfter !== undefined ? ` (in ${retryAfter} seconds)` : "";
  const words = `${detail}${wait}${hint === undefined ? "" : `: ${hint}`}`;
  return {
    kind: "refuse",
    reason: type,
    reply: { code, enhanced, text: `${type}: ${printable(words, MAX_WORDS)}` },
  };
}
