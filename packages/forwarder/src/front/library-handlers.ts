// What smtp-server calls for MAIL and RCPT, and what it keeps of a session, without the library itself. Used by smtp-in/server.ts and
// smtp-in/connection.ts.
import { isPositive, type Reply } from "@homing/mail";
import {
  type AskedDsn,
  type MailDsn,
  mailDsn,
  type Parameters,
  type RcptDsn,
  rcptDsn,
} from "../dsn-parameters.ts";
import { parsePathCommand } from "../smtp-path.ts";
import type { SmtpClient, SmtpTransaction } from "../smtp-session.ts";
import type { Submitter } from "../submission/submission-policy.ts";
import type { Front } from "./front.ts";
import { LOCAL_ERROR, type Opened } from "./transactions.ts";

/** The library's, as far as it is read here. */
export interface LibrarySession {
  readonly id: string;
  readonly remoteAddress: string;
  readonly hostNameAppearsAs: string;
  readonly transmissionType: string;
  readonly secure: boolean;
  /** Who has logged in: ours, the library keeps it. */
  readonly user?: Submitter | string | false;
  /** A new one for each transaction: ours goes with it. */
  readonly envelope: {
    readonly smtpUtf8?: boolean | undefined;
    readonly bodyType?: string | undefined;
    transaction?: SmtpTransaction;
    /** RCPT commands that were answered 250; the library counts addresses, and one may be named as often as one likes. */
    taken?: number;
  };
}

interface LibraryPath {
  readonly address: string;
  readonly args: false | object;
}

/** What was asked of the DSN extension; `args` were found good by `parameterProblem`. */
function askedOf<D>(args: LibraryPath["args"], read: (parameters: Parameters) => AskedDsn<D>): D | undefined {
  const asked = args ? read(args) : undefined;
  return asked?.ok ? asked.dsn : undefined;
}

/** Stricter than the library, which takes any text for ENVID, and no account of xtext and lengths. */
export function parameterProblem(
  command: "MAIL" | "RCPT",
  args: object,
  smtpUtf8: boolean,
): string | undefined {
  if ("AUTH" in args && !isXtext(args.AUTH)) return "AUTH wants an address in xtext, or <>";
  const asked = command === "MAIL" ? mailDsn(args) : rcptDsn(args, smtpUtf8);
  return asked.ok ? undefined : asked.message;
}

/** RFC 3461 §4. */
function isXtext(value: unknown): boolean {
  return typeof value === "string" && /^(?:[!-*,-<>-~]|\+[0-9A-F]{2}){1,500}$/.test(value);
}

/** The path of a MAIL or RCPT command and its parameters, as the library keeps them. */
export function libraryPath(name: string, command: string) {
  const parsed = parsePathCommand(name, command);
  if (!parsed.ok) return false;
  const args: false | Record<string, string | true> =
    parsed.parameters.size > 0 && Object.fromEntries(parsed.parameters);
  return { address: parsed.path, args, ...(parsed.duplicate ? { duplicate: parsed.duplicate } : {}) };
}

/** EHLO: XCLIENT without what the library does not use, and without LOGIN. */
export function offered(lines: readonly string[], more: readonly string[]): string[] {
  return [...lines.map((line) => (line.startsWith("XCLIENT ") ? "XCLIENT NAME ADDR PORT" : line)), ...more];
}

/** RFC 5321 §4.5.3.1.10: the client sends to them next. */
const TOO_MANY_RECIPIENTS: Reply = { code: 452, enhanced: "4.5.3", text: "too many recipients" };

/** The library takes refusals as errors with a code; it reads no more of them. */
type Done = (refusal?: Error | null) => void;

export function libraryHandlers(front: Front) {
  const { transactions, limits } = front;
  return {
    onMailFrom({ address, args }: LibraryPath, session: LibrarySession, done: Done): void {
      const { envelope } = session;
      const smtpUtf8 = envelope.smtpUtf8 === true;
      const promised = {
        smtpUtf8,
        eightBit: envelope.bodyType === "8bitmime",
        octets: args && "SIZE" in args && typeof args.SIZE === "string" ? Number(args.SIZE) : undefined,
        dsn: askedOf<MailDsn>(args, mailDsn),
      };
      const decide = () => transactions.mail(address, clientOf(session, smtpUtf8), promised);
      guarded(front, session.id, decide, ({ reply, transaction }: Opened = { reply: LOCAL_ERROR }) => {
        if (transaction) envelope.transaction = transaction;
        done(refusalOf(reply));
      });
    },

    onRcptTo({ address, args }: LibraryPath, session: LibrarySession, done: Done): void {
      const { envelope } = session;
      const { taken = 0 } = envelope;
      if (taken >= limits.recipients) {
        done(refusalOf(TOO_MANY_RECIPIENTS));
        return;
      }
      const smtpUtf8 = envelope.smtpUtf8 === true;
      const dsn = askedOf<RcptDsn>(args, (parameters) => rcptDsn(parameters, smtpUtf8));
      const decide = () => transactions.rcpt({ path: address, smtpUtf8, dsn }, openedIn(session));
      guarded(front, session.id, decide, (reply = LOCAL_ERROR) => {
        if (isPositive(reply)) envelope.taken = taken + 1;
        done(refusalOf(reply));
      });
    },
  };
}

export function openedIn({ envelope }: Pick<LibrarySession, "envelope">): SmtpTransaction {
  if (!envelope.transaction) throw new Error("RCPT or DATA without a transaction");
  return envelope.transaction;
}

/** @param done hears nothing of what failed: that is a bug, or a broken machine, and somebody else is told */
export function guarded<T>(
  { handler }: Pick<Front, "handler">,
  session: string,
  decide: () => T | Promise<T>,
  done: (decided?: T) => void,
): void {
  const failed = (error: unknown): void => {
    handler.failed(error, session);
    done();
  };
  let decided: T | Promise<T>;
  try {
    decided = decide();
  } catch (error) {
    failed(error);
    return;
  }
  if (decided instanceof Promise) void decided.then(done, failed);
  else done(decided);
}

function refusalOf({ code, enhanced, text }: Reply): Error | null {
  if (code < 400) return null;
  // Without a stack, which a dictionary attack would have us make for each guess.
  return { name: "", message: `${enhanced} ${text}`, responseCode: code } as Error;
}

function clientOf(session: LibrarySession, smtpUtf8: boolean): SmtpClient {
  const { user } = session;
  const utf8 = (): string => `UTF8SMTP${session.secure ? "S" : ""}${user ? "A" : ""}`;
  return {
    session: session.id,
    address: session.remoteAddress,
    helo: session.hostNameAppearsAs,
    // RFC 6531 §4.3.
    protocol: smtpUtf8 ? utf8() : session.transmissionType,
    ...(typeof user === "object" ? { submitter: user } : {}),
  };
}
