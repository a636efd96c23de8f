// What came to an SRS address, judged by its content: a bounce to be returned, an automatic answer, or neither. Pure. Called by
// bounce-desk.ts at the end of DATA.
import { type BounceReport, NOT_A_BOUNCE } from "@homing/bounce-handler";
import type { Reply } from "@homing/mail";
import type { BounceSettings } from "./bounce-settings.ts";

export type Verdict =
  | { readonly kind: "return" }
  /** From a vacation program, or a notice of reading: a person may want it. It has the private address in it. */
  | { readonly kind: "answer" }
  | { readonly kind: "refuse"; readonly reply: Reply; readonly reason: string };

export interface Judged {
  readonly report: BounceReport;
  readonly octets: number;
  /** It has a sender of its own. */
  readonly isAnswer: boolean;
  readonly settings: Pick<BounceSettings, "autoReplies">;
}

const MAX_ANSWER_OCTETS = 256 * 1024;
const NO_ANSWERS: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "this address takes only bounces, and no automatic answers",
};
const TOO_LONG: Reply = {
  code: 552,
  enhanced: "5.3.4",
  text: "this address takes no automatic answers of more than 256 KiB",
};

export function verdictOf({ report, octets, isAnswer, settings }: Judged): Verdict {
  const { kind } = report;
  if (kind === "not-a-bounce") return { kind: "refuse", reply: NOT_A_BOUNCE, reason: kind };
  if (!isAnswer && (kind === "dsn" || kind === "bounce")) return { kind: "return" };
  if (settings.autoReplies === "refuse") return { kind: "refuse", reply: NO_ANSWERS, reason: kind };
  if (octets > MAX_ANSWER_OCTETS) return { kind: "refuse", reply: TOO_LONG, reason: "answer-too-long" };
  return { kind: "answer" };
}
