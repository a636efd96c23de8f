// Checks who sends, for one transaction: SPF and the lists at RCPT, the message's own signatures at the end of DATA. Made by
// authentication.ts for each transaction that is checked, called by receive.ts.
import type { Content, Reply } from "@homing/mail";
import { postmasterActions, type SpfAnswer } from "@homing/spf";
import { asciiLower, type Mailbox, NULL_PATH, type ReversePath, renderReversePath } from "@homing/srs-core";
import type { MailCommand } from "../smtp-session.ts";
import type { TrustAnswer } from "../trust/trusted-forwarders.ts";
import type { AuthenticationOptions } from "./authentication.ts";
import { checkMessage } from "./check-message.ts";
import { hasDmarcRecord } from "./dmarc-record.ts";
import { isSenderVerified, isSettledBySpf, type Mark, spfVerdict, type Verdict } from "./policy.ts";
import { refusalReply } from "./refusals.ts";
import type { ToSeal } from "./results.ts";
import { deferred, listedBy } from "./sender-lists.ts";
import type { AuthenticationPolicy } from "./settings.ts";
import { createSpfOf } from "./spf-of.ts";

export interface SenderCheck {
  /** Of a recipient that leads somewhere. */
  rcpt(recipient: Mailbox): Promise<RcptOutcome>;
  /** After RCPT: a bounce would go to somebody who sent the mail. */
  isVerified(): boolean;
  /** At the end of DATA. @param content held by the caller */
  message(id: string, content: Content): Promise<MessageOutcome>;
  /** A bounce is never refused for its sender (RFC 7208 §2.4 is about mail): what SPF says goes to the log. */
  bounce(id: string): Promise<void>;
}

export type RcptOutcome =
  | { readonly kind: "go-on" }
  /** It has other rules than those before it, or other trusted forwarders: the final dot has one answer. */
  | { readonly kind: "apart" }
  | Refused;

export interface Refused {
  readonly kind: "refuse";
  readonly reason: string;
  readonly reply: Reply;
}

export type MessageOutcome =
  | Refused
  | {
      readonly kind: "accept";
      /** Without fields that pretend to be ours. */
      readonly content: Content;
      /** Ours, with their CRLF, for above the Received field. */
      readonly fields: string;
      /** What an ARC set would say; none where nothing was looked at. */
      readonly toSeal?: ToSeal;
      readonly isVerified: boolean;
      /** Marked as suspect: the queue does not have it if it need not. */
      readonly isTagged: boolean;
    };

/** What is known when the message comes. */
export interface Known {
  readonly policy: AuthenticationPolicy;
  readonly recipient: Mailbox;
  /** A list, at RCPT, in a week of `tagOnly`. */
  readonly mark?: Mark;
}

const GO_ON: RcptOutcome = { kind: "go-on" };

export function createSenderCheck(options: AuthenticationOptions, command: MailCommand): SenderCheck {
  const { client } = command;
  const sender = renderReversePath(command.reversePath);
  const isRelayed = options.isRelay(client.address);
  const isOurSender = isSrsSender(options, command.reversePath);
  const spfOf = createSpfOf(options, command);
  let known: Known | undefined;
  let answer: SpfAnswer | undefined;

  const trustIn = async (recipient: Mailbox): Promise<TrustAnswer["kind"]> => {
    const { address, helo } = client;
    return (await options.trust().lookUp({ client: address, helo, recipient })).kind;
  };

  /** Of a relay of ours, the message tells who came to it. */
  const judge = async (policy: AuthenticationPolicy, recipient: Mailbox): Promise<RcptOutcome> => {
    const listed = await listedBy(options, policy, client.address, command.reversePath);
    if (listed && policy.mode === "enforce") {
      const trust = await trustIn(recipient);
      if (trust !== "trusted")
        return { kind: "refuse", ...(trust === "unknown" ? deferred(listed) : listed) };
    }
    if (listed) known = { policy, recipient, mark: listed.reason };
    answer = await spfOf(client);
    if (isOurSender) return GO_ON;
    // Nobody is at such a domain who could not reach postmaster otherwise.
    const rules = answer.namesNobody ? options.policyFor(recipient.domain) : policy;
    const verdict = spfVerdict(rules, answer);
    const isHard = verdict.action === "refuse" || verdict.action === "defer";
    if (!isHard || !(await isSettled(options, answer, verdict))) return GO_ON;
    // Who may be trusted is asked about once more at the end of DATA.
    if ((await trustIn(recipient)) !== "not-trusted") return GO_ON;
    const { now, whyLinks } = options;
    const reply = refusalReply({ verdict, hop: client, sender, spf: answer, at: now(), whyLinks });
    return { kind: "refuse", reason: verdict.fault ?? "", reply };
  };

  return {
    async rcpt(named) {
      const recipient = { ...named, domain: options.mainDomain(named.domain) };
      const policy = policyOf(options, recipient);
      if (known) {
        const isAlike = known.policy === policy && options.trust().areAlike(known.recipient, recipient);
        return isAlike ? GO_ON : { kind: "apart" };
      }
      const outcome = policy.mode === "off" || isRelayed ? GO_ON : await judge(policy, recipient);
      if (outcome.kind === "go-on") known ??= { policy, recipient };
      else known = undefined;
      return outcome;
    },

    isVerified: () => answer !== undefined && isSenderVerified(answer),

    async message(id, content) {
      if (!known) throw new Error("a message without a recipient was checked");
      return await checkMessage(options, command, { ...known, id, content, isRelayed, isOurSender, spfOf });
    },

    async bounce(id) {
      if (isRelayed) return;
      const { result, domain } = await spfOf(client);
      options.report({ event: "bounce-client", id, client: client.address, spf: result, domain });
    },
  };
}

/** One with a bad tag is refused at MAIL. */
function isSrsSender({ isSrsDomain }: AuthenticationOptions, reversePath: ReversePath): boolean {
  return reversePath !== NULL_PATH && isSrsDomain(reversePath.domain);
}

function policyOf(
  { policyFor }: AuthenticationOptions,
  { localPart, domain }: Mailbox,
): AuthenticationPolicy {
  const policy = policyFor(domain);
  return asciiLower(localPart) === "postmaster" ? lenient(policy) : policy;
}

const LENIENT = new WeakMap<AuthenticationPolicy, AuthenticationPolicy>();

/**
 * RFC 5321 §4.5.1: whoever cannot send us mail any more must be able to say so. What the author's domain asks to have
 * refused is refused here, too: postmaster's mail may leave under our name like any other.
 * @returns the same value each time: recipients with the same rules share a transaction
 */
function lenient(policy: AuthenticationPolicy): AuthenticationPolicy {
  const known = LENIENT.get(policy);
  if (known) return known;
  const made = { ...policy, spf: postmasterActions(policy.spf), dnsbl: [], rhsbl: [] };
  LENIENT.set(policy, made);
  return made;
}

/** DNS that does not answer now may answer later; a fail waits for the message where a signature or a sealer may help. */
async function isSettled(
  { resolver, trust }: AuthenticationOptions,
  answer: SpfAnswer,
  { action }: Verdict,
): Promise<boolean> {
  if (action === "defer") return true;
  if (answer.namesNobody) return true;
  if (trust().hasSealers) return false;
  return isSettledBySpf(answer, await hasDmarcRecord(resolver.txt, answer.domain));
}
