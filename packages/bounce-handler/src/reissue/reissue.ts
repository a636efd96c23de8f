// A remote server's bounce as a new DSN for the original sender: we report, about the alias that the sender used, in codes and
// words of our own (RFC 3464 §4.2 (f)). What is not on the lists of this folder does not come out. Pure. Called by the forwarder
// at the end of a bounce's DATA, and by `homing bounce reissue`.
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import { composeDsn } from "../compose/compose-dsn.ts";
import type { Dsn, DsnAction } from "../compose/dsn.ts";
import { messageIdOf } from "../compose/header-fields.ts";
import { mayTell, type Notify } from "../compose/notify.ts";
import type { BounceClass, BounceReport, ReturnedHeader } from "../read/report.ts";
import { type DiagnosticPolicy, diagnosticFor } from "./diagnostic.ts";
import { tellableMessageId } from "./message-id.ts";
import { createOracle, type OracleOptions } from "./oracle.ts";
import { type Outcome, worstOutcome } from "./outcome.ts";
import { returnedHeader } from "./returned-header.ts";
import { secretsOf } from "./secrets.ts";

export interface ReissueOptions {
  readonly report: BounceReport;
  /** Ours. */
  readonly hostname: string;
  /** Of the DSN. Letters and digits; nobody can guess it. */
  readonly id: string;
  readonly now: UnixSeconds;
  /** The original sender. */
  readonly to: Mailbox;
  /** The address that the original sender used; undefined where the SRS address does not say. */
  readonly alias: Mailbox | undefined;
  readonly diagnostic: DiagnosticPolicy;
  readonly remembered?: Remembered | undefined;
  /** What of the returned header is proven to be the sender's own: nothing in it is looked for. */
  readonly proven?: ReturnedHeader | undefined;
  /** Lines below the words of the DSN. */
  readonly foot?: readonly string[] | undefined;
  readonly smtpUtf8?: boolean | undefined;
}

/** What was kept of the sender's message when it was forwarded. It is his own: nothing in it is looked for. */
export interface Remembered {
  /** In xtext, as it came. */
  readonly envid?: string | undefined;
  /** As it came, `rfc822;bob+2Bx@example.org`. */
  readonly orcpt?: string | undefined;
  readonly notify?: Notify | undefined;
  readonly arrived?: UnixSeconds | undefined;
  /** As `headerToRemember` gave it. RET=FULL is advice: the message itself is not kept (RFC 3461 §4.3). */
  readonly header: ReturnedHeader;
}

export type Reissued =
  | {
      readonly kind: "dsn";
      readonly octets: Buffer;
      readonly action: DsnAction["kind"];
      readonly enhanced: string;
      readonly class: BounceClass;
      /** Of the original message, where it may be told: for a folded notice, too. */
      readonly messageId: string | undefined;
    }
  | {
      readonly kind: "nothing";
      /** `no-outcome`: it names nobody of whom something became. `not-asked`: the sender's NOTIFY is against it. */
      readonly why: "not-a-bounce" | "auto-reply" | "arf" | "mdn" | "no-outcome" | "not-asked";
    };

export function reissue(options: ReissueOptions): Reissued {
  const { report, remembered } = options;
  if (report.kind !== "dsn" && report.kind !== "bounce") return { kind: "nothing", why: report.kind };
  const outcome = worstOutcome(report);
  if (!outcome) return { kind: "nothing", why: "no-outcome" };
  if (remembered && !mayTell(remembered.notify, outcome.action)) return { kind: "nothing", why: "not-asked" };
  const { action, enhanced, recipient } = outcome;
  const dsn = dsnOf(options, outcome);
  return {
    kind: "dsn",
    octets: composeDsn(dsn),
    action,
    enhanced,
    class: recipient.class,
    messageId: messageIdOf(dsn.original),
  };
}

function dsnOf(options: ReissueOptions, outcome: Outcome): Dsn {
  const { hostname, id, now, to, alias, remembered, foot, smtpUtf8 } = options;
  const { action, enhanced, recipient } = outcome;
  return {
    hostname,
    id,
    now,
    to,
    envid: remembered?.envid,
    arrived: remembered?.arrived,
    recipients: [
      {
        final: alias ?? "withheld",
        orcpt: remembered?.orcpt,
        action: { kind: action },
        enhanced,
        class: recipient.class,
        diagnostic: diagnosticOf(options, outcome),
      },
    ],
    original: originalOf(options),
    isHearsay: true,
    foot,
    smtpUtf8,
  };
}

function diagnosticOf(options: ReissueOptions, { recipient }: Outcome): string | undefined {
  const { diagnostic } = options;
  const secrets = diagnostic === "redacted" ? allSecrets(options) : undefined;
  return secrets
    ? diagnosticFor(diagnostic, recipient, createOracle(secrets))
    : diagnosticFor(diagnostic === "redacted" ? "code" : diagnostic, recipient);
}

/**
 * Of what a remote server returns, no more than the Message-ID is the sender's without a proof: in any other field a stranger, who
 * has the SRS address, could make us say what he likes; and a sender who writes guesses there would see which we leave out.
 */
function originalOf(options: ReissueOptions): Buffer {
  const { report, remembered, proven } = options;
  if (remembered) return returnedHeader(remembered.header);
  if (proven) return returnedHeader(proven);
  const secrets = report.returned && allSecrets(options);
  if (!report.returned || !secrets) return Buffer.alloc(0);
  return returnedHeader(tellableMessageId(report.returned, secrets));
}

/** Undefined where what was not read may name somebody, too. It costs more than all the rest: only where something is looked for. */
function allSecrets({ report, to, alias, hostname }: ReissueOptions): OracleOptions | undefined {
  if (report.truncated || report.named === "too-many") return undefined;
  return secretsOf(report, { mailboxes: alias ? [alias, to] : [to], hostname });
}
