// One block of a status part, with the words of the text about it: a recipient and what became of it. Called by judge.ts.
import { classify } from "./class-table.ts";
import { withoutComments } from "./content-type.ts";
import { type Effective, effectiveStatus } from "./effective-status.ts";
import { readable } from "./octet-text.ts";
import type { BounceAction, BounceClass, BounceRecipient } from "./report.ts";
import { findReply } from "./smtp-reply.ts";
import type { StatusBlock } from "./status-part.ts";
import { plainValue, typedAddress, typedValue } from "./typed-address.ts";

/** What the text says about an address, `""` for nothing. */
export type WordsAbout = (address: string) => string;

const MAX_STATUS = 100;
const MAX_DIAGNOSTIC = 2048;
/** RFC 3464 §2.3.3; and words that some peers write instead. */
const ACTIONS: Readonly<Record<string, BounceAction>> = {
  failed: "failed",
  failure: "failed",
  fail: "failed",
  delayed: "delayed",
  delay: "delayed",
  delivered: "delivered",
  relayed: "relayed",
  expanded: "expanded",
};

export function statusRecipient(block: StatusBlock, wordsAbout: WordsAbout): BounceRecipient {
  const finalRecipient = typedAddress(block.get("final-recipient"));
  const originalRecipient = typedAddress(block.get("original-recipient"));
  const action = parseAction(block.get("action"));
  const status = block.get("status");
  const diagnostic = diagnosticOf(block.get("diagnostic-code"));
  // What the remote server said is there: the text repeats it.
  const isTold = action === "failed" && diagnostic !== undefined && findReply(diagnostic) !== undefined;
  const words = isTold ? "" : wordsAbout(finalRecipient ?? "") || wordsAbout(originalRecipient ?? "");
  const found = effectiveStatus({
    action,
    status,
    diagnostic,
    words,
    willRetry: block.has("will-retry-until"),
  });
  const kind = classOf(action, found, `${diagnostic ?? ""} ${words}`);
  return {
    finalRecipient,
    originalRecipient,
    action,
    status: status === undefined ? undefined : readable(status, MAX_STATUS),
    effectiveStatus: found.status,
    final: found.final,
    class: kind.class,
    diagnostic: diagnostic === undefined ? undefined : readable(diagnostic, MAX_DIAGNOSTIC),
    smtpReply: found.reply,
    remoteMta: plainValue(block.get("remote-mta")),
    evidence: `Action: ${action ?? "none"}; status from ${found.source}${found.expired ? ", expired" : ""}; class by ${kind.row}`,
  };
}

/** The first word: Sendmail adds a comment, `relayed (to non-DSN-aware mailer)`; others quotes, or a second word. */
export function parseAction(field: string | undefined): BounceAction | undefined {
  // Linear: one class.
  const word = /[a-z]+/.exec(withoutComments(field ?? "").toLowerCase())?.[0] ?? "";
  return Object.hasOwn(ACTIONS, word) ? ACTIONS[word] : undefined;
}

function diagnosticOf(field: string | undefined): string | undefined {
  const value = field === undefined ? "" : typedValue(field).value;
  return value === "" ? undefined : value;
}

function classOf(
  action: BounceAction | undefined,
  { status, reply, final }: Effective,
  text: string,
): { readonly class: BounceClass; readonly row: string } {
  const isSuccess =
    action === undefined ? status?.startsWith("2") : action !== "failed" && action !== "delayed";
  if (isSuccess) return { class: "success", row: "action" };
  if (!final) return { class: "delay", row: "action" };
  return classify({ status, replyCode: reply?.code, text });
}
