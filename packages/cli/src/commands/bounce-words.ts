// What a bounce says, in words for a person at a terminal. Pure. Called by bounce.ts.
import type { BounceKind, BounceRecipient, BounceReport, Reissued } from "@homing/bounce-handler";
import { safe } from "../terminal-text.ts";

const MAX_DIAGNOSTIC = 500;
const KINDS: Readonly<Record<BounceKind, string>> = {
  dsn: "a delivery status notification (RFC 3464)",
  bounce: "a bounce in free text",
  "auto-reply": "an automatic reply",
  arf: "a report of abuse (RFC 5965)",
  mdn: "a read receipt (RFC 8098)",
  "not-a-bounce": "no bounce",
};

export function reportLines(report: BounceReport): readonly string[] {
  const { kind, reportingMta, originalEnvelopeId, arrivalDate, truncated, recipients } = report;
  return [
    `this is      ${KINDS[kind]}`,
    ...line("reported by", reportingMta),
    ...line("envelope id", originalEnvelopeId),
    ...line("arrived", arrivalDate),
    ...(truncated ? ["note         a limit was reached: what follows may not be all"] : []),
    ...recipients.flatMap(recipientLines),
  ];
}

function recipientLines(one: BounceRecipient): readonly string[] {
  const { effectiveStatus, status } = one;
  const reported = status !== undefined && status !== effectiveStatus ? ` (reported as ${safe(status)})` : "";
  return [
    `recipient    ${one.finalRecipient === undefined ? "(not named)" : safe(one.finalRecipient)}`,
    ...line("  sent to", one.originalRecipient),
    `  outcome    ${one.class}, ${one.final ? "final" : "not final"}`,
    ...line("  action", one.action),
    ...(effectiveStatus === undefined ? [] : [`  status     ${safe(effectiveStatus)}${reported}`]),
    ...line("  server", one.remoteMta),
    ...line("  said", one.diagnostic, MAX_DIAGNOSTIC),
    ...line("  known by", one.evidence, MAX_DIAGNOSTIC),
  ];
}

function line(name: string, text: string | undefined, limit?: number): readonly string[] {
  return text === undefined ? [] : [`${name.padEnd(13)}${safe(text, limit)}`];
}

type WhyNothing = Extract<Reissued, { kind: "nothing" }>["why"];

const NOTHING: Readonly<Record<WhyNothing, string>> = {
  "not-a-bounce": "this is no bounce: nothing is returned",
  "auto-reply": "this is an automatic reply, not a failure: nothing is returned",
  arf: "this is a report of abuse, not a failure: nothing is returned",
  mdn: "this is a read receipt, not a failure: nothing is returned",
  "no-outcome": "it does not say what became of the message: see homing bounce parse for what could be read",
  "not-asked": "the original sender did not ask to be told (NOTIFY): nothing is returned",
};

/** Why the original sender is told nothing of it. */
export function nothingWords(why: WhyNothing): string {
  return NOTHING[why];
}
