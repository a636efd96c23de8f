// SMTP peers for tests: a listener of ours that records, clients for it, and a next hop that answers as it is told.
import type { TestContext } from "node:test";
import type { Reply } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import type { HostPort } from "../host-port.ts";
import { listenSmtp, type SmtpListener, type SmtpListenerOptions } from "../smtp-in.ts";
import type { MailCommand } from "../smtp-session.ts";
import { dial, serve, type Wire } from "./wire.ts";

/** What a next hop says at each step, CRLF between lines; or that it goes away instead, or says nothing. */
export type Answers = Partial<
  Record<"greeting" | "EHLO" | "HELO" | "STARTTLS" | "MAIL" | "RCPT" | "DATA" | "dot" | "QUIT", string>
>;
export const FIN = "(closes)";
export const RST = "(resets)";
export const SILENCE = "(says nothing)";

const POLITE: Required<Answers> = {
  greeting: "220 hop.example ESMTP",
  EHLO: "250-hop.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE\r\n250 SMTPUTF8",
  HELO: "250 hop.example",
  STARTTLS: "454 4.7.0 not now",
  MAIL: "250 2.1.0 ok",
  RCPT: "250 2.1.5 ok",
  DATA: "354 go on",
  dot: "250 2.0.0 queued",
  QUIT: "221 2.0.0 bye",
};

export interface Hop extends HostPort {
  readonly commands: string[];
  /** Octets as on the wire: dots stuffed, the final dot included. */
  readonly messages: Buffer[];
  readonly connections: Wire[];
}

export async function startHop(t: TestContext, answers: Answers = {}): Promise<Hop> {
  const says = { ...POLITE, ...answers };
  const seen = { commands: [] as string[], messages: [] as Buffer[], connections: [] as Wire[] };
  const place = await serve(t, async (wire) => {
    seen.connections.push(wire);
    answer(wire, says.greeting);
    for (let line = await wire.line(); line !== undefined; line = await wire.line()) {
      seen.commands.push(line);
      const verb = line.split(" ", 1)[0] as keyof Answers;
      answer(wire, says[verb] ?? "500 5.5.2 what?");
      if (verb === "QUIT" && says.QUIT !== SILENCE) wire.socket.end();
      if (verb !== "DATA" || !says.DATA.startsWith("354")) continue;
      let message = "";
      for (let part: string | undefined = ""; part !== ".\r\n"; message += part) {
        part = await wire.until("\r\n");
        if (part === undefined) return;
      }
      seen.messages.push(Buffer.from(message, "latin1"));
      answer(wire, says.dot);
    }
  });
  return { ...place, ...seen };
}

function answer({ socket }: Wire, text: string): void {
  if (text === FIN) socket.destroy();
  else if (text === RST) socket.resetAndDestroy();
  else if (text !== SILENCE && socket.writable) socket.write(`${text}\r\n`, "latin1");
}

export interface Recorder extends SmtpListener {
  readonly mails: MailCommand[];
  readonly recipients: Mailbox[];
  readonly messages: Buffer[];
  /** Replies to messages that the listener itself did not take. */
  readonly refusals: Reply[];
  readonly failures: unknown[];
}

/** What the handler answers, or does instead, at each step. */
export interface Decisions {
  mail?(): Reply | Promise<Reply>;
  rcpt?(recipient: Mailbox): Reply | Promise<Reply>;
  data?(): Promise<Reply>;
}

const OK: Reply = { code: 250, enhanced: "2.0.0", text: "taken" };

/** A listener of ours that takes all mail, but where it is told otherwise. */
export async function startRecorder(
  t: TestContext,
  decisions: Decisions = {},
  options: Partial<SmtpListenerOptions> = {},
): Promise<Recorder> {
  const seen = {
    mails: [] as MailCommand[],
    recipients: [] as Mailbox[],
    messages: [] as Buffer[],
    refusals: [] as Reply[],
    failures: [] as unknown[],
  };
  const listener = await listenSmtp(
    {
      host: "127.0.0.1",
      port: 0,
      hostname: "mx.test",
      maxMessageOctets: 100_000,
      maxClients: 10,
      ...options,
    },
    {
      async mail(command) {
        const reply = (await decisions.mail?.()) ?? OK;
        if (reply.code >= 400) return { kind: "refuse", reply };
        seen.mails.push(command);
        const transaction = {
          rcpt(recipient: Mailbox) {
            seen.recipients.push(recipient);
            return decisions.rcpt?.(recipient) ?? OK;
          },
          async data(message: Buffer) {
            seen.messages.push(message);
            return (await decisions.data?.()) ?? OK;
          },
          refused: (reply: Reply) => seen.refusals.push(reply),
        };
        return { kind: "open", transaction };
      },
      failed: (error) => seen.failures.push(error),
    },
  );
  // Not awaited: the test's clients are cut off by hooks that come after this one.
  t.after(() => void listener.close());
  return { ...listener, ...seen };
}

/** A client that has been greeted and has said EHLO. */
export async function hello(t: TestContext, server: HostPort): Promise<Wire> {
  const client = await dial(t, server);
  await client.reply();
  await client.ask("EHLO client.test");
  return client;
}

/** As a client must send it: dots at line starts doubled, the final dot behind. RFC 5321 §4.5.2. */
export function stuffed(message: string): string {
  const lines = `\r\n${message}`.replaceAll("\r\n.", "\r\n..").slice(2);
  return `${lines}.\r\n`;
}
