// Takes an SRS address apart, hop by hop, from the outermost to the original sender. Called by `homing inspect` and
// `homing batch`.
import {
  EXIM_MAX_AGE_DAYS,
  innerAddress,
  KEPT_LABEL,
  localPartOctets,
  looksLikeSrs,
  MAX_LOCAL_PART_OCTETS,
  type Mailbox,
  type ParsedSrs,
  parseSrs,
  type ReverseOutcome,
  type Rewriter,
  renderMailbox,
  sameDomain,
  type UnixSeconds,
} from "@homing/srs-core";
import { REVERSE_WORDS } from "../reverse-words.ts";
import type { Bounce, Hop, Inspection, StampFinding, TagFinding } from "./inspection.ts";
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

export function inspectAddress(address: Mailbox, options: InspectOptions): InspectOutcome {
  const outermost = parseSrs(address.localPart);
  if (outermost.kind === "not-srs") {
    return { ok: false, reason: "not-srs", message: REVERSE_WORDS["not-srs"] };
  }
  if (outermost.kind === "malformed") {
    return { ok: false, reason: "malformed", message: `${REVERSE_WORDS.malformed}: ${outermost.message}` };
  }
  const layers = peel(address, options);
  const last = layers.at(-1)?.inner;
  const judged = { ...options, ownDomains: ownDomains(address, layers, options) };
  const hops = layers.map((layer) => hopOf(layer, judged));
  const sender = last && typeof last !== "string" ? renderMailbox(last) : null;
  return { ok: true, inspection: { address: renderMailbox(address), hops, sender } };
}

/** One address of the chain, and what is inside it. */
interface Layer {
  readonly address: Mailbox;
  readonly srs: ParsedSrs;
  /** Of the rewriter that has the secrets. */
  readonly reversed: ReverseOutcome | undefined;
  readonly inner: Inner;
}

type Inner = Mailbox | "kept" | "malformed";

/** The outermost first. Each is shorter than the one before, so that there is an end. */
function peel(address: Mailbox, options: InspectOptions): Layer[] {
  const layers: Layer[] = [];
  let next: Inner = address;
  while (typeof next !== "string" && looksLikeSrs(next.localPart)) {
    const srs = parseSrs(next.localPart);
    // On the day of the stamp, so that the tag of an old address is judged, too.
    const now = srs.kind === "srs0" ? stampDays(srs.stamp, options.now).noon : options.now;
    const inner = innerOf(srs);
    layers.push({ address: next, srs, reversed: options.rewriter?.reverse(next, now), inner });
    next = inner;
  }
  return layers;
}

function innerOf(srs: ParsedSrs): Inner {
  if (srs.kind === "not-srs" || srs.kind === "malformed") return "malformed";
  return srs.kind === "srs0" && srs.domain === KEPT_LABEL ? "kept" : innerAddress(srs);
}

/** Whose the secrets are: where nobody says it, of the forwarders whose tags they made, or else of the outermost. */
function ownDomains(address: Mailbox, layers: readonly Layer[], options: InspectOptions): readonly string[] {
  if (options.ownDomains || !options.rewriter) return options.ownDomains ?? [];
  const signed = layers.filter(isSigned);
  return signed.length === 0 ? [address.domain] : signed.map((layer) => layer.address.domain);
}

/** Also where somebody with the secret signed what cannot be reversed. */
function isSigned({ reversed }: Layer): boolean {
  return reversed !== undefined && "scheme" in reversed;
}

type Options = InspectOptions & Required<Pick<InspectOptions, "ownDomains">>;

function hopOf(layer: Layer, options: Options): Hop {
  const { address, srs, inner } = layer;
  const rendered = renderMailbox(address);
  const common = {
    address: rendered,
    forwarder: address.domain,
    localPart: { octets: localPartOctets(address.localPart), limit: MAX_LOCAL_PART_OCTETS },
  };
  if (srs.kind === "not-srs" || srs.kind === "malformed") {
    const message = srs.kind === "malformed" ? srs.message : REVERSE_WORDS["not-srs"];
    return { kind: "malformed", ...common, message, bounce: { answer: "refused", reason: "malformed" } };
  }
  const tag = judgeTag(layer, srs.tag, options);
  if (srs.kind === "srs1") {
    const { kind, separator, host, rest } = srs;
    return { kind, ...common, separator, tag, host, rest, bounce: foresee(tag, undefined, inner) };
  }
  const { kind, separator, domain, user } = srs;
  const stamp = judgeStamp(srs.stamp, tag, options);
  const bounce = foresee(tag, stamp, inner);
  return { kind, ...common, separator, tag, stamp, domain, user, kept: inner === "kept", bounce };
}

function judgeTag({ address, reversed }: Layer, text: string, options: Options): TagFinding {
  if (!reversed) return unverifiable(text, "no-secret");
  if ("scheme" in reversed) {
    const { scheme, secretIndex, selector } = reversed;
    const secretLine = options.secretLines?.[secretIndex];
    return {
      text,
      verdict: "ok",
      scheme,
      secretIndex,
      ...(secretLine === undefined ? {} : { secretLine }),
      ...(selector === undefined ? {} : { selector }),
    };
  }
  const ours = options.ownDomains.some((domain) => sameDomain(domain, address.domain));
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
