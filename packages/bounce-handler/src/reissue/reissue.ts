// A remote server's bounce as a new DSN for the original sender: we report, about the alias that the sender used, in codes and
// words of our own (RFC 3464 §4.2 (f)). What is not on the lists of this folder does not come out. Pure. Called by the forwarder
// at the end of a bounce's DATA, and by `homing bounce reissue`.
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import { composeDsn } from "../compose/compose-dsn.ts";
import type { DsnAction } from "../compose/dsn.ts";
import { mayTell, type Notify } from "../compose/notify.ts";
import type { BounceClass, BounceReport, ReturnedHeader } from "../read/report.ts";
import { type DiagnosticPolicy, diagnosticFor } from "./diagnostic.ts";
import { createOracle } from "./oracle.ts";
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
  return { kind: "dsn", octets: written(options, outcome), action, enhanced, class: recipient.class };
}

function written(options: ReissueOptions, { action, enhanced, recipient }: Outcome): Buffer {
  const { report, hostname, id, now, to, alias, diagnostic, remembered, smtpUtf8 } = options;
  const mailboxes = alias ? [alias, to] : [to];
  const oracle = createOracle(secretsOf(report, { mailboxes, hostname }));
  return composeDsn({
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
        diagnostic: diagnosticFor(diagnostic, recipient, oracle),
      },
    ],
    original: remembered ? returnedHeader(remembered.header) : returnedHeader(remoteFields(report), oracle),
    smtpUtf8,
  });
}

/** Some servers write their own address of a recipient into To. Where they do not say which it is, nobody can look for it. */
function remoteFields({ recipients, returned = [] }: BounceReport): ReturnedHeader {
  if (recipients.every(({ finalRecipient }) => finalRecipient !== undefined)) return returned;
  return returned.filter(({ name }) => name.toLowerCase() !== "to");
}
