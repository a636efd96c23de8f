// What is to be changed of a message, all of it known before the first change is written. Called by session.ts at the end of
// the message.
import { parseMailbox, renderMailbox, renderReversePath } from "@homing/srs-core";
import type { SenderVerdict } from "../senders/sender-checks.ts";
import type { Change } from "./answers.ts";
import { strangerOf } from "./judge-recipient.ts";
import { type Accepted, foreignSender, type Message } from "./message.ts";
import type { MilterOptions } from "./milter-options.ts";
import type { Agreed } from "./negotiation.ts";
import { shownPath } from "./path.ts";

export interface Changes {
  /** In the order in which they are to be made. */
  readonly all: readonly Change[];
  /** For the log; "" where it stays. */
  readonly newSender: string;
  readonly recipients: readonly { readonly recipient: string; readonly newRecipient: string }[];
}

export async function changesOf(options: MilterOptions, agreed: Agreed, message: Message): Promise<Changes> {
  const newSender = message.accepted.some(({ leaves }) => leaves) ? await rewritten(options, message) : "";
  const unwrapped = message.accepted.flatMap(({ path, unwrapped: to }) =>
    to ? [{ path, newRecipient: renderMailbox(to) }] : [],
  );
  const sender: Change[] = newSender === "" ? [] : [{ kind: "sender", sender: newSender }];
  return {
    newSender,
    recipients: unwrapped.map(({ path, newRecipient }) => ({ recipient: shownPath(path), newRecipient })),
    all: [
      ...sender,
      ...unwrapped.map(({ path }): Change => ({ kind: "delete-recipient", path })),
      ...[...new Set(unwrapped.map(({ newRecipient }) => newRecipient))].map(
        (recipient): Change => ({ kind: "add-recipient", recipient }),
      ),
      ...(agreed.mayAddHeaders ? fields(message.accepted) : []),
    ],
  };
}

async function rewritten(options: MilterOptions, message: Message): Promise<string> {
  const sender = foreignSender(message, options);
  if (sender === undefined || sender === "unreadable") return "";
  const outcome = await options.rewriter.forward(sender, options.now(), {
    ...contextOf(message.accepted),
    network: strangerOf({ options, message }),
  });
  if (!outcome.ok)
    throw new Error(`a sender that could be rewritten at RCPT cannot be now: ${outcome.message}`);
  return outcome.rewritten ? renderReversePath(outcome.sender) : "";
}

/** One sender for all recipients: an alias can be named in it where there is but one. */
function contextOf([first, ...others]: readonly Accepted[]) {
  const alias = others.length === 0 && !first?.unwrapped ? first?.mailbox : undefined;
  // With A-labels it may be longer than an address can be.
  return alias && parseMailbox(renderMailbox(alias)).ok ? { alias } : {};
}

/** Each is put above the one before. Recipients may have settings of their own: the message tells the worst. */
function fields(accepted: readonly Accepted[]): readonly Change[] {
  const verdicts = accepted.flatMap(({ verdict }) => (verdict ? [verdict] : []));
  const [first] = verdicts;
  const told = verdicts.find(({ action }) => action === "tag") ?? verdicts.find(verdictField);
  const verdict = told && verdictField(told);
  return [...(verdict ? [verdict] : []), ...(first ? [first.field] : [])].map((field) => ({
    kind: "field",
    field,
  }));
}

/** In the words of the SMTP service (docs/authentication.md); undefined where there is nothing to say. */
function verdictField({ action, fault, would, isTrustedForwarder }: SenderVerdict): string | undefined {
  if (fault === undefined) return undefined;
  if (action === "tag") return `X-Homing-Verdict: suspect; ${fault}${would ? `; would-${would}` : ""}`;
  return isTrustedForwarder
    ? `X-Homing-Verdict: accepted; ${fault}-overridden-by-trusted-forwarder`
    : undefined;
}
