// A message that was accepted, on its way: each recipient gets its lead, with our fields on top, and the hand-over or the bounce
// desk takes it. Called by receive.ts.
import { type Reply, receivedField, type Trace } from "@homing/mail";
import { type Mailbox, NULL_PATH } from "@homing/srs-core";
import type { MessageOutcome } from "./authentication/sender-check.ts";
import type { RcptDsn } from "./dsn-parameters.ts";
import type { Lead } from "./hand-over/incoming.ts";
import type { ReceiveOptions } from "./receive.ts";
import type { ClientPresence, MailCommand } from "./smtp-session.ts";
import type { Accepted, TransactionReport } from "./transaction-report.ts";

/** With what the client asked of DSNs about it. */
export interface Taken extends Accepted {
  readonly dsn: RcptDsn | undefined;
}

/** What the check of the sender left of the message, and found. */
export type CheckedMessage = Omit<Extract<MessageOutcome, { kind: "accept" }>, "kind">;

export interface Passing {
  readonly id: string;
  readonly accepted: readonly Taken[];
  readonly checked: CheckedMessage;
  /** Of the message as it came. */
  readonly trace: Trace;
  /** A bounce may be owed to its sender. */
  readonly isOwed: boolean;
  readonly client: ClientPresence;
}

export async function passOn(
  options: ReceiveOptions,
  command: MailCommand,
  report: TransactionReport,
  { id, accepted, checked, trace: before, isOwed, client }: Passing,
): Promise<Reply> {
  const { content, fields: found, toSeal } = checked;
  for (const one of accepted) report.received(id, one, content.octets);
  const copies = accepted.flatMap((one) => (one.route.kind === "alias" ? one.copies : []));
  const topOf = await options.topFields.of({ id, content, found, toSeal }, copies);
  const leads = accepted.map(({ recipient, route, copies, dsn }): Lead => {
    // A bounce comes from the server behind an alias: the original sender must not learn who that is (ADR 0013).
    const from = route.kind === "bounce" ? undefined : command.client;
    let written: string | undefined;
    // Of a bounce that is told in our own words nobody asks for it.
    const trace = (): string => {
      written ??= receivedField({
        from,
        protocol: command.client.protocol,
        by: options.hostname,
        id,
        loopToken: options.loopTokens.mint(recipient, before.messageId),
        headerMark: headerMark(options, command, route, recipient, before),
        recipient,
        now: options.now(),
      });
      return written;
    };
    // RFC 3461 §6.1: a bounce has no sender who could be told.
    const asked = route.kind === "bounce" ? undefined : dsn;
    const top = route.kind === "alias" ? topOf(recipient) : undefined;
    return { recipient, copies, dsn: asked, top, trace };
  });
  const unwrapped = accepted.map(({ route }) => (route.kind === "bounce" ? route.unwrapped : undefined))[0];
  const isBounce = unwrapped !== undefined && !(unwrapped.srs === "srs0" && unwrapped.isAnswer);
  // One that comes from an SRS address of ours is as one from nobody: nothing may ever be returned to it.
  const heard: MailCommand = isBounce ? { ...command, reversePath: NULL_PATH } : command;
  const mail = { id, command: heard, client, content, leads };
  const reply =
    unwrapped?.srs === "srs0"
      ? await options.bounces.take(mail, unwrapped)
      : await options.handOver(mail, isOwed && !isBounce);
  report.answered(id, reply);
  return reply;
}

/** Only mail whose bounces come back here needs one. */
function headerMark(
  { headerMarks }: ReceiveOptions,
  { reversePath }: MailCommand,
  { kind }: Accepted["route"],
  recipient: Mailbox,
  { identity }: Trace,
): string {
  if (kind !== "alias" || reversePath === NULL_PATH) return "";
  return headerMarks.mint(reversePath, recipient, identity);
}
