// Mail of people and sites who have logged in, from MAIL to the final dot: what the policy says to each command, and where each
// recipient's mail goes. Called by SMTP in, on the submission ports. RFC 6409.
import type { Asked, BounceGate } from "@homing/bounce-handler";
import { type Content, type Reply, readTrace, type Trace } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import { withoutForged } from "../authentication/without-forged.ts";
import { bugText } from "../bug-text.ts";
import type { RcptDsn } from "../dsn-parameters.ts";
import { BEGINS_FOLDED, SEEN_BEFORE, TOO_MANY_HOPS } from "../receive.ts";
import type { Route } from "../routes.ts";
import type {
  AskedLogIn,
  ClientPresence,
  LoggedIn,
  MailCommand,
  MailOutcome,
  SmtpHandler,
  SmtpTransaction,
} from "../smtp-session.ts";
import { createTransactionReport, type TransactionReport } from "../transaction-report.ts";
import { type HandInOptions, handIn, type Named } from "./hand-in.ts";
import type { OpenSubmission, Submitter } from "./submission-policy.ts";

export interface SubmissionHandlerOptions extends HandInOptions {
  readonly logIn: (asked: AskedLogIn) => Promise<LoggedIn>;
  /** Is the address neither at a domain of ours nor at an SRS domain? */
  readonly isOutside: (recipient: Mailbox) => boolean;
  readonly routeOf: (recipient: Mailbox, command: MailCommand, asked: Asked) => Promise<Route>;
  readonly gate: Pick<BounceGate, "judges">;
  /** In Authentication-Results fields of ours. */
  readonly authservId: string;
  readonly maxHops: number;
}

/** A bounce comes from another server, not from a person. */
const TAKES_BOUNCES: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "this address takes bounces alone: write to the one in From",
};
const TAKEN: Reply = { code: 250, enhanced: "2.1.5", text: "ok" };
const SPACE = 0x20;
const TAB = 0x09;

interface Refusal {
  readonly reason: string;
  readonly reply: Reply;
}

export function createSubmissionHandler(options: SubmissionHandlerOptions): SmtpHandler {
  return {
    logIn: options.logIn,
    mail: (command) => openSubmission(options, command),
    putOff(command, reply, reason) {
      createTransactionReport(options.report, command).refused({ stage: "mail", reason, reply });
    },
    failed(error, session) {
      options.report({ event: "error", session, message: bugText(error) });
    },
  };
}

async function openSubmission(options: SubmissionHandlerOptions, command: MailCommand): Promise<MailOutcome> {
  const { submitter } = command.client;
  if (!submitter) throw new Error("MAIL of a client that has not logged in");
  const report = createTransactionReport(options.report, command);
  const opened = await submitter.sender(command.reversePath);
  if (opened.kind === "refuse") {
    report.refused({ stage: "mail", reason: opened.reason, reply: opened.reply });
    return { kind: "refuse", reply: opened.reply };
  }
  return { kind: "open", transaction: createTransaction(options, { command, submitter, opened, report }) };
}

interface Transaction {
  readonly command: MailCommand;
  readonly submitter: Submitter;
  readonly opened: OpenSubmission;
  readonly report: TransactionReport;
}

function createTransaction(options: SubmissionHandlerOptions, transaction: Transaction): SmtpTransaction {
  const { command, opened, report } = transaction;
  const named: Named[] = [];
  const keys = new Set<string>();
  return {
    async rcpt(recipient: Mailbox, dsn?: RcptDsn) {
      const key = opened.keyOf(recipient);
      if (keys.has(key)) return TAKEN;
      const refusal = await opened.rcpt(recipient, named.length);
      const route = refusal ?? (await routeOf(options, command, recipient));
      if (route.kind === "refuse") {
        const { reason, reply } = route;
        report.refused({ stage: "rcpt", recipient, reason, reply });
        return reply;
      }
      named.push({ recipient, route: route.kind === "outside" ? undefined : route, dsn });
      keys.add(key);
      return TAKEN;
    },

    refused(reply, reason) {
      const [first] = named;
      report.refused({ stage: "data", ...(first ? { recipient: first.recipient } : {}), reason, reply });
    },

    async data(given, client) {
      if (named.length === 0) throw new Error("DATA without a recipient");
      const message = withoutForged(given, options.authservId);
      const refusal = contentRefusal(options, named, message);
      return refusal
        ? refuseAll(report, named, refusal)
        : await readyAndKept(options, transaction, { named, message, client });
    },
  };
}

interface Arrived {
  readonly named: readonly Named[];
  readonly message: Content;
  readonly client: ClientPresence;
}

async function readyAndKept(
  options: SubmissionHandlerOptions,
  { command, submitter, opened, report }: Transaction,
  { named, message, client }: Arrived,
): Promise<Reply> {
  const id = options.newId();
  const recipients = named.map(({ recipient }) => recipient);
  const clientAddress = command.client.address;
  const ready = await opened.message({ id, content: message, recipients, clientAddress });
  if (ready.kind === "refuse") return refuseAll(report, named, ready);
  if (ready.copies.length !== named.length) throw new Error("the policy forgot a recipient");
  const outcome = await handIn(options, { id, command, submitter, client, named, asSent: message, ready });
  if (outcome.kind === "refuse") return refuseAll(report, named, outcome);
  report.answered(id, outcome.reply);
  return outcome.reply;
}

function refuseAll(report: TransactionReport, named: readonly Named[], { reason, reply }: Refusal): Reply {
  for (const { recipient } of named) report.refused({ stage: "data", recipient, reason, reply });
  return reply;
}

const SRS_ADDRESS = { kind: "refuse", reason: "srs-address", reply: TAKES_BOUNCES } as const;

/** Where mail to our own domains goes, the tables say, as of any other mail. */
async function routeOf(
  options: SubmissionHandlerOptions,
  command: MailCommand,
  recipient: Mailbox,
): Promise<Exclude<Route, { kind: "bounce" }> | { readonly kind: "outside" }> {
  if (options.isOutside(recipient)) return { kind: "outside" };
  // Whatever its tag: whoever has logged in is no judge of guesses.
  if (options.gate.judges(recipient)) return SRS_ADDRESS;
  const route = await options.routeOf(recipient, command, { now: options.now(), network: undefined });
  return route.kind === "bounce" ? SRS_ADDRESS : route;
}

function contentRefusal(
  { maxHops, loopTokens }: SubmissionHandlerOptions,
  named: readonly Named[],
  { start }: Content,
): Refusal | undefined {
  if (start[0] === SPACE || start[0] === TAB) return { reason: "begins-folded", reply: BEGINS_FOLDED };
  const trace: Trace = readTrace(start, maxHops);
  if (trace.hops >= maxHops) return { reason: "too-many-hops", reply: TOO_MANY_HOPS };
  const wasHere = named.some(({ recipient }) => loopTokens.seen(recipient, trace));
  return wasHere ? { reason: "seen-before", reply: SEEN_BEFORE } : undefined;
}
