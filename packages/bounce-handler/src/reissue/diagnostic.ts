// The Diagnostic-Code of a re-issued DSN, as much of the remote's reply as the policy lets through. Called by reissue.ts.
import type { BounceRecipient } from "../read/report.ts";
import type { Oracle } from "./oracle.ts";
import { enhancedCode } from "./outcome.ts";
import { isPlainWord } from "./plain-words.ts";

/** ADR 0013: nothing, the digits of the reply, or its common words, too. */
export type DiagnosticPolicy = "none" | "code" | "redacted";

const MAX_TEXT = 400;
const GAP = "[...]";

/** Undefined where there is nothing to say: no server spoke, or not in SMTP. */
export function diagnosticFor(
  policy: DiagnosticPolicy,
  { smtpReply }: BounceRecipient,
  oracle?: Oracle,
): string | undefined {
  if (policy === "none" || !smtpReply || !isReplyCode(smtpReply.code)) return undefined;
  const enhanced = enhancedCode(smtpReply.enhanced);
  const fits = enhanced?.startsWith(String(smtpReply.code).slice(0, 1)) === true;
  const code = `smtp; ${smtpReply.code}${fits ? ` ${enhanced}` : ""}`;
  const text = policy === "redacted" && oracle ? redacted(smtpReply.text, oracle) : undefined;
  return text === undefined ? code : `${code} ${text}`;
}

function isReplyCode(code: number): boolean {
  return Number.isInteger(code) && code >= 200 && code <= 599;
}

/** Only words that every mail server uses stay. Undefined where none does, or one of them is a secret. */
export function redacted(text: string, oracle: Oracle): string | undefined {
  const kept: string[] = [];
  for (const token of text.slice(0, MAX_TEXT).split(/\s+/)) {
    const word = token.replace(/^[("'<[]/, "").replace(/[)"'>\].,:;!?]$/, "");
    if (word === "") continue;
    if (isPlainWord(word)) kept.push(word);
    else if (kept.at(-1) !== GAP) kept.push(GAP);
  }
  if (kept.every((word) => word === GAP)) return undefined;
  const words = kept.join(" ");
  return oracle(words) === undefined ? words : undefined;
}
