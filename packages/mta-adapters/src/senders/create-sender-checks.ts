// The checks of senders, put together: SPF, the settings of the recipient's domain, trusted forwarders. Made by the composition
// root, once for all adapters; its rules are those of the SMTP service (docs/authentication.md).
import { isIP } from "node:net";
import { type BounceGate, networkOf } from "@homing/bounce-handler/gate";
import type { Reply } from "@homing/mail";
import {
  checkSpf,
  postmasterActions,
  receivedSpfField,
  type SpfAnswer,
  type SpfQuestion,
  type SpfReason,
  type SpfResolver,
  type SpfRules,
  spfRefusal,
  spfVerdict,
} from "@homing/spf";
import { asciiLower, type Mailbox, parseMailbox, type UnixSeconds } from "@homing/srs-core";
import { withoutRootDot } from "../maps/root-dot.ts";
import type { SenderAsked, SenderChecks, SenderVerdict } from "./sender-checks.ts";
import { shared } from "./shared-questions.ts";

export interface SenderChecksOptions {
  readonly resolver: SpfResolver;
  /** Our name in Received-SPF and to `%{r}`. */
  readonly hostname: string;
  readonly now: () => UnixSeconds;
  readonly timeLimit: (seconds: number) => AbortSignal;
  /** Of the recipients at this domain; undefined: of all that have no other. */
  readonly actionsFor: (domain: string | undefined) => SpfRules;
  /** Of our own networks: never checked. */
  readonly isTrustedClient: (address: string) => boolean;
  /** A forwarder who does not rewrite, and is let through. Asked only about who would not be. */
  readonly trustOf: (asked: TrustQuestion) => Promise<"trusted" | "unknown" | "not-trusted">;
  /** The link of the page that says why. */
  readonly whyUrl?: ((facts: RefusedSender) => string) | undefined;
  /** An SRS address of ours that comes back as a sender, with a good tag, was sent on by somebody who does not rewrite. */
  readonly gate?: Pick<BounceGate, "judges" | "reverse"> | undefined;
}

export interface TrustQuestion {
  readonly client: string;
  readonly helo: string;
  readonly recipient: Mailbox | undefined;
}

/** What the page that says why tells. */
export interface RefusedSender {
  readonly fault: SpfReason;
  readonly action: "refuse" | "defer";
  readonly at: UnixSeconds;
  readonly client: string;
  readonly helo: string;
  /** The reverse-path; "" is the null sender. */
  readonly sender: string;
  readonly spf: SpfAnswer;
}

/** RFC 7208 §4.6.4 wants 20 s at least. */
const SPF_SECONDS = 20;
/** Postfix puts `<recipient>: Recipient address rejected: ` before it, and the line has 512 octets (RFC 5321 §4.5.3.1.5). */
const MAX_TEXT = 400;

export function createSenderChecks(options: SenderChecksOptions): SenderChecks {
  const { resolver, hostname, now, timeLimit, actionsFor, isTrustedClient } = options;
  const answerTo = shared(
    ({ client, helo, sender }: SpfQuestion) => JSON.stringify([client, helo, sender]),
    (question) => checkSpf(question, { resolver, now, receiver: hostname, signal: timeLimit(SPF_SECONDS) }),
  );
  return {
    async check(asked) {
      const { client, helo, recipient } = asked;
      const sender = withoutRootDot(asked.sender);
      if (isIP(client) !== 0 && isTrustedClient(client)) return undefined;
      const rules = actionsFor(recipient?.domain);
      if (rules.mode === "off") return undefined;
      const question = { client, helo, sender };
      const answer = await answerTo(question);
      const field = receivedSpfField(answer, question, hostname);
      return { ...(await judged(options, { ...asked, sender }, { rules, answer })), field, answer };
    },
  };
}

type Judged = Omit<SenderVerdict, "field" | "answer">;

async function judged(
  options: SenderChecksOptions,
  asked: SenderAsked,
  { rules, answer }: { readonly rules: SpfRules; readonly answer: SpfAnswer },
): Promise<Judged> {
  // Nobody is at a domain that names no sender who could not reach postmaster otherwise.
  const isLenient = isPostmaster(asked.recipient) && !answer.namesNobody;
  const verdict = spfVerdict(isLenient ? { ...rules, spf: postmasterActions(rules.spf) } : rules, answer);
  const { action, fault } = verdict;
  if (fault === undefined || action === "accept" || action === "tag") return verdict;
  if (isOurSender(options, asked)) return { action: "accept", fault };
  const { client, helo, recipient } = asked;
  const trust = await options.trustOf({ client, helo, recipient });
  if (trust === "trusted") return { action: "accept", fault, isTrustedForwarder: true };
  // He may be known when he comes again.
  const decided = trust === "unknown" ? "defer" : action;
  const reply = replyTo(options, asked, { fault, action: decided, answer });
  return { action: decided, fault, reply };
}

interface Refused extends Pick<RefusedSender, "fault" | "action"> {
  readonly answer: SpfAnswer;
}

function replyTo(
  { whyUrl, now }: SenderChecksOptions,
  { client, helo, sender }: SenderAsked,
  { fault, action, answer }: Refused,
): Reply {
  const url = whyUrl?.({ fault, action, at: now(), client, helo, sender, spf: answer });
  const { enhanced, text } = spfRefusal({ fault, action, client, answer, url, maxText: MAX_TEXT });
  return action === "refuse"
    ? { code: 550, enhanced: `5.${enhanced}`, text }
    : { code: 451, enhanced: `4.${enhanced}`, text };
}

function isPostmaster(recipient: Mailbox | undefined): boolean {
  return recipient !== undefined && asciiLower(recipient.localPart) === "postmaster";
}

/** Its own SPF says where we send from, not where those do who got our mail. */
function isOurSender({ gate, now }: SenderChecksOptions, { sender, client }: SenderAsked): boolean {
  if (!gate) return false;
  const parsed = parseMailbox(sender);
  if (!parsed.ok || !gate.judges(parsed.mailbox)) return false;
  const outcome = gate.reverse(parsed.mailbox, { now: now(), network: networkOf(client) });
  return outcome !== "too-many-guesses" && outcome.ok;
}
