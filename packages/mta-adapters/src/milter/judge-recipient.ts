// May this recipient have the message, and what is to be done for it? Asked at RCPT, where a refusal hurts nobody else.
// Called by session.ts.
import { type Admission, NOT_A_BOUNCE } from "@homing/bounce-handler/gate";
import type { Reply } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import { NO_SUCH_ADDRESS } from "../only-srs.ts";
import { type ForgedSender, forgedSender } from "../senders/forged-sender.ts";
import type { SenderVerdict } from "../senders/sender-checks.ts";
import { BAD_RECIPIENT, BAD_SENDER, LONG_RECIPIENT, LONG_SENDER } from "../spelling.ts";
import { type Accepted, foreignSender, type Message } from "./message.ts";
import type { MilterOptions } from "./milter-options.ts";
import type { Agreed } from "./negotiation.ts";
import { type MilterPath, mailboxOf, parseMilterPath } from "./path.ts";

export type Judged =
  | { readonly kind: "accept"; readonly accepted: Accepted }
  /** The reason is for the log. */
  | { readonly kind: "refuse"; readonly reason: string; readonly reply: Reply };

/** RFC 5321 §4.5.3.1.8 asks for 100; Postfix takes 1,000 (smtpd_recipient_limit). */
const MAX_RECIPIENTS = 1000;
const TOO_MANY: Judged = {
  kind: "refuse",
  reason: "too-many-recipients",
  reply: {
    code: 452,
    enhanced: "4.5.3",
    text: `no more than ${MAX_RECIPIENTS} recipients, send again to the others`,
  },
};

interface Asked {
  readonly options: MilterOptions;
  readonly agreed: Agreed;
  readonly message: Message;
}

/** A recipient whom nothing but the sender can keep from the message. */
interface Candidate extends Pick<Accepted, "path" | "mailbox" | "unwrapped"> {
  /** Its mail goes to another server of this site, which does what is left to do. */
  readonly isKept?: boolean;
}

export async function judgeRecipient(asked: Asked, path: string): Promise<Judged> {
  const { options, message } = asked;
  if (message.accepted.length >= MAX_RECIPIENTS) return TOO_MANY;
  const recipient = parseMilterPath(path, options.hostname);
  const unfit = tooLong(message.sender, recipient) ?? strangeRecipient(asked, recipient);
  if (unfit) return unfit;
  const mailbox = mailboxOf(recipient);
  if (mailbox && options.gate.judges(mailbox)) return judgeSrs(asked, path, mailbox);
  if (options.isNobody(recipient.text)) return refused("unknown-address", NO_SUCH_ADDRESS);
  return judgeSender(asked, { path, mailbox });
}

/** Whoever sends: a text is kept for each recipient, and a thousand of them for each connection. */
function tooLong(sender: MilterPath, recipient: MilterPath): Judged | undefined {
  if (recipient.fault === "too-long") return refused("recipient-too-long", LONG_RECIPIENT);
  return sender.fault === "too-long" ? refused("sender-too-long", LONG_SENDER) : undefined;
}

function strangeRecipient(asked: Asked, { fault }: MilterPath): Judged | undefined {
  return fault && strangerOf(asked) ? refused("recipient-spelling", BAD_RECIPIENT) : undefined;
}

/** Before SPF: a bounce has no sender that could be checked, and whoever guesses is told nothing else. */
async function judgeSrs(asked: Asked, path: string, mailbox: Mailbox): Promise<Judged> {
  const { options, agreed, message } = asked;
  const admission = admit(options, message, mailbox);
  if (admission.kind === "refuse") return admission;
  const { unwrapped } = admission;
  const isAnswer = unwrapped.srs === "srs0" && unwrapped.isAnswer;
  if (isAnswer && !options.takesAnswers) return refused("sender-not-null", NOT_A_BOUNCE);
  const isKept = options.bounces === "keep" || !agreed.mayChangeRecipients;
  const candidate: Candidate = isKept
    ? { path, mailbox, isKept }
    : { path, mailbox, unwrapped: unwrapped.to };
  return isAnswer
    ? judgeSender(asked, candidate)
    : accepted(candidate, { leaves: false, verdict: undefined });
}

function admit({ gate, now, networkOf }: MilterOptions, message: Message, recipient: Mailbox): Admission {
  const { sender, client } = message;
  // What cannot be read is a sender all the same, and no null one.
  if (sender.kind === "unreadable") return { kind: "refuse", reason: "sender-not-null", reply: NOT_A_BOUNCE };
  const network = client === undefined ? undefined : networkOf(client);
  return gate.admit(recipient, sender.address, { now: now(), network });
}

async function judgeSender(asked: Asked, candidate: Candidate): Promise<Judged> {
  if (asked.message.sender.fault && strangerOf(asked)) return refused("sender-spelling", BAD_SENDER);
  const forged = forgedBy(asked);
  if (forged) return { kind: "refuse", ...forged };
  const verdict = await checkSender(asked, candidate.mailbox);
  if (verdict?.reply && (verdict.action === "refuse" || verdict.action === "defer"))
    return refused(verdict.fault ?? `spf-${verdict.answer.result}`, verdict.reply);
  const leaves = await leavesRewritten(asked, candidate);
  return (leaves ? await cannotLeave(asked) : undefined) ?? accepted(candidate, { leaves, verdict });
}

/** Of strangers: users of the site and its own servers may have any sender. */
function forgedBy(asked: Asked): ForgedSender | undefined {
  const { options } = asked;
  const { sender } = asked.message;
  const network = strangerOf(asked);
  if (network === undefined || sender.kind === "unreadable") return undefined;
  return forgedSender(options, sender.address, { now: options.now(), network });
}

/** Its network; undefined of users of the site and its own servers. */
export function strangerOf({
  options: { networkOf },
  message,
}: Pick<Asked, "options" | "message">): string | undefined {
  const { client, isAuthenticated } = message;
  return client === undefined || isAuthenticated ? undefined : networkOf(client);
}

/** For each recipient: they have settings and trusted forwarders of their own. DNS is not asked twice for that. */
async function checkSender(
  { options, message }: Asked,
  recipient: Mailbox | undefined,
): Promise<SenderVerdict | undefined> {
  const { client, helo, sender, isAuthenticated } = message;
  if (client === undefined || isAuthenticated) return undefined;
  return await options.senders?.check({ client, helo, sender: sender.text, recipient });
}

/** Tables are asked before DNS, and neither where the sender stays whatever they say. */
async function leavesRewritten({ options, agreed, message }: Asked, candidate: Candidate): Promise<boolean> {
  if (!agreed.mayChangeSender || candidate.isKept || options.rewrite === "never") return false;
  const sender = foreignSender(message, options);
  if (sender === undefined) return false;
  if (options.rewrite === "leaving" && !(await mayLeave(options, candidate))) return false;
  if (sender === "unreadable" || !options.failsForUs) return true;
  message.failsForUs ??= options.failsForUs(sender);
  return await message.failsForUs;
}

/** What is no address at all may lead anywhere. */
async function mayLeave({ leavesSite }: MilterOptions, { mailbox, unwrapped }: Candidate): Promise<boolean> {
  const to = unwrapped ?? mailbox;
  return to === undefined || (await leavesSite(to)) !== "stays";
}

const NOT_KEPT: Reply = {
  code: 451,
  enhanced: "4.3.0",
  text: "the sender address is long, and cannot be kept now: try again later",
};
/** As receive.ts of the SMTP service has it. */
const NO_ROOM: Reply = {
  code: 451,
  enhanced: "4.1.7",
  text: "the sender address is too long, and there is no room to keep it now, try again later",
};

/**
 * At RCPT, so that other recipients, who may stay here, get the message. It is refused here rather than by the next server:
 * there it would fail SPF.
 */
async function cannotLeave(asked: Asked): Promise<Judged | undefined> {
  const { options, message } = asked;
  const { sender } = message;
  const network = strangerOf(asked);
  const outcome =
    sender.kind === "unreadable"
      ? undefined
      : await options.rewriter.forward(sender.address, options.now(), { network });
  if (outcome?.ok) return undefined;
  if (outcome?.reason === "not-kept") return refused("sender-not-kept", NOT_KEPT);
  if (outcome?.reason === "no-room") return refused("sender-no-room", NO_ROOM);
  const [reason, why] = outcome ? [outcome.reason, outcome.message] : ["bad-address", "it is no mailbox"];
  const text = `the sender address cannot be forwarded: ${why}`;
  return refused(`sender-${reason}`, { code: 550, enhanced: "5.1.7", text });
}

function accepted(
  { path, mailbox, unwrapped }: Candidate,
  found: Pick<Accepted, "leaves" | "verdict">,
): Judged {
  return { kind: "accept", accepted: { path, mailbox, ...(unwrapped ? { unwrapped } : {}), ...found } };
}

function refused(reason: string, reply: Reply): Judged {
  return { kind: "refuse", reason, reply };
}
