// What a pipe asks over the readsocket, and what the one line of the answer means. Called by `homing pipe`, whose user must not
// read the secret.
import { parseMailbox, parseReversePath, renderReversePath } from "@homing/srs-core";

export type RewritingAnswer =
  | { readonly kind: "rewritten"; readonly sender: string }
  /** A domain of the site's own, an SRS address of its own, a user without a domain. */
  | { readonly kind: "as-it-is" }
  /** It should have been rewritten, and never can be. */
  | { readonly kind: "unfit"; readonly why: string }
  /** Not now, or not before somebody has mended what is set up wrongly. */
  | { readonly kind: "later"; readonly why: string }
  /** What came is no answer: somebody else is there. */
  | { readonly kind: "wrong"; readonly why: string };

const ANSWER = /^(OK|NOTFOUND|TEMP|PERM)(?: (.*))?$/;
const MAX_WORDS = 200;

/** With its LF. The alias is named where it is an address that fits: strong tags tell then what a bounce is about. */
export function renderRewritingQuestion(sender: string, alias: string | undefined): string {
  const named = alias !== undefined && parseMailbox(alias).ok;
  return named ? `forward-alias ${alias} ${sender}\n` : `forward ${sender}\n`;
}

/** @param text everything that came until the end */
export function parseRewritingAnswer(text: string): RewritingAnswer {
  const line = text.replace(/\r?\n$/, "");
  // A daemon that is stopped half way: half an address may look like one.
  if (line === text) return { kind: "later", why: "its answer broke off" };
  const [, word, rest = ""] = ANSWER.exec(line) ?? [];
  if (word === "OK") return rewritten(rest);
  if (word === "NOTFOUND") return { kind: "as-it-is" };
  if (word === "TEMP") return { kind: "later", why: printable(rest) };
  if (word === "PERM") return { kind: "unfit", why: printable(rest) };
  return { kind: "wrong", why: `it said: ${printable(line)}` };
}

/** It becomes an argument of a program: nothing but an address does. */
function rewritten(value: string): RewritingAnswer {
  const parsed = parseReversePath(value);
  if (!parsed.ok || value === "") return { kind: "wrong", why: `no sender: ${printable(value)}` };
  return { kind: "rewritten", sender: renderReversePath(parsed.reversePath) };
}

function printable(text: string): string {
  return text.slice(0, MAX_WORDS).replace(/[^ -~]/g, "?");
}
