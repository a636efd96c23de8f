// What a bounce says about an alias: the worst of what it says about anybody, in codes alone. Called by reissue.ts. RFC 3463.
import type { DsnAction } from "../compose/dsn.ts";
import type { BounceRecipient, BounceReport } from "../read/report.ts";

export interface Outcome {
  readonly action: DsnAction["kind"];
  /** Fits the action. */
  readonly enhanced: string;
  /** Whose words they were. */
  readonly recipient: BounceRecipient;
}

/** From the worst to the best. */
const RANKS: readonly DsnAction["kind"][] = ["failed", "delayed", "expanded", "relayed", "delivered"];

/** A bounce that names nobody: some mail failed, and the SRS address says which. */
const SOMEBODY: BounceRecipient = {
  finalRecipient: undefined,
  originalRecipient: undefined,
  action: undefined,
  status: undefined,
  effectiveStatus: undefined,
  final: true,
  class: "hard",
  diagnostic: undefined,
  smtpReply: undefined,
  remoteMta: undefined,
  evidence: "it names nobody",
};

/** Undefined where it says nothing about anybody. */
export function worstOutcome({ kind, recipients }: BounceReport): Outcome | undefined {
  if (kind === "bounce" && recipients.length === 0)
    return { action: "failed", enhanced: statusOf(SOMEBODY, "failed"), recipient: SOMEBODY };
  let worst: Outcome | undefined;
  for (const recipient of recipients) {
    const action = actionOf(recipient);
    if (action === undefined) continue;
    if (worst && RANKS.indexOf(worst.action) <= RANKS.indexOf(action)) continue;
    worst = { action, enhanced: statusOf(recipient, action), recipient };
  }
  return worst;
}

function actionOf(recipient: BounceRecipient): DsnAction["kind"] | undefined {
  switch (recipient.class) {
    case "auto-reply":
    case "not-a-bounce":
      return undefined;
    case "success":
      return isSuccess(recipient.action) ? recipient.action : "relayed";
    default:
      return recipient.final ? "failed" : "delayed";
  }
}

function isSuccess(action: DsnAction["kind"] | undefined): action is "delivered" | "relayed" | "expanded" {
  return action === "delivered" || action === "relayed" || action === "expanded";
}

/** RFC 3464 §2.3.4: the class goes with the action. A failure may have a 4: it was given up. */
function statusOf({ effectiveStatus, status }: BounceRecipient, action: DsnAction["kind"]): string {
  const [code = "", subject = "0", detail = "0"] = codesOf(effectiveStatus ?? status) ?? [];
  const rest = `${subject}.${detail}`;
  if (action === "failed") return code === "4" ? `4.${rest}` : code === "5" ? `5.${rest}` : "5.0.0";
  if (action === "delayed") return code === "2" ? "4.0.0" : `4.${rest}`;
  return code === "2" ? `2.${rest}` : "2.0.0";
}

/** As `5.1.1`; undefined where it is none. */
export function enhancedCode(text: string | undefined): string | undefined {
  return codesOf(text)?.join(".");
}

/** Only what RFC 3463 §2 knows and the registry may come to have: in free digits somebody's number could travel. */
function codesOf(text = ""): readonly string[] | undefined {
  const match = /^([245])\.(\d{1,3})\.(\d{1,3})$/.exec(text.trim());
  if (!match) return undefined;
  const [, code = "", subject = "", detail = ""] = match;
  if (Number(subject) > 7) return [code, "0", "0"];
  return [code, String(Number(subject)), Number(detail) > 99 ? "0" : String(Number(detail))];
}
