// What a forwarder is made of, and what it can be told while it runs: the contract of forwarder.ts with the composition root and
// with tests, which pass in time, DNS and randomness.
import type { SpfResolver } from "@homing/spf";
import type { Rewriter, UnixSeconds } from "@homing/srs-core";
import type { SignMessage } from "./authenticate.ts";
import type { AuthenticationSettings } from "./authentication/from-settings.ts";
import type { BouncePolicy } from "./bounces/bounce-settings.ts";
import type { SentMail } from "./bounces/sent-mail.ts";
import type { ForwardClient } from "./dot-forward/forward-client.ts";
import type { ForwardChoice } from "./dot-forward/forward-policy.ts";
import type { Report } from "./events.ts";
import type { SmtpLimits } from "./front/limits.ts";
import type { Waits } from "./hand-over/hand-over.ts";
import type { LocalStore } from "./local-delivery.ts";
import type { MxResolver, NextHop } from "./next-hops.ts";
import type { Clock } from "./outbound/clock.ts";
import type { OutboundLimits } from "./outbound/outbound-limits.ts";
import type { TxtAnswer } from "./outbound/sts-policies.ts";
import type { Post } from "./posted-mail.ts";
import type { QueueTimes } from "./queue/next-step.ts";
import type { ListenPlace, SmtpListener, TlsFiles } from "./smtp-in.ts";
import type { State } from "./state.ts";
import type { SubmissionPlaces, SubmissionSettings } from "./submission/listen.ts";
import type { Tables } from "./tables/tables.ts";
import type { TopFieldOptions } from "./top-fields.ts";
import type { TrustedForwarder } from "./trust/trust-entry.ts";

export interface ForwarderSettings {
  /** Our name in the greeting, in EHLO and in Received fields. */
  readonly hostname: string;
  readonly listen: ListenPlace;
  readonly rewriter: Rewriter;
  /** Of recipient domains that have an SRS domain of their own; domains in lower case. */
  readonly rewriterByDomain?: ReadonlyMap<string, Rewriter>;
  /** Where addresses of ours lead, and which domains are ours. */
  readonly tables: Tables;
  readonly routes: ReadonlyMap<string, NextHop>;
  readonly smartHost?: NextHop | undefined;
  /** Policies of destinations (RFC 8461) are honoured. Default true. */
  readonly mtaSts?: boolean;
  /** Of connections to next hops. */
  readonly outbound?: Partial<OutboundLimits>;
  /** They are in a thread of their own, for whom a second core is there. Default false. */
  readonly outboundThread?: boolean;
  /** Private networks to which the MX records of others may lead. */
  readonly privateNetworks: readonly string[];
  /** Keeps the mail of our domains that no table takes elsewhere. Without one, a next hop in `routes` may. */
  readonly store?: LocalStore | undefined;
  /** Users' .forward files. */
  readonly forwards?: { readonly reader: ForwardClient; readonly choice: ForwardChoice } | undefined;
  /** IP addresses and CIDR networks. */
  readonly trustedNetworks: readonly string[];
  readonly xclientNetworks?: readonly string[];
  readonly proxyNetworks?: readonly string[];
  readonly tls?: TlsFiles | undefined;
  /** Signs mail that we write ourselves (DKIM). Without it, that is not signed. */
  readonly sign?: SignMessage | undefined;
  /** Who may send; without it, nobody is checked. It wants `dns` of the world. */
  readonly authentication?: AuthenticationSettings | undefined;
  /** Destinations whose mail gets no ARC seal, in lower case. */
  readonly notSealed?: ReadonlySet<string>;
  /** X-Forwarded-For and X-Forwarded-To. Default: neither. */
  readonly forwardedFields?: TopFieldOptions["forwarded"];
  readonly limits?: Partial<SmtpLimits>;
  readonly greetDelayMs?: number;
  /** What becomes of bounces, by alias. Default: a DSN of ours goes to the original sender. */
  readonly bouncePolicy?: BouncePolicy | undefined;
  /** Bounces are read in a thread of their own, which begins with the first one. Default false: where everything else is done. */
  readonly bounceThread?: boolean;
  /** Senders' identifiers and headers are kept in the state for seven days, for bounces. Default false. */
  readonly rememberHeaders?: boolean;
  /** Mail that is sent from here for somebody, and its return domains. It wants `state`. */
  readonly sentMail?: SentMail | undefined;
  /** Ports for people and sites who log in. They want `tls` and `state`. */
  readonly submission?: SubmissionSettings | undefined;
  /** Left free on the disk of the state folder. */
  readonly minFreeOctets?: number;
  readonly maxMessageOctets: number;
  readonly maxClients: number;
  /** A message with so many Received fields is refused. */
  readonly maxHops: number;
  /** Newest first, as the rewriter's: whoever has them tells a message of ours that comes back. */
  readonly loopSecrets: readonly string[];
  /** Keeps mail that takes time. Without one, all mail is delivered while its client waits. */
  readonly state?: State | undefined;
  /** Verified mail goes to the queue before anything else; otherwise only what takes time. */
  readonly spoolFirst?: boolean;
  readonly waits?: Partial<Waits>;
  readonly queueTimes?: Partial<QueueTimes>;
  /** Attempts of the queue at the same time: in all, and to one domain. */
  readonly maxAttempts?: number;
  readonly maxAttemptsPerDomain?: number;
}

/** The world outside, as arguments. */
export interface World {
  readonly now: () => UnixSeconds;
  /** A short text that no other message has; it stands in Received fields. */
  readonly newId: () => string;
  readonly random: () => number;
  /** A signal that aborts after so many seconds. */
  readonly timeLimit: (seconds: number) => AbortSignal;
  readonly clock: Clock;
  readonly resolver: MxResolver;
  /** For authentication. */
  readonly dns?: SpfResolver;
  /** TXT records, for MTA-STS; without it no policy is asked for. */
  readonly txt?: (name: string) => Promise<TxtAnswer>;
  readonly report: Report;
}

export interface Forwarder extends SmtpListener {
  /** Where people and sites submit mail. */
  readonly submission: SubmissionPlaces;
  /** From the next RCPT on; what was accepted before goes where it was told. */
  replaceTables(tables: Tables): void;
  /** From the next RCPT on. */
  replaceTrusted(entries: readonly TrustedForwarder[]): void;
  /** After somebody made mail of the queue due: it is tried at once, where there is room. */
  wakeQueue(): void;
  /** After somebody took a message out of the spool: no attempt for it begins any more. */
  droppedFromQueue(id: string): void;
  /** Mail of our own, or of somebody for whom we send: on the disk, and then on its way. */
  readonly post: Post;
}
