// Who sent a message that a program got on its standard input: what the local delivery says, by the best of the ways in which it
// can say so. Called by `homing pipe`.
import type { Conventions } from "./conventions.ts";
import type { LetterTop } from "./letter-top.ts";

export type PipeSender =
  /** "" is the null sender. */
  | { readonly kind: "sender"; readonly sender: string }
  | { readonly kind: "unknown" }
  /** Nobody can have said so in SMTP. */
  | { readonly kind: "malformed" };

export interface PipeSenderAsked {
  /** The value of `-f`. */
  readonly option: string | undefined;
  /** The variable SENDER, of qmail, Postfix and Courier. */
  readonly variable: string | undefined;
  readonly conventions: Conventions;
  readonly top: Pick<LetterTop, "fromLine" | "returnPath">;
}

/** What is written for the null sender. The last is qmail's for a bounce of a bounce, which must not bounce again either. */
const NULL_SENDERS = ["", "<>", "#@[]"];
/** It goes over the socket in one line, and into an argument. */
const CONTROL = /\p{Cc}/u;
/** Beyond RFC 5321 §4.5.3.1.3: what is no path is not asked about. */
const MAX_SENDER = 512;

export function pipeSender({ option, variable, conventions, top }: PipeSenderAsked): PipeSender {
  const onTop = top.returnPath ?? top.fromLine;
  // Postfix puts `_` for many characters in a variable (command_expansion_filter): o'brien would be o_brien. qmail puts nothing
  // on top, so that there it is the sender's own text.
  const said = option ?? (conventions === "qmail" ? (variable ?? onTop) : (onTop ?? variable));
  if (said === undefined) return { kind: "unknown" };
  if (NULL_SENDERS.includes(said)) return { kind: "sender", sender: "" };
  const sender = said.startsWith("<") && said.endsWith(">") ? said.slice(1, -1) : said;
  if (CONTROL.test(sender) || sender.length > MAX_SENDER) return { kind: "malformed" };
  return { kind: "sender", sender };
}
