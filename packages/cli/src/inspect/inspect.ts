// Takes an SRS address apart, hop by hop, from the outermost to the original sender. Called by `homing inspect` and
// `homing batch`.
import {
  KEPT_LABEL,
  looksLikeSrs,
  type Mailbox,
  octets,
  parseDomain,
  parseSrs,
  type Rewriter,
  renderMailbox,
  type Srs0,
  type Srs1,
  sameDomain,
  type UnixSeconds,
} from "@homing/srs-core";
import { REVERSE_WORDS } from "../reverse-words.ts";
import type { Bounce, Hop, Inspection, Srs0Hop, StampFinding, TagFinding } from "./inspection.ts";
import { stampDays } from "./stamp-days.ts";

export interface InspectOptions {
  /** Has the secrets, and accepts the schemes that are tried. Without it no tag can be judged. */
  readonly rewriter: Rewriter | undefined;
  readonly maxAgeDays: number;
  readonly now: UnixSeconds;
  /** Domains whose tags were made with these secrets, or are wrong. Default: where one was found good, or else the address's. */
  readonly ownDomains?: readonly string[];
  /** The line of each secret in its file. */
  readonly secretLines?: readonly number[];
}

export type InspectOutcome =
  | { readonly ok: true; readonly inspection: Inspection }
  | { readonly ok: false; readonly reason: "not-srs" | "malformed"; readonly message: string };

/** RFC 5321 §4.5.3.1.1. */
const MAX_LOCAL_PART_OCTETS = 64;
/** Exim's ${srs_encode} has no option for it. */
const EXIM_MAX_AGE_DAYS = 10;

export function inspectAddress(address: Mailbox, options: InspectOptions): InspectOutcome {
  const outermost = parseSrs(address.localPart);
  if (outermost.kind === "not-srs") {
    return { ok: false, reason: "not-srs", message: REVERSE_WORDS["not-srs"] };
  }
  if (outermost.kind === "malformed") {
    return { ok: false, reason: "malformed", message: `${REVERSE_WORDS.malformed}: ${outermost.message}` };
  }
  const { hops, sender } = chain(address, { ...options, ownDomains: ownDomains(address, options) });
  return { ok: true, inspection: { address: renderMailbox(address), hops, sender } };
}

/** Whose the secrets are: where nobody says it, of the forwarders whose tags they made, or else of the outermost. */
function ownDomains(address: Mailbox, options: InspectOptions): readonly string[] {
  if (options.ownDomains || !options.rewriter) return options.ownDomains ?? [];
  const { hops } = chain(address, { ...options, ownDomains: [] });
  const signed = hops.filter((hop) => hop.kind !== "malformed" && hop.tag.verdict === "ok");
  return signed.length === 0 ? [address.domain] : signed.map((hop) => hop.forwarder);
}

function chain(address: Mailbox, options: Options): Pick<Inspection, "hops" | "sender"> {
  const hops: Hop[] = [];
  let next: Mailbox | null = address;
  while (next && looksLikeSrs(next.localPart)) {
    const step = takeOff(next, options);
    hops.push(step.hop);
    next = step.inner;
  }
  return { hops, sender: next && renderMailbox(next) };
}

interface Step {
  readonly hop: Hop;
  readonly inner: Mailbox | null;
}

type Options = InspectOptions & Required<Pick<InspectOptions, "ownDomains">>;

function takeOff(address: Mailbox, options: Options): Step {
  const rendered = renderMailbox(address);
  const size = octets(rendered) - octets(address.domain) - 1;
  const common = {
    address: rendered,
    forwarder: address.domain,
    localPart: { octets: size, limit: MAX_LOCAL_PART_OCTETS },
  };
  const srs = parseSrs(address.localPart);
  if (srs.kind === "not-srs" || srs.kind === "malformed") {
    const message = srs.kind === "malformed" ? srs.message : REVERSE_WORDS["not-srs"];
    const bounce = { answer: "refused", reason: "malformed" } as const;
    return { hop: { kind: "malformed", ...common, message, bounce }, inner: null };
  }
  const tag = judgeTag(address, srs, options);
  const inner = innerAddress(srs);
  if (srs.kind === "srs1") {
    const { separator, host, rest } = srs;
    const bounce = foresee(tag, undefined, inner);
    return {
      hop: { kind: "srs1", ...common, separator, tag, host, rest, bounce },
      inner: innerMailbox(inner),
    };
  }
  const { kind, separator, domain, user } = srs;
  const stamp = judgeStamp(srs.stamp, tag, options);
  const bounce = foresee(tag, stamp, inner);
  const kept = inner === "kept";
  const hop: Srs0Hop = { kind, ...common, separator, tag, stamp, domain, user, kept, bounce };
  return { hop, inner: innerMailbox(inner) };
}

type Inner = Mailbox | "kept" | "malformed";

function innerAddress(srs: Srs0 | Srs1): Inner {
  if (srs.kind === "srs0" && srs.domain === KEPT_LABEL) return "kept";
  const [localPart, domain] = srs.kind === "srs0" ? [srs.user, srs.domain] : [`SRS0${srs.rest}`, srs.host];
  return parseDomain(domain).ok ? { localPart, domain } : "malformed";
}

function innerMailbox(inner: Inner): Mailbox | null {
  return typeof inner === "string" ? null : inner;
}

function judgeTag(address: Mailbox, srs: Srs0 | Srs1, options: Options): TagFinding {
  const text = srs.tag;
  const { rewriter, now, ownDomains, secretLines } = options;
  if (!rewriter) return unverifiable(text, "no-secret");
  // On the day of the stamp, so that the tag of an old address is judged, too.
  const outcome = rewriter.reverse(address, srs.kind === "srs0" ? stampDays(srs.stamp, now).noon : now);
  if (outcome.ok) {
    const { scheme, secretIndex, selector } = outcome;
    const secretLine = secretLines?.[secretIndex];
    return {
      text,
      verdict: "ok",
      scheme,
      secretIndex,
      ...(secretLine === undefined ? {} : { secretLine }),
      ...(selector === undefined ? {} : { selector }),
    };
  }
  // Any other reason comes after the tag: somebody with the secret signed what cannot be reversed.
  if (outcome.reason !== "bad-tag") return { text, verdict: "ok" };
  const ours = ownDomains.some((domain) => sameDomain(domain, address.domain));
  return ours ? { text, verdict: "wrong" } : unverifiable(text, "another-forwarder");
}

/** A strong tag of 8 characters, and a selector of 6. */
const STRONG_WITH_SELECTOR = /^[a-z2-7]{8}([a-z2-7]{6})$/;

function unverifiable(text: string, why: "no-secret" | "another-forwarder"): TagFinding {
  const [, selector] = STRONG_WITH_SELECTOR.exec(text.toLowerCase()) ?? [];
  return { text, verdict: "unverifiable", why, ...(selector === undefined ? {} : { selector }) };
}

function judgeStamp(text: string, tag: TagFinding, options: Options): StampFinding {
  const { ageDays, date, before } = stampDays(text, options.now);
  const exim = tag.verdict === "ok" && tag.scheme === "exim";
  const daysLeft = (exim ? Math.min(options.maxAgeDays, EXIM_MAX_AGE_DAYS) : options.maxAgeDays) - ageDays;
  const state = ageDays < 0 ? "future" : daysLeft < 0 ? "expired" : "good";
  return { text, date, before, ageDays, daysLeft, state };
}

/** In the order in which a verifier looks: tag, date, content. */
function foresee(tag: TagFinding, stamp: StampFinding | undefined, inner: Inner): Bounce {
  if (tag.verdict === "wrong") return { answer: "refused", reason: "bad-tag" };
  if (stamp && stamp.state !== "good") return { answer: "refused", reason: stamp.state };
  if (inner === "malformed") return { answer: "refused", reason: "malformed" };
  return {
    answer: tag.verdict === "ok" ? "accepted" : "unknown",
    to: inner === "kept" ? null : renderMailbox(inner),
  };
}
