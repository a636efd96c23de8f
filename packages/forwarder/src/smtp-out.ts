// SMTP and LMTP out: connections to servers. The only file that imports nodemailer; the overrides that it needs
// (ADR 0009) are here and in outbound/out-connection.ts, each with a test in smtp-out*.test.ts. Called by the pool in
// outbound/, and, for one message on a connection of its own, by `homing send`.
import { connect } from "node:net";
import type * as Nodemailer from "nodemailer/lib/smtp-connection";
import { asCommonJs } from "./as-commonjs.ts";
import type { NextHop } from "./next-hops.ts";
import type { Attempt, AttemptOptions } from "./outbound/attempt.ts";
import { type FailedAttempt, failedAttempt } from "./outbound/failed-attempt.ts";
import { errorCode, type Library, messageOf } from "./outbound/library.ts";
import { logIn } from "./outbound/log-in.ts";
import { createOutConnection, leave, type OutConnection } from "./outbound/out-connection.ts";
import { tlsDemand, tlsOutcome, unmet, unmetDemand } from "./outbound/tls-demand.ts";
import { type Transcript, transcriber } from "./outbound/transcript.ts";

const { default: SMTPConnection } = asCommonJs("nodemailer/lib/smtp-connection") as typeof Nodemailer;

export type { Attempt } from "./outbound/attempt.ts";

/** A server on this machine that listens on a UNIX socket. */
export interface SocketPath {
  readonly path: string;
}

export interface ConnectionOptions {
  readonly server: NextHop | SocketPath;
  /** LMTP (RFC 2033) says LHLO, and its server may not queue: its answer is the mailbox's. Default: SMTP. */
  readonly protocol?: "smtp" | "lmtp";
  /** Our name in EHLO or LHLO. */
  readonly hostname: string;
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string | undefined;
  /** Aborts the opening: whoever waits for it does not wait any longer. */
  readonly timeIsUp?: AbortSignal;
  /** Hears every line of the dialogue but the message. */
  readonly transcript?: Transcript;
}

export interface Submission extends ConnectionOptions, AttemptOptions {}

export type Opened = { readonly kind: "open"; readonly connection: OutConnection } | FailedAttempt;

/** For the connection and the greeting. RFC 5321 §4.5.3.2.1 asks for five minutes, but our own client waits meanwhile. */
const GREETING_TIMEOUT_MS = 60_000;
/** For EHLO, STARTTLS and AUTH: as for MAIL. */
const COMMAND_TIMEOUT_MS = 5 * 60_000;

const NO_TIME: FailedAttempt = { kind: "no-answer", cause: "time is up", stage: "greeting" };

/** Delivers one message to one recipient over a connection of its own. Never rejects. */
export async function submit(submission: Submission): Promise<Attempt> {
  const opened = await openConnection(submission);
  if (opened.kind !== "open") return opened;
  const attempt = await opened.connection.send(submission);
  opened.connection.quit();
  return attempt;
}

/** Connects, and says EHLO, STARTTLS and AUTH as the server and our demands have it. Never rejects. */
export async function openConnection(options: ConnectionOptions): Promise<Opened> {
  const hop = "path" in options.server ? undefined : options.server;
  const demand = hop ? tlsDemand(hop) : "opportunistic";
  let connected = await connectTo(options, "starttls");
  if (connected.kind === "broken-tls") {
    if (demand !== "opportunistic" || hop?.implicitTls)
      return unmet("4.7.5", `TLS: ${connected.cause}`, "none");
    // RFC 7435: a server whose TLS is broken gets its mail as one without TLS does.
    connected = await connectTo(options, "none");
    if (connected.kind === "broken-tls") return connected.attempt;
  }
  if (connected.kind !== "connected") return connected;
  const { library } = connected;
  const tls = tlsOutcome(library);
  const failure =
    unmetDemand(demand, library) ??
    (hop?.credentials && (await logIn(library, hop.credentials, tls, options.timeIsUp)));
  if (failure) {
    leave(library);
    return failure;
  }
  const lmtp = options.protocol === "lmtp";
  return { kind: "open", connection: createOutConnection({ library, lmtp, tls }) };
}

type Connected =
  | { readonly kind: "connected"; readonly library: Library }
  | { readonly kind: "broken-tls"; readonly cause: string; readonly attempt: FailedAttempt }
  | FailedAttempt;

function connectTo(options: ConnectionOptions, tls: "starttls" | "none"): Promise<Connected> {
  const { timeIsUp } = options;
  // A signal tells of its abort once: who comes later hears nothing.
  if (timeIsUp?.aborted) return Promise.resolve(NO_TIME);
  const library = createLibrary(options, tls);
  // The library reports a loss to whoever listens, also when nobody waits for it any more.
  library.on("error", () => {});
  return new Promise((resolve) => {
    // It may report one loss twice: a promise keeps the first.
    const settle = (outcome: Connected): void => {
      timeIsUp?.removeEventListener("abort", abort);
      library.off("error", fail);
      resolve(outcome);
    };
    const fail = (error: unknown): void => {
      // A socket that fails in the handshake is reported by its own error, not by ETLS.
      const brokenTls = errorCode(error) === "ETLS" || library.upgrading === true;
      const attempt = failedAttempt(error, "greeting", "none");
      settle(brokenTls ? { kind: "broken-tls", cause: messageOf(error), attempt } : attempt);
      library.close();
    };
    const abort = (): void => {
      settle(NO_TIME);
      library.close();
    };
    timeIsUp?.addEventListener("abort", abort);
    library.on("error", fail);
    library.connect((error) => {
      if (error) fail(error);
      else settle({ kind: "connected", library });
    });
  });
}

function createLibrary(options: ConnectionOptions, tls: "starttls" | "none"): Library {
  const { server, transcript } = options;
  const credentials = "path" in server ? undefined : server.credentials;
  const connection = new SMTPConnection({
    ...placeOf(server, tls, options.ca),
    lmtp: options.protocol === "lmtp",
    name: options.hostname,
    // What a server must offer is judged when it has offered it.
    opportunisticTLS: true,
    // Undefined, the library would decide by the port.
    secure: "implicitTls" in server && server.implicitTls === true,
    connectionTimeout: GREETING_TIMEOUT_MS,
    greetingTimeout: GREETING_TIMEOUT_MS,
    socketTimeout: COMMAND_TIMEOUT_MS,
    ...(transcript ? { logger: transcriber(transcript, credentials), transactionLog: true } : {}),
  });
  return connection as unknown as Library;
}

/** Where to connect. Nothing between two processes of one machine can be listened to: no TLS on a UNIX socket. */
function placeOf(server: NextHop | SocketPath, tls: "starttls" | "none", ca: string | undefined) {
  // The library knows no socket paths. It takes a socket that is not connected yet, and hears its errors.
  if ("path" in server) return { connection: connect({ path: server.path }), ignoreTLS: true };
  const servername = server.name === undefined ? {} : { servername: server.name };
  return {
    host: server.host,
    port: server.port,
    ignoreTLS: tls === "none",
    // Unverified TLS is better than none (RFC 7435), and who demands more looks at the outcome.
    tls: { rejectUnauthorized: false, ...servername, ...(ca === undefined ? {} : { ca }) },
  };
}
