// Postfix's policy delegation (SMTPD_POLICY_README): may this recipient have this mail? SRS recipients are admitted or refused
// before any canonical map sees them, and senders checked for SPF. See docs/policy.md. Listened for by the composition root.
import { isIP } from "node:net";
import { type BounceGate, NOT_A_BOUNCE, networkOf } from "@homing/bounce-handler/gate";
import { type Reply, renderReply } from "@homing/mail";
import { asciiLower, type Mailbox, parseMailbox, parseReversePath, type UnixSeconds } from "@homing/srs-core";
import type { AdapterReport } from "../adapter-events.ts";
import { NO_SUCH_ADDRESS } from "../only-srs.ts";
import { forgedSender } from "../senders/forged-sender.ts";
import type { SenderChecks } from "../senders/sender-checks.ts";
import { BAD_RECIPIENT, BAD_SENDER, isStrangelySpelt } from "../spelling.ts";
import type { Protocol } from "../wire/protocol.ts";
import { createMarkedMessages, type MarkedMessages } from "./marked-messages.ts";
import { DUNNO, type PolicyAction, renderPolicyAction } from "./policy-action.ts";
import { parsePolicyAddress } from "./policy-address.ts";
import { createPolicyReader, type PolicyRequest } from "./policy-request.ts";
import { receivedSpfLine } from "./received-spf-line.ts";

export interface PolicyOptions {
  /** Knows the SRS domains, verifies, and holds guessers back. */
  readonly gate: Pick<BounceGate, "judges" | "admit" | "reverse">;
  readonly senders: SenderChecks;
  /** Of a text that is no SRS address: is it at a domain that has only those? */
  readonly isNobody: (recipient: string) => boolean;
  /** Our own networks: what comes from there is nobody's guess, and its sender is not checked. */
  readonly isTrustedClient: (address: string) => boolean;
  /** What becomes of mail to a good SRS address that has a sender of its own. */
  readonly autoReplies: "refuse" | "accept";
  /** Our name in Received-SPF. */
  readonly hostname: string;
  readonly now: () => UnixSeconds;
  readonly report: AdapterReport;
}

/** Longer than Postfix keeps a connection that it does not use: smtpd_policy_service_max_idle is 300 s. */
const IDLE_SECONDS = 600;
/** Not null, and nobody's: Postfix takes senders that are no mailbox, as `MAIL FROM:<bob>`. */
const UNREADABLE: Mailbox = { localPart: "unreadable", domain: "unreadable.invalid" };

export function policyProtocol(options: PolicyOptions): Protocol<PolicyRequest> {
  // Of all connections: two services in one list of restrictions are two connections.
  const marked = createMarkedMessages();
  return {
    createReader: createPolicyReader,
    createSession: () => ({
      answer(request) {
        const action = actionFor(options, marked, request);
        return action instanceof Promise ? action.then(renderPolicyAction) : renderPolicyAction(action);
      },
    }),
    idleSeconds: IDLE_SECONDS,
  };
}

function actionFor(
  options: PolicyOptions,
  marked: MarkedMessages,
  asked: PolicyRequest,
): PolicyAction | Promise<PolicyAction> {
  // Only there is there one recipient, and a reply that is for him alone.
  if (asked.protocol_state !== "RCPT") return DUNNO;
  const request: PolicyRequest = {
    ...asked,
    sender: parsePolicyAddress(asked.sender),
    recipient: parsePolicyAddress(asked.recipient),
  };
  const { client_address: client } = request;
  const isKnown = isIP(client) !== 0;
  const isTrusted = isKnown && options.isTrustedClient(client);
  const isStranger = !isTrusted && request.sasl_username === "";
  // Through a server of ours others come: they are not its doing.
  const network = isKnown && !isTrusted ? networkOf(client) : undefined;
  const { report } = options;
  if (isStranger && isStrangelySpelt(request.recipient))
    return refused({ report, request, reply: BAD_RECIPIENT, reason: "recipient-spelling" });
  const bounce = recipientVerdict(options, request, network);
  if (bounce !== "no-bounce") return bounce;
  if (isStranger && isStrangelySpelt(request.sender))
    return refused({ report, request, reply: BAD_SENDER, reason: "sender-spelling" });
  if (!isKnown || !isStranger) return DUNNO;
  const sender = parseReversePath(request.sender);
  const forged = sender.ok && forgedSender(options, sender.reversePath, { now: options.now(), network });
  if (forged) return refused({ report, request, ...forged });
  return senderAction(options, marked, request);
}

/** A bounce is never refused for its sender (RFC 7208 §2.4 is about mail): who has the tag has got our mail. */
function recipientVerdict(
  { gate, isNobody, now, autoReplies, report }: PolicyOptions,
  request: PolicyRequest,
  network: string | undefined,
): PolicyAction | "no-bounce" {
  const recipient = parseMailbox(request.recipient);
  if (!recipient.ok || !gate.judges(recipient.mailbox)) {
    return isNobody(request.recipient)
      ? refused({ report, request, reply: NO_SUCH_ADDRESS, reason: "unknown-address" })
      : "no-bounce";
  }
  const sender = parseReversePath(request.sender);
  const admission = gate.admit(recipient.mailbox, sender.ok ? sender.reversePath : UNREADABLE, {
    now: now(),
    network,
  });
  if (admission.kind === "refuse") {
    const { reply, reason } = admission;
    return refused({ report, request, reply, reason });
  }
  const { unwrapped } = admission;
  if (unwrapped.srs === "srs1" || !unwrapped.isAnswer) return DUNNO;
  // It is no bounce: where it is taken, its sender is checked like any other.
  return autoReplies === "accept"
    ? "no-bounce"
    : refused({ report, request, reply: NOT_A_BOUNCE, reason: "sender-not-null" });
}

async function senderAction(
  { senders, hostname, now, report }: PolicyOptions,
  marked: MarkedMessages,
  request: PolicyRequest,
): Promise<PolicyAction> {
  const { client_address: client, helo_name: helo, sender, instance } = request;
  const asked = { client, helo, sender, recipient: recipientOf(request, hostname) };
  const question = marked.begin(instance);
  try {
    const verdict = await senders.check(asked);
    if (!verdict) return DUNNO;
    const { reply, fault, answer } = verdict;
    if (reply) return refused({ report, request, reply, reason: fault ?? "" });
    // Not before a recipient is let in, by an answer that is heard: a message without one has no header.
    if (!question.isAwaited() || !marked.mark(instance, now() * 1000)) return DUNNO;
    return { kind: "prepend", field: receivedSpfLine(answer, asked, hostname) };
  } finally {
    question.end();
  }
}

/** Undefined is nobody's in particular: the settings of all. */
function recipientOf({ recipient }: PolicyRequest, hostname: string): Mailbox | undefined {
  // RFC 5321 §4.5.1: the one that has no domain.
  if (asciiLower(recipient) === "postmaster") return { localPart: recipient, domain: hostname };
  const parsed = parseMailbox(recipient);
  return parsed.ok ? parsed.mailbox : undefined;
}

interface Refused extends Pick<PolicyOptions, "report"> {
  readonly request: PolicyRequest;
  readonly reply: Reply;
  readonly reason: string;
}

function refused({ report, request, reply, reason }: Refused): PolicyAction {
  const { client_address: client, sender, recipient } = request;
  const told = { client, reversePath: sender, recipient, reason, reply: renderReply(reply) };
  report({ event: "adapter-refused", adapter: "policy", ...told });
  return { kind: "reply", reply };
}
