// A listener of ours for tests: it takes all mail, but where it is told otherwise, and keeps what it was told.
// Used by the tests of SMTP in.
import { once } from "node:events";
import { connect } from "node:net";
import type { TestContext } from "node:test";
import { type Content, type Reply, wholeContent } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import type { RcptDsn } from "../dsn-parameters.ts";
import { listenSmtp, type SmtpListener, type SmtpListenerOptions } from "../smtp-in.ts";
import type { AskedLogIn, DataRefusal, LoggedIn, MailCommand } from "../smtp-session.ts";
import { type Place, Wire, within } from "./wire.ts";

export interface Recorder extends SmtpListener {
  readonly mails: MailCommand[];
  readonly recipients: Mailbox[];
  /** What was asked about each of them. */
  readonly asked: (RcptDsn | undefined)[];
  readonly messages: Buffer[];
  /** Replies to messages that the listener itself did not take. */
  readonly refusals: Reply[];
  readonly reasons: DataRefusal[];
  readonly failures: unknown[];
}

/** What the handler answers, or does instead, at each step. */
export interface Decisions {
  /** With it, people have to log in. */
  logIn?(asked: AskedLogIn): Promise<LoggedIn>;
  mail?(): Reply | Promise<Reply>;
  rcpt?(recipient: Mailbox): Reply | Promise<Reply>;
  data?(): Promise<Reply>;
}

const OK: Reply = { code: 250, enhanced: "2.0.0", text: "taken" };

/** Closed when the test is over. */
export async function startRecorder(
  t: TestContext,
  decisions: Decisions = {},
  options: Partial<SmtpListenerOptions> = {},
): Promise<Recorder> {
  const seen = {
    mails: [] as MailCommand[],
    recipients: [] as Mailbox[],
    asked: [] as (RcptDsn | undefined)[],
    messages: [] as Buffer[],
    refusals: [] as Reply[],
    reasons: [] as DataRefusal[],
    failures: [] as unknown[],
  };
  let sessions = 0;
  const listener = await listenSmtp(
    {
      host: "127.0.0.1",
      port: 0,
      hostname: "mx.test",
      maxMessageOctets: 100_000,
      maxClients: 10,
      // As the service has it.
      newId: () => `session-${++sessions}`,
      ...options,
    },
    {
      ...(decisions.logIn ? { logIn: decisions.logIn } : {}),
      async mail(command) {
        const reply = (await decisions.mail?.()) ?? OK;
        if (reply.code >= 400) return { kind: "refuse", reply };
        seen.mails.push(command);
        const transaction = {
          rcpt(recipient: Mailbox, dsn?: RcptDsn) {
            seen.recipients.push(recipient);
            seen.asked.push(dsn);
            return decisions.rcpt?.(recipient) ?? OK;
          },
          async data(message: Content) {
            seen.messages.push(await wholeContent(message));
            return (await decisions.data?.()) ?? OK;
          },
          refused(reply: Reply, reason: DataRefusal) {
            seen.refusals.push(reply);
            seen.reasons.push(reason);
          },
        };
        return { kind: "open", transaction };
      },
      putOff(_, reply, reason) {
        seen.refusals.push(reply);
        seen.reasons.push(reason);
      },
      failed: (error) => seen.failures.push(error),
    },
  );
  // Not awaited: where a test failed, a handler may never decide.
  t.after(() => void listener.close());
  return { ...listener, ...seen };
}

/** Connects as another client: every address of 127.0.0.0/8 is this machine. */
export async function dialFrom(localAddress: string, { host, port }: Place): Promise<Wire> {
  const wire = new Wire(connect({ port, host: host ?? "127.0.0.1", localAddress }));
  await within(once(wire.socket, "connect"), "a connection");
  return wire;
}
