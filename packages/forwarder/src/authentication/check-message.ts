// The end of DATA, as far as the sender is concerned: what SPF, DKIM, DMARC and ARC say together, and what the next hop is
// told of it. Called by sender-check.ts.
import {
  type Content,
  fieldsNamed,
  lastUntrustedHop,
  type OctetRange,
  ownResultsIn,
  withoutRanges,
} from "@homing/mail";
import { asciiLower, NULL_PATH, type ReversePath, renderReversePath } from "@homing/srs-core";
import type { MailCommand } from "../smtp-session.ts";
import type { TrustedForwarder } from "../trust/trust-entry.ts";
import type { TrustedSeal } from "../trust/trusted-forwarders.ts";
import type { AuthenticationOptions } from "./authentication.ts";
import {
  contentVerdict,
  isSenderSigned,
  isSenderVerified,
  mayBeRefusedNext,
  type Verdict,
} from "./policy.ts";
import { refusalReply } from "./refusals.ts";
import { resultFields, resultsText } from "./result-fields.ts";
import type { AuthenticationResults, ContentResults } from "./results.ts";
import type { Known, MessageOutcome } from "./sender-check.ts";
import type { Hop, SpfOf } from "./spf-of.ts";

interface Message extends Known {
  readonly id: string;
  readonly content: Content;
  /** It came from a relay of ours: its trace says who was there. */
  readonly isRelayed: boolean;
  readonly spfOf: SpfOf;
}

/** What was looked at. */
interface Found {
  readonly hop: Hop;
  readonly results: AuthenticationResults;
}

interface Judgement {
  readonly verdict: Verdict;
  readonly trusted?: TrustedForwarder | undefined;
}

export async function checkMessage(
  options: AuthenticationOptions,
  command: MailCommand,
  message: Message,
): Promise<MessageOutcome> {
  if (message.policy.mode === "off") return notChecked(message);
  const hop = hopOf(options, command, message);
  if (hop === undefined) {
    options.report({ event: "not-authenticated", id: message.id, client: command.client.address });
    return notChecked(message);
  }
  const spf = await message.spfOf(hop);
  const { result, domain } = spf;
  const content = await options.check(message.content, { result, domain });
  const found: Found = { hop, results: { spf, content } };
  const judgement = await judge(options, command, message, found);
  const { verdict } = judgement;
  tell(options, command, message, { ...found, ...judgement });
  return verdict.action === "refuse" || verdict.action === "defer"
    ? refusal(options, command, { ...found, verdict })
    : acceptance(options, command, message, { ...found, verdict });
}

function notChecked({ content }: Message): MessageOutcome {
  return { kind: "accept", content, fields: "", isVerified: false, isTagged: false };
}

/** Undefined: nobody from outside had it, or a relay's words cannot be read. */
function hopOf(
  { isRelay, isTrusted }: AuthenticationOptions,
  { client }: MailCommand,
  { content, isRelayed }: Message,
): Hop | undefined {
  if (!isRelayed) return client;
  const hop = lastUntrustedHop(content.start, isRelay, client);
  return hop && isTrusted(hop.address) ? undefined : hop;
}

async function judge(
  options: AuthenticationOptions,
  { reversePath }: MailCommand,
  { policy, recipient }: Message,
  { hop, results }: Found,
): Promise<Judgement> {
  const { isOurDomain } = options;
  const trust = options.trust();
  const { headerFrom, arc } = results.content;
  const untrusted = {
    isTrustedForwarder: false,
    mayBeTrustedForwarder: false,
    isFromOurs: headerFrom.kind === "domain" && isOurDomain(headerFrom.domain),
  };
  const verdict = contentVerdict(policy, results, untrusted);
  const manner = {
    isRewritten: results.spf.result === "pass" && isRewritten(reversePath),
    isSealed: arc.result === "pass",
  };
  const asked = {
    client: hop.address,
    helo: hop.helo,
    recipient,
    seals: sealsOf(results.content),
  };
  if (verdict.action === "accept") {
    // Nobody is asked whose mail needs no trust: names of clients cost look-ups.
    const known = manner.isRewritten || manner.isSealed ? trust.known(asked) : undefined;
    if (known) trust.saw(known, manner);
    return { verdict };
  }
  const answer = await trust.lookUp(asked);
  const trusted = answer.kind === "trusted" ? answer.entry : undefined;
  if (trusted) trust.saw(trusted, manner);
  const circumstances = {
    ...untrusted,
    isTrustedForwarder: trusted !== undefined,
    mayBeTrustedForwarder: answer.kind === "unknown" || (arc.result === "temperror" && trust.hasSealers),
  };
  return { verdict: contentVerdict(policy, results, circumstances), trusted };
}

/** As SRS begins: whoever writes such senders rewrites. */
function isRewritten(reversePath: ReversePath): boolean {
  return reversePath !== NULL_PATH && /^srs[01][=+-]/i.test(reversePath.localPart);
}

const SOME_PASS = /\b(?:dmarc|dkim|spf)=pass\b/;
const DMARC = /\bdmarc=(\w+)/;

/** A seal says that the message is as it was, and not that it was good: what its sealer had found says that. */
function sealsOf({ arc, dmarc }: ContentResults): readonly TrustedSeal[] {
  if (arc.result !== "pass") return [];
  return arc.seals.map(({ domain, found }) => {
    const text = asciiLower(found);
    const [, dmarcThere = "none"] = DMARC.exec(text) ?? [];
    const isGood = dmarcThere === "pass" || (dmarcThere === "none" && dmarc.result !== "fail");
    return { domain, isGood: isGood && SOME_PASS.test(text) };
  });
}

function refusal(
  { whyLinks, now }: AuthenticationOptions,
  { reversePath }: MailCommand,
  { hop, results, verdict }: Found & Judgement,
): MessageOutcome {
  const sender = renderReversePath(reversePath);
  const reply = refusalReply({ verdict, hop, sender, ...results, at: now(), whyLinks });
  return { kind: "refuse", reason: verdict.fault ?? "", reply };
}

function acceptance(
  { authservId, hostname }: AuthenticationOptions,
  { reversePath, smtpUtf8 }: MailCommand,
  { content, listed }: Message,
  { hop, results, verdict }: Found & Judgement,
): MessageOutcome {
  const forged = forgedIn(content.start, authservId);
  const sender = renderReversePath(reversePath);
  const isSigned = reversePath !== NULL_PATH && isSenderSigned(results, asciiLower(reversePath.domain));
  return {
    kind: "accept",
    content: forged.length === 0 ? content : withoutRanges(content, forged),
    fields: resultFields({ authservId, hostname, hop, sender, results, verdict, listed, smtpUtf8 }),
    toSeal: { arc: results.content.arc, results: resultsText(results, hop, sender) },
    isVerified: isSenderVerified(results.spf) || isSigned,
    isTagged: verdict.action === "tag" || listed !== undefined,
  };
}

/** Filters behind us believe what we say in these. */
function forgedIn(start: Buffer, authservId: string): readonly OctetRange[] {
  const ranges = [...ownResultsIn(start, authservId), ...fieldsNamed(start, "x-homing-verdict")];
  return ranges.toSorted((one, other) => one.from - other.from);
}

function tell(
  { report }: AuthenticationOptions,
  { client, reversePath }: MailCommand,
  { id, listed }: Message,
  { hop, results, verdict, trusted }: Found & Judgement,
): void {
  const { spf, content } = results;
  const { headerFrom, dmarc, arc, dkim } = content;
  const { action, fault, instead, overridden } = verdict;
  report({
    event: "authenticated",
    ...{ id, session: client.session, client: hop.address },
    reversePath: renderReversePath(reversePath),
    spf: spf.result,
    ...(spf.mechanism === undefined ? {} : { mechanism: spf.mechanism }),
    dkim: dkim.map(({ domain, result, isAligned }) => ({ domain, result, aligned: isAligned })),
    headerFrom: headerFrom.kind === "domain" ? headerFrom.domain : "",
    ...{ dmarc: dmarc.result, policy: dmarc.policy, arc: arc.result },
    verdict: listed ? "tag" : action,
    ...(fault && action !== "accept" ? { fault } : {}),
    ...(instead || listed ? { would: instead ?? "refuse" } : {}),
    ...(listed ? { listed } : {}),
    ...(overridden ? { overridden } : {}),
    ...(trusted ? { trusted: { line: trusted.line, entry: trusted.entry, reason: trusted.reason } } : {}),
    atRisk: mayBeRefusedNext(results),
  });
}
