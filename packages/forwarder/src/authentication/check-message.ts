// The end of DATA, as far as the sender is concerned: what SPF, DKIM, DMARC and ARC say together, and what the next hop is
// told of it. Called by sender-check.ts.
import { type Content, isLocalSubmission, lastUntrustedHop } from "@homing/mail";
import type { SpfAnswer } from "@homing/spf";
import { asciiLower, NULL_PATH, type ReversePath, renderReversePath } from "@homing/srs-core";
import type { MailCommand } from "../smtp-session.ts";
import type { TrustedForwarder } from "../trust/trust-entry.ts";
import type { AuthenticationOptions } from "./authentication.ts";
import {
  contentVerdict,
  isList,
  isSenderSigned,
  isSenderVerified,
  type Mark,
  mayBeRefusedNext,
  type Verdict,
} from "./policy.ts";
import { refusalReply } from "./refusals.ts";
import { resultFields, resultsText } from "./result-fields.ts";
import type { AuthenticationResults, HeaderFrom } from "./results.ts";
import { asGood, sealsOf } from "./seals.ts";
import type { Known, MessageOutcome } from "./sender-check.ts";
import { listedBy } from "./sender-lists.ts";
import type { Hop, SpfOf } from "./spf-of.ts";
import { withoutForged } from "./without-forged.ts";

interface Message extends Known {
  readonly id: string;
  readonly content: Content;
  /** It came from a relay of ours: its trace says who was there. */
  readonly isRelayed: boolean;
  /** An SRS address of ours, with a good tag. */
  readonly isOurSender: boolean;
  readonly spfOf: SpfOf;
}

/** What was looked at. */
interface Found {
  readonly hop: Hop;
  readonly results: AuthenticationResults;
  readonly mark?: Mark | undefined;
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
  const { policy, isRelayed, content: octets } = message;
  const { client, reversePath } = command;
  if (policy.mode === "off") return notChecked(withoutForged(octets, options.authservId));
  const hop = isRelayed ? lastUntrustedHop(octets.start, options.isRelay, client) : client;
  const isOwn = hop
    ? options.isTrusted(hop.address)
    : options.isTrusted(client.address) && isLocalSubmission(octets.start);
  if (isRelayed && isOwn) return notChecked(octets);
  const listed = isRelayed && hop ? await listedBy(options, policy, hop.address, reversePath) : undefined;
  const spf = hop ? await message.spfOf(hop) : spfOfNobody(command);
  const content = await options.check(octets, { result: spf.result, domain: spf.domain });
  const suspected = hop ? (listed?.reason ?? message.mark) : "unknown-client";
  const seen: Found = { hop: hop ?? client, results: { spf, content }, mark: suspected };
  const judgement = await judge(options, command, message, seen);
  const { verdict, trusted } = judgement;
  if (listed && policy.mode === "enforce" && !trusted) return { kind: "refuse", ...listed };
  const mark = trusted && isList(suspected) ? undefined : suspected;
  const found: Found = { ...seen, mark };
  tell(options, command, message, { ...found, ...judgement });
  if (verdict.action === "refuse" || verdict.action === "defer")
    return refusal(options, command, { ...found, verdict });
  return acceptance(options, command, message, { ...found, verdict });
}

function notChecked(content: Content): MessageOutcome {
  return { kind: "accept", content, fields: "", isVerified: false, isTagged: false };
}

/** A relay's words cannot be read: everything but SPF can be asked all the same. */
function spfOfNobody({ reversePath }: MailCommand): SpfAnswer {
  return {
    result: "none",
    identity: "mailfrom",
    domain: reversePath === NULL_PATH ? "" : asciiLower(reversePath.domain),
    sender: renderReversePath(reversePath),
    problem: "a relay does not say who sent it",
    ...{ path: [], trace: [], namesNobody: false, passesEverybody: false, lookups: 0, voidLookups: 0 },
  };
}

async function judge(
  options: AuthenticationOptions,
  { reversePath }: MailCommand,
  { policy, recipient, isOurSender }: Message,
  { hop, results, mark }: Found,
): Promise<Judgement> {
  const trust = options.trust();
  const { headerFrom, arc } = results.content;
  const untrusted = {
    isTrustedForwarder: false,
    mayBeTrustedForwarder: false,
    isFromOurs: authorsOf(headerFrom).some((domain) => isOurs(options, domain)),
    isOurSender,
    isUnknownClient: mark === "unknown-client",
    isNullSender: reversePath === NULL_PATH,
  };
  const verdict = contentVerdict(policy, results, untrusted);
  const manner = {
    isRewritten: results.spf.result === "pass" && isRewritten(reversePath),
    isSealed: arc.result === "pass",
  };
  const seals = sealsOf(results.content);
  // An entry that names the relay says nothing of who came to it.
  const from = untrusted.isUnknownClient ? { client: "" } : { client: hop.address, helo: hop.helo };
  const asked = { ...from, recipient, seals };
  if (verdict.action === "accept" && !isList(mark)) {
    // Nobody is asked whose mail needs no trust: names of clients cost look-ups.
    const known = manner.isRewritten || manner.isSealed ? trust.known(asked) : undefined;
    if (known) trust.saw(known, manner);
    return { verdict };
  }
  const answer = await trust.lookUp(asked);
  const trusted = answer.kind === "trusted" ? answer.entry : undefined;
  // Whatever it looks like: here it was needed.
  if (trusted) trust.saw(trusted, { isRewritten: false, isSealed: false });
  const isUnchecked = (): boolean =>
    arc.result === "temperror" && trust.known({ ...asked, seals: asGood(arc.seals) }) !== undefined;
  const circumstances = {
    ...untrusted,
    isTrustedForwarder: trusted !== undefined,
    mayBeTrustedForwarder: answer.kind === "unknown" || isUnchecked(),
  };
  return { verdict: contentVerdict(policy, results, circumstances), trusted };
}

function authorsOf(headerFrom: HeaderFrom): readonly string[] {
  if (headerFrom.kind === "too-long") return [];
  return headerFrom.kind === "domain" ? [headerFrom.domain] : headerFrom.domains;
}

/** Or below one of ours: nobody else's mail comes from there. */
function isOurs({ isOurDomain }: AuthenticationOptions, domain: string): boolean {
  const labels = domain.split(".");
  return labels.some((_, at) => isOurDomain(labels.slice(at).join(".")));
}

/** As SRS begins: whoever writes such senders rewrites. */
function isRewritten(reversePath: ReversePath): boolean {
  return reversePath !== NULL_PATH && /^srs[01][=+-]/i.test(reversePath.localPart);
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
  { content }: Message,
  { hop, results, verdict, mark }: Found & Judgement,
): MessageOutcome {
  const sender = renderReversePath(reversePath);
  const isSigned = reversePath !== NULL_PATH && isSenderSigned(results, asciiLower(reversePath.domain));
  return {
    kind: "accept",
    content: withoutForged(content, authservId),
    fields: resultFields({ authservId, hostname, hop, sender, results, verdict, mark, smtpUtf8 }),
    toSeal: { arc: results.content.arc, results: resultsText(results, hop, sender) },
    isVerified: isSenderVerified(results.spf) || isSigned,
    isTagged: verdict.action === "tag" || mark !== undefined,
  };
}

function tell(
  { report }: AuthenticationOptions,
  { client, reversePath }: MailCommand,
  { id }: Message,
  { hop, results, verdict, trusted, mark }: Found & Judgement,
): void {
  const { spf, content } = results;
  const { headerFrom, dmarc, arc, dkim } = content;
  const { action, fault, would, overridden } = verdict;
  if (mark === "unknown-client") report({ event: "not-authenticated", id, client: hop.address });
  report({
    event: "authenticated",
    ...{ id, session: client.session, client: hop.address },
    reversePath: renderReversePath(reversePath),
    spf: spf.result,
    ...(spf.mechanism === undefined ? {} : { mechanism: spf.mechanism }),
    dkim: dkim.map(({ domain, result, isAligned }) => ({ domain, result, aligned: isAligned })),
    headerFrom: headerFrom.kind === "domain" ? headerFrom.domain : "",
    ...{ dmarc: dmarc.result, policy: dmarc.policy, arc: arc.result },
    verdict: mark && action === "accept" ? "tag" : action,
    ...(fault && action !== "accept" ? { fault } : {}),
    ...(would || isList(mark) ? { would: would ?? "refuse" } : {}),
    ...(mark ? { mark } : {}),
    ...(overridden ? { overridden } : {}),
    ...(trusted ? { trusted: { line: trusted.line, entry: trusted.entry, reason: trusted.reason } } : {}),
    atRisk: mayBeRefusedNext(results),
  });
}
