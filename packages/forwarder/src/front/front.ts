// What is asked of an SMTP server, and what its connections share: options, limits and counts. Made by smtp-in.ts.
import type { BlockList } from "node:net";
import type { HostPort } from "../host-port.ts";
import type { SmtpHandler } from "../smtp-session.ts";
import { type BufferBudget, createBufferBudget } from "./budget.ts";
import { type ClientCounts, createClientCounts } from "./client-counts.ts";
import { createDiskSpace } from "./disk-space.ts";
import { DEFAULT_LIMITS, type SmtpLimits } from "./limits.ts";
import type { Storage } from "./message-sink.ts";
import { createTransactions, type Transactions } from "./transactions.ts";

/** Where to listen; port 0 takes a free one. Or a TCP socket that somebody else has opened, as a service manager does. */
export type ListenPlace = HostPort | { readonly fd: number };

export type SmtpListenerOptions = ListenPlace & SmtpServerOptions;

export interface SmtpListener {
  readonly host: string;
  readonly port: number;
  counts(): SmtpCounts;
  /** For handshakes from now on. Begins to offer STARTTLS where it was not. Throws where they do not fit together. */
  replaceTls(tls: TlsFiles): void;
  /** Stops accepting; idle clients get 421 at once, busy ones may finish within 30 s. */
  close(): Promise<void>;
}

/** PEM. */
export interface TlsFiles {
  readonly key: Buffer;
  readonly cert: Buffer;
}

export interface SmtpServerOptions {
  /** Our name in the greeting, in EHLO and behind a bare `postmaster`. */
  readonly hostname: string;
  readonly maxMessageOctets: number;
  readonly maxClients: number;
  /** Where messages above 256 KiB wait, in files without a name; without it, in memory. On a disk, never in tmpfs. */
  readonly stateFolder?: string | undefined;
  /** What is left free on its disk. Default 64 MiB. */
  readonly minFreeOctets?: number | undefined;
  /** Offers STARTTLS, TLS 1.2 and later. */
  readonly tls?: TlsFiles | undefined;
  /** TLS from the first octet (RFC 8314 §3.3): it wants `tls`. */
  readonly implicitTls?: boolean | undefined;
  /** What listeners of one process have together; without it, this one has its own. */
  readonly resources?: Resources | undefined;
  /** Clients that are not counted by network. */
  readonly trusted?: BlockList | undefined;
  /** From these every connection begins with a PROXY header, version 1. */
  readonly proxyNetworks?: BlockList | undefined;
  /** These may use XCLIENT and XFORWARD: who they speak for is then the client. */
  readonly xclientNetworks?: BlockList | undefined;
  /** Greets later, to catch clients that do not wait. Default 0: those who spoke already are caught at once. */
  readonly greetDelayMs?: number | undefined;
  readonly limits?: Partial<SmtpLimits> | undefined;
  /** Names sessions in the log; without it, the library does. */
  readonly newId?: (() => string) | undefined;
}

/** Since the start, for metrics. */
export interface SmtpCounts {
  /** Connections that are served now. */
  readonly clients: number;
  /** Of messages in memory now. */
  readonly bufferedOctets: number;
  readonly turnedAway: number;
  readonly talkedTooSoon: number;
  readonly tooSlow: number;
  readonly pipelinedContent: number;
  /** STARTTLS with something behind it in plain text, which was thrown away. */
  readonly discardedAtStartTls: number;
}

/**
 * Message bytes in memory of all clients together; 452 makes them come again. While a message is passed on there are up
 * to three copies of it (as received, with its trace field, with dots stuffed), so memory is three times this.
 */
const BUFFER_BUDGET_OCTETS = 256 * 1024 * 1024;
const MIN_FREE_OCTETS = 64 * 1024 * 1024;

/** Memory and disk of one process. */
export type Resources = Storage;

export function createResources({
  stateFolder: folder,
  minFreeOctets = MIN_FREE_OCTETS,
}: Pick<SmtpServerOptions, "stateFolder" | "minFreeOctets">): Resources {
  const now = (): number => performance.now();
  const disk =
    folder === undefined ? undefined : { folder, space: createDiskSpace({ folder, minFreeOctets, now }) };
  return { budget: createBufferBudget(BUFFER_BUDGET_OCTETS), disk };
}

/** What the connections of one server share. */
export interface Front {
  readonly options: SmtpServerOptions;
  readonly limits: SmtpLimits;
  readonly handler: SmtpHandler;
  readonly transactions: Transactions;
  readonly budget: BufferBudget;
  readonly clients: ClientCounts;
  readonly counts: { -readonly [name in keyof Omit<SmtpCounts, "clients" | "bufferedOctets">]: number };
}

export function createFront(options: SmtpServerOptions, handler: SmtpHandler): Front {
  const { hostname, maxMessageOctets } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const storage = options.resources ?? createResources(options);
  return {
    options,
    limits,
    handler,
    budget: storage.budget,
    transactions: createTransactions({ hostname, maxMessageOctets, storage, handler }),
    clients: createClientCounts(limits.clientsPerNetwork, options.trusted),
    counts: { turnedAway: 0, talkedTooSoon: 0, tooSlow: 0, pipelinedContent: 0, discardedAtStartTls: 0 },
  };
}
