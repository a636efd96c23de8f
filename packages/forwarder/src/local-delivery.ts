// Delivery of one message to a mailbox of this site: by LMTP to a mail store, or into a maildir that the service owns.
// The envelope sender is kept as it is. Called, in place of deliver.ts, for recipients whose mail stays here.
import type { Content, Envelope } from "@homing/mail";
import { asciiLower, printable } from "@homing/srs-core";
import type { Delivery } from "./deliver.ts";
import { type HostPort, renderHostPort } from "./host-port.ts";
import { type MaildirOutcome, storeInMaildir } from "./maildir.ts";
import type { MaildirFiles } from "./maildir-files.ts";
import { maildirOf } from "./maildir-folder.ts";
import { maildirMessage } from "./maildir-message.ts";
import type { AttemptHooks } from "./outbound/attempt.ts";
import type { Busy, Outbound, Patience } from "./outbound/outbound.ts";
import type { Attempt, SocketPath } from "./smtp-out.ts";

export type LocalStore =
  | { readonly kind: "lmtp"; readonly server: HostPort | SocketPath }
  | {
      readonly kind: "maildir";
      /** With {user} and {domain} replaced; without a problem by `maildirPatternProblem`. */
      readonly pattern: string;
    };

export interface LocalDeliveryOptions extends AttemptHooks {
  readonly hostname: string;
  /** Connections to an LMTP store. */
  readonly outbound: Pick<Outbound, "submit">;
  readonly patience: Patience;
  readonly newId: () => string;
  /** Unix seconds. */
  readonly now: () => number;
  /** Default: the system's. */
  readonly files?: MaildirFiles;
}

type Failure = Extract<Delivery, { kind: "failed" }>;

/** Longer than any path of a maildir and what went wrong there. */
const MAX_DETAIL = 1_000;

/**
 * "delivered" when the store has the message, in a maildir when it is on disk. Never rejects for what the world does.
 * `busy` where no connection to the store was free: nothing was tried.
 * @param envelope its recipient is the mailbox, without a delimiter's extension
 * @param message CRLF lines; the caller has refused bare CR, bare LF and NUL
 */
export function deliverLocally(
  store: LocalStore,
  options: LocalDeliveryOptions,
  envelope: Envelope,
  message: Content,
): Promise<Delivery | Busy> {
  return store.kind === "lmtp"
    ? deliverByLmtp(store.server, options, envelope, message)
    : deliverToMaildir(store.pattern, options, envelope, message);
}

async function deliverByLmtp(
  server: HostPort | SocketPath,
  { timeIsUp, onFinalDot, outbound, patience }: LocalDeliveryOptions,
  envelope: Envelope,
  message: Content,
): Promise<Delivery | Busy> {
  const hop = `lmtp:${"path" in server ? `unix:${server.path}` : renderHostPort(server)}`;
  const attempt = await outbound.submit({
    ...{ protocol: "lmtp", hop: server, patience, envelope, message },
    ...(timeIsUp ? { timeIsUp } : {}),
    ...(onFinalDot ? { onFinalDot } : {}),
  });
  if (attempt.kind === "busy") return attempt;
  if (attempt.kind === "accepted")
    return { kind: "delivered", hop, detail: attempt.reply.text, stored: true };
  return lmtpFailure(attempt, hop);
}

function lmtpFailure(attempt: Exclude<Attempt, { kind: "accepted" }>, hop: string): Failure {
  if (attempt.kind === "answered") {
    const { code, enhanced, text } = attempt.reply;
    // Before MAIL the store speaks about itself. Its mailboxes did not say no: nothing is final.
    const reply = attempt.ours ? {} : { reply: { code, enhanced } };
    if (attempt.stage === "greeting" && code >= 500)
      return { ...failed(451, "4.3.0", hop, `${code} ${enhanced} ${text}`), ...reply };
    return { ...failed(code, enhanced, hop, `${code} ${enhanced} ${text}`), ...reply };
  }
  // RFC 3463: 4.4.1 no answer from host, 4.4.2 bad connection.
  return failed(451, attempt.stage === "greeting" ? "4.4.1" : "4.4.2", hop, attempt.cause);
}

async function deliverToMaildir(
  pattern: string,
  { hostname, timeIsUp, newId, now, files }: LocalDeliveryOptions,
  envelope: Envelope,
  message: Content,
): Promise<Delivery> {
  const hop = `maildir:${pattern}`;
  const found = maildirOf(pattern, envelope.recipient);
  if (found.kind === "unfit") return failed(550, "5.1.1", hop, found.message);
  if (timeIsUp?.aborted) return failed(451, "4.3.0", hop, "no time left for the delivery");
  // A disk that hangs reads it still when nobody waits any longer.
  message.hold();
  const stored = storeInMaildir({
    folder: found.folder,
    content: () => maildirMessage(envelope, message),
    newName: () => `${now()}.${fileName(newId())}.${fileName(asciiLower(hostname))}`,
    timeIsUp,
    ...(files ? { files } : {}),
  }).finally(() => message.release());
  const outcome = await unlessTimeIsUp(stored, timeIsUp);
  return outcome.kind === "stored"
    ? { kind: "delivered", hop, detail: outcome.name, stored: true }
    : maildirFailure(outcome, hop);
}

/** Of a maildir's file name: a slash would lead elsewhere, and what follows a colon are flags to readers. */
function fileName(text: string): string {
  return text.replaceAll("/", "\\057").replaceAll(":", "\\072");
}

/** A disk may hang for hours (NFS). The client hears 451 in time; whatever is written then does not appear. */
async function unlessTimeIsUp(
  stored: Promise<MaildirOutcome>,
  timeIsUp: AbortSignal | undefined,
): Promise<MaildirOutcome> {
  if (!timeIsUp) return stored;
  const { promise, resolve } = Promise.withResolvers<MaildirOutcome>();
  const giveUp = (): void =>
    resolve({ kind: "failed", code: "ETIMEDOUT", detail: "the disk did not answer in time" });
  // A signal tells of its abort once: who comes later hears nothing.
  if (timeIsUp.aborted) giveUp();
  timeIsUp.addEventListener("abort", giveUp);
  try {
    return await Promise.race([stored, promise]);
  } finally {
    timeIsUp.removeEventListener("abort", giveUp);
  }
}

/** Of file-system errors that say more than "later". RFC 3463: 4.3.1 mail system full, 4.2.2 mailbox full. */
const FILE_SYSTEM_REPLIES: Readonly<Record<string, readonly [code: number, enhanced: string]>> = {
  ENOSPC: [452, "4.3.1"],
  EDQUOT: [452, "4.2.2"],
  ENAMETOOLONG: [550, "5.1.1"],
};

function maildirFailure(
  { code: errno, detail }: Extract<MaildirOutcome, { kind: "failed" }>,
  hop: string,
): Failure {
  const [code, enhanced] = FILE_SYSTEM_REPLIES[errno] ?? [451, "4.3.0"];
  return failed(code, enhanced, hop, printable(detail, MAX_DETAIL));
}

function failed(code: number, enhanced: string, hop: string, detail: string): Failure {
  return { kind: "failed", code, enhanced, hop, detail };
}
