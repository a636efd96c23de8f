// What a MAIL, RCPT or DATA command is answered: the words of the protocol become values, and the handler decides about
// these. Called by library-handlers.ts and smtp-in/connection.ts; knows nothing of the library behind it.
import type { Reply } from "@homing/mail";
import { parseMailbox, parseReversePath } from "@homing/srs-core";
import type { MailDsn, RcptDsn } from "../dsn-parameters.ts";
import type {
  ClientPresence,
  DataRefusal,
  MailCommand,
  MailOutcome,
  SmtpClient,
  SmtpHandler,
  SmtpTransaction,
} from "../smtp-session.ts";
import { MEMORY_OCTETS, type Storage } from "./message-sink.ts";
import { MessageReader } from "./read-message.ts";

export interface TransactionsOptions {
  /** Behind a bare `postmaster`. */
  readonly hostname: string;
  readonly maxMessageOctets: number;
  readonly storage: Storage;
  readonly handler: SmtpHandler;
}

/** What the client promised with its MAIL command. */
export interface MailPromise {
  readonly smtpUtf8: boolean;
  readonly eightBit: boolean;
  /** SIZE= */
  readonly octets: number | undefined;
  readonly dsn: MailDsn | undefined;
}

/** A RCPT command. */
export interface NamedRecipient {
  readonly path: string;
  readonly smtpUtf8: boolean;
  readonly dsn: RcptDsn | undefined;
}

/** The transaction that a MAIL command opened, if it was answered 2xx. */
export interface Opened {
  readonly reply: Reply;
  readonly transaction?: SmtpTransaction;
}

export interface MessageEnd {
  readonly message: MessageReader;
  readonly session: string;
  readonly client: ClientPresence;
  /** Calls when the client has our answer, or is gone. */
  readonly onSettled: (call: () => void) => void;
}

/** Promises only where something is waited for: most commands are answered at once. */
export interface Transactions {
  mail(path: string, client: SmtpClient, promised: MailPromise): Opened | Promise<Opened>;
  rcpt(named: NamedRecipient, transaction: SmtpTransaction): Reply | Promise<Reply>;
  newMessage(): MessageReader;
  data(end: MessageEnd, transaction: SmtpTransaction): Promise<Reply>;
}

const ACCEPTED: Reply = { code: 250, enhanced: "2.1.0", text: "ok" };
export const LOCAL_ERROR: Reply = { code: 451, enhanced: "4.3.0", text: "local error, try again later" };
const NEEDS_SMTPUTF8: Reply = {
  code: 553,
  enhanced: "5.6.7",
  text: "an address with UTF-8 characters needs the SMTPUTF8 parameter",
};
const NO_SPACE: Reply = { code: 452, enhanced: "4.3.1", text: "too much mail at once, try again later" };
const TOO_BIG: Reply = { code: 552, enhanced: "5.3.4", text: "the message is larger than this server takes" };
const HEADER_TOO_BIG: Reply = {
  code: 552,
  enhanced: "5.3.4",
  text: "the header of the message is larger than this server takes",
};

export function createTransactions(options: TransactionsOptions): Transactions {
  const { handler, storage } = options;
  return {
    mail: (path, client, promised) => openTransaction(options, path, client, promised),

    rcpt({ path, smtpUtf8, dsn }, transaction) {
      // RFC 5321 §4.1.1.3: a recipient without domain, for this one name.
      const address = path.toLowerCase() === "postmaster" ? `${path}@${options.hostname}` : path;
      const recipient = parseMailbox(address);
      if (!recipient.ok) return { code: 553, enhanced: "5.1.3", text: recipient.message };
      if (!smtpUtf8 && needsSmtpUtf8(path)) return NEEDS_SMTPUTF8;
      return dsn ? transaction.rcpt(recipient.mailbox, dsn) : transaction.rcpt(recipient.mailbox);
    },

    newMessage: () => new MessageReader(options.maxMessageOctets, storage),

    async data({ message, session, client, onSettled }, transaction) {
      const read = message.end();
      if (read.kind === "refused") {
        if (read.reason === "disk-failure") handler.failed(read.error, session);
        const reply = refusalReply(read.reason);
        transaction.refused?.(reply, read.reason);
        return reply;
      }
      try {
        return await transaction.data(read.content, client);
      } finally {
        // Whoever hears that the client is gone may look into it once more.
        onSettled(() => read.content.release());
      }
    },
  };
}

function openTransaction(
  { handler, storage }: TransactionsOptions,
  path: string,
  client: SmtpClient,
  { smtpUtf8, eightBit, octets, dsn }: MailPromise,
): Opened | Promise<Opened> {
  const sender = parseReversePath(path);
  if (!sender.ok) return { reply: { code: 553, enhanced: "5.1.7", text: sender.message } };
  if (!smtpUtf8 && needsSmtpUtf8(path)) return { reply: NEEDS_SMTPUTF8 };
  const open = (isRoom: boolean): Opened | Promise<Opened> => {
    const command: MailCommand = {
      client,
      reversePath: sender.reversePath,
      eightBit,
      smtpUtf8,
      ...(dsn ? { dsn } : {}),
    };
    if (!isRoom) {
      handler.putOff?.(command, NO_SPACE, "no-disk-space");
      return { reply: NO_SPACE };
    }
    const outcome = handler.mail(command);
    return outcome instanceof Promise ? outcome.then(opened) : opened(outcome);
  };
  const isRoom = hasRoom(storage, octets ?? 0);
  return isRoom instanceof Promise ? isRoom.then(open) : open(isRoom);
}

function opened(outcome: MailOutcome): Opened {
  if (outcome.kind === "refuse") return { reply: outcome.reply };
  return { reply: ACCEPTED, transaction: outcome.transaction };
}

/** A small message needs no file here, but whoever takes it needs the floor. */
function hasRoom({ disk }: Storage, octets: number): boolean | Promise<boolean> {
  return disk ? disk.space.hasRoom(octets > MEMORY_OCTETS ? octets : 0) : true;
}

function refusalReply(reason: DataRefusal): Reply {
  switch (reason) {
    case "too-big":
      return TOO_BIG;
    case "header-too-big":
      return HEADER_TOO_BIG;
    case "no-memory":
    case "no-disk-space":
      return NO_SPACE;
    case "disk-failure":
      return LOCAL_ERROR;
    default: {
      const text = `the message holds ${reason}: CR and LF may come only as a pair, and NUL not at all`;
      return { code: 550, enhanced: "5.6.0", text };
    }
  }
}

function needsSmtpUtf8(address: string): boolean {
  return /[^\0-\x7f]/.test(address);
}
