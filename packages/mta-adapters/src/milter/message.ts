// One message at the milter: its sender, and what was found about each recipient that was accepted. Made by session.ts at MAIL,
// filled by judge-recipient.ts, read by changes.ts.
import { type Mailbox, sameDomain } from "@homing/srs-core";
import type { SenderVerdict } from "../senders/sender-checks.ts";
import type { MilterOptions } from "./milter-options.ts";
import { type MilterPath, mailboxOf } from "./path.ts";

export interface Message {
  readonly sender: MilterPath;
  /** By its address; undefined where the client has none. */
  readonly client: string | undefined;
  readonly helo: string;
  /** The client has logged in: it is a user of the site, whose mail goes out as it is. */
  readonly isAuthenticated: boolean;
  readonly accepted: Accepted[];
  /** Lazy: asked once. */
  failsForUs?: Promise<boolean>;
}

export interface Accepted {
  /** As the mail server gave it, to the octet. */
  readonly path: string;
  /** Undefined where no mailbox stands there. */
  readonly mailbox: Mailbox | undefined;
  /** A good SRS address: its mail goes there instead. */
  readonly unwrapped?: Mailbox;
  /** The sender is to be rewritten for it. */
  readonly leaves: boolean;
  readonly verdict: SenderVerdict | undefined;
}

/** Undefined where nothing is to be rewritten, whoever the recipients are. */
export function foreignSender(
  { sender, isAuthenticated }: Message,
  { ownDomains, gate, hostname }: MilterOptions,
): Mailbox | "unreadable" | undefined {
  if (isAuthenticated) return undefined;
  if (sender.kind === "unreadable") return "unreadable";
  const mailbox = mailboxOf(sender);
  if (!mailbox) return undefined;
  const { domain } = mailbox;
  // Our own SRS address, too: the message was here before.
  const isOwn = ownDomains().has(domain) || gate.judges(mailbox) || sameDomain(domain, hostname);
  return isOwn ? undefined : mailbox;
}
