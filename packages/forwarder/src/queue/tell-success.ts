// A success of which the sender wants to hear (RFC 3461 §5.2), as a DSN. Called by conclude.ts for what the queue delivered, and
// by queue.ts for what was delivered in a session, or expanded.
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { Report } from "../events.ts";
import type { NewMessage, StoredMessage } from "../spool/spool.ts";
import { type DsnOptions, dsnMessage, type TellableRecipient, toldParty } from "./dsn-message.ts";

/** `delivered`: our own mail store has it. `relayed`: a next hop, which is not told that anybody wants to hear. */
export type Success = "delivered" | "relayed" | "expanded";

/** RFC 3463: destination address valid. */
const HANDED_ON = "2.1.5";

export interface SuccessOptions extends DsnOptions {
  readonly now: () => UnixSeconds;
  readonly report: Report;
}

export interface TellOptions extends SuccessOptions {
  /** @returns why it is not kept, where it is not */
  readonly keep: (dsn: NewMessage) => Promise<string | undefined>;
}

/** Resolves when the DSN is on the disk; or when it is in the log that it is not, for the mail itself is delivered. */
export async function tellSuccess(
  options: TellOptions,
  message: StoredMessage,
  recipient: TellableRecipient,
  kind: Success,
): Promise<void> {
  const composed = await successMessage(options, message, recipient, kind);
  if (composed.kind === "nobody") return;
  const cause = composed.kind === "untold" ? composed.cause : await options.keep(composed.dsn);
  if (cause !== undefined) return untold(options, message, recipient.alias, cause);
  if (composed.kind !== "composed") return;
  const { dsn, to } = composed;
  options.report({ event: "dsn", id: dsn.id, about: message.id, to: renderMailbox(to), action: kind });
}

export type SuccessMessage =
  | { readonly kind: "composed"; readonly dsn: NewMessage; readonly to: Mailbox }
  /** Nobody asked, or who did has no address that takes mail. */
  | { readonly kind: "nobody" }
  | { readonly kind: "untold"; readonly cause: string };

const NOBODY: SuccessMessage = { kind: "nobody" };

/** Never rejects: whatever is wrong with the notice, the mail is delivered, and would be sent again. */
export async function successMessage(
  options: SuccessOptions,
  message: StoredMessage,
  recipient: TellableRecipient,
  kind: Success,
): Promise<SuccessMessage> {
  const to = toldParty(message, recipient, kind);
  if (to === undefined) return NOBODY;
  try {
    const told = { action: { kind }, enhanced: HANDED_ON, now: options.now() };
    const dsn = await dsnMessage(options, message, recipient, told);
    if (dsn === "later") return { kind: "untold", cause: "the sender's address cannot be looked up now" };
    return dsn ? { kind: "composed", dsn, to } : NOBODY;
  } catch (error) {
    return { kind: "untold", cause: error instanceof Error ? error.message : String(error) };
  }
}

/** Nothing failed but the notice. */
export function untold(
  { report }: Pick<SuccessOptions, "report">,
  { id }: Pick<StoredMessage, "id">,
  alias: Mailbox,
  cause: string,
): void {
  const what = `message ${id} to ${renderMailbox(alias)} is delivered, and its sender, who asked, is not told`;
  report({ event: "error", session: "", message: `${what}: ${cause}` });
}
