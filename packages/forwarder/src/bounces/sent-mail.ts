// Mail that was sent from here for somebody, at return domains of its own, and what is to be known when it comes back.
// Declared here; the composition root passes it in (packages/on-behalf).
import {
  asciiLower,
  type Mailbox,
  NULL_PATH,
  type ReversePath,
  type Rewriter,
  type UnixSeconds,
} from "@homing/srs-core";
import type { Note } from "../spool/notes.ts";

export interface SentMail {
  /** Verify the SRS addresses at return domains; one for each. */
  readonly rewriters: readonly Rewriter[];
  /** `nobody@` a return domain: whatever bounces to it is thrown away. */
  isNobody(recipient: Mailbox): boolean;
  /** That was thrown away. */
  eaten(recipient: Mailbox, now: UnixSeconds): Promise<void>;
  /** To whom the mail went whose return path this is; undefined where nothing is known of it. */
  recipientOf(srs: Mailbox, now: UnixSeconds): Promise<SentTo | undefined | "away">;
  /** An attempt of the queue was the last: notes for the transaction that says so. At once: it is asked for all mail. */
  settled(settled: SettledMail): readonly Note[];
  /** Lines at the foot of what the sender is told about mail with this return path. Default: none. */
  foot?(sender: Mailbox, reversePath: Mailbox): readonly string[];
}

/** At a return domain: of no mail that is forwarded. */
export function isReturnPath(
  sentMail: Pick<SentMail, "rewriters"> | undefined,
  reversePath: ReversePath,
): reversePath is Mailbox {
  if (!sentMail || reversePath === NULL_PATH) return false;
  const domain = asciiLower(reversePath.domain);
  return sentMail.rewriters.some((rewriter) => asciiLower(rewriter.domain) === domain);
}

export interface SentTo {
  /** The sender chose it: nothing about it is private. Undefined where only the sender is known: the DSN names nobody. */
  readonly recipient: Mailbox | undefined;
  /** Notes for the transaction in which the DSN goes to the sender. Beyond the budget of the SRS address there are none. */
  returned(report: {
    readonly user: Mailbox;
    readonly action: "failed" | "delayed" | "delivered" | "relayed" | "expanded";
    readonly enhanced: string;
    readonly class: string;
    readonly now: UnixSeconds;
    /** Where `recipient` above is undefined, and the header that the bounce returns proves one. In lower case. */
    readonly recipient?: Mailbox;
  }): readonly Note[];
}

export interface SettledMail {
  /** Queue id. */
  readonly id: string;
  /** On the wire. */
  readonly reversePath: Mailbox;
  /** As it was sent. */
  readonly recipient: Mailbox;
  readonly outcome:
    | { readonly kind: "delivered" }
    | { readonly kind: "failed"; readonly enhanced: string; readonly class: string };
  readonly now: UnixSeconds;
}
