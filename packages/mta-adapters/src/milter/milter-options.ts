// What the milter is told, and what it asks. Made by the composition root.
import type { BounceGate } from "@homing/bounce-handler";
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import type { AdapterReport } from "../adapter-events.ts";
import type { OwnDomains } from "../maps/own-domains.ts";
import type { SenderRewriting } from "../maps/sender-rewriting.ts";
import type { SenderChecks } from "../senders/sender-checks.ts";

export interface MilterOptions {
  /** The mail server's: names without a domain are users there. */
  readonly hostname: string;
  readonly rewriter: SenderRewriting;
  /** Knows the SRS domains, verifies, and holds guessers back. */
  readonly gate: BounceGate;
  /** Of a text that is no SRS address: is it at a domain that has only those? */
  readonly isNobody: (recipient: string) => boolean;
  /** Asked for each message: a file of domains may change. */
  readonly ownDomains: () => OwnDomains;
  readonly now: () => UnixSeconds;
  /** SPF; without it, nobody is checked. */
  readonly senders?: SenderChecks | undefined;
  /** Which mail has its sender rewritten: that which leaves the site, as far as one can tell; all; none. */
  readonly rewrite: "leaving" | "always" | "never";
  /** Of a bounce to a good SRS address: put the original sender in its place, or leave that to the next server. */
  readonly bounces: "unwrap" | "keep";
  /** May mail with a sender of its own come to a good SRS address? */
  readonly takesAnswers: boolean;
  /** Of an address that is no SRS address of ours. `unknown` counts as leaving: a sender too many is rewritten. */
  readonly leavesSite: LeavesSite;
  /** Lazy: only those are rewritten who would fail with one of our addresses. Without it: all. */
  readonly failsForUs?: ((sender: Mailbox) => Promise<boolean>) | undefined;
  /** The network whose guesses are counted together; undefined for a server of our own, through which others come. */
  readonly networkOf: (client: string) => string | undefined;
  readonly report: AdapterReport;
}

export type LeavesSite = (recipient: Mailbox) => Promise<"leaves" | "stays" | "unknown">;
