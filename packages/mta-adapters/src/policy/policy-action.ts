// What Postfix is told to do, as access(5) has it. Never OK: that would let the recipient in, whatever stands behind us in the
// list of restrictions. Made by policy.ts.
import { type Reply, renderReply } from "@homing/mail";

export type PolicyAction =
  | { readonly kind: "dunno" }
  /** Of one line. */
  | { readonly kind: "prepend"; readonly field: string }
  | { readonly kind: "reply"; readonly reply: Reply };

export const DUNNO: PolicyAction = { kind: "dunno" };

/** Of a header field (RFC 5322 §2.1.1), and longer than every reply. */
const MAX_LINE = 998;

/**
 * One line, whatever HELO, sender and DNS hold: a line end in it would end the answer, and begin one of a stranger's. Nothing
 * but ASCII: without SMTPUTF8 a reply has no other, and a field neither.
 */
export function renderPolicyAction(action: PolicyAction): string {
  return `action=${wordsOf(action)
    .replace(/[^\x20-\x7e]/g, "?")
    .slice(0, MAX_LINE)}\n\n`;
}

function wordsOf(action: PolicyAction): string {
  switch (action.kind) {
    case "dunno":
      return "DUNNO";
    case "prepend":
      return `PREPEND ${action.field}`;
    case "reply":
      // Not DEFER_IF_PERMIT for 4xx: Postfix would answer 450, and RFC 7208 §8.6 asks for 451.
      return renderReply(action.reply);
  }
}
