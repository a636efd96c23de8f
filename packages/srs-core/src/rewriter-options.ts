// The rewriter's options, and what they mean once checked. Called by rewriter.ts.
import { asciiLower } from "./ascii.ts";
import { parseDomain } from "./domain.ts";
import type { Separator } from "./srs-address.ts";
import { type ClassicOptions, classicScheme, type Scheme, strongScheme, type TagScheme } from "./tag.ts";

/** Mail::SRS and PostSRSd: an address forged today is good for 21 more UTC days. */
export const DEFAULT_MAX_AGE_DAYS = 21;
const DEFAULT_CLASSIC_TAG_LENGTH = 4;
/** HMAC-SHA1 in base64 without padding. */
const MAX_CLASSIC_TAG_LENGTH = 27;

export interface RewriterOptions {
  /** Newest first: the first signs, all verify. At least one, none empty. */
  readonly secrets: readonly string[];
  /** The SRS domain: rewritten addresses are at it, so its mail must come to us. */
  readonly domain: string;
  /** The scheme that signs. Default `strong`. */
  readonly scheme?: Scheme;
  /** Schemes that verify. Default: the one that signs. More than one only during a migration. */
  readonly accept?: readonly Scheme[];
  /** After `SRS0` and `SRS1`. Default `=`. */
  readonly separator?: Separator;
  /** Classic only: characters written, 1–27. Default 4, as all peers. */
  readonly tagLength?: number;
  /** Classic only: characters that suffice on verification. Default: `tagLength`. */
  readonly minTagLength?: number;
  /** Classic only: alphabet written. Default `base64`, as Mail::SRS. */
  readonly alphabet?: ClassicOptions["alphabet"];
  /** UTC days, 0–511. Default 21. */
  readonly maxAgeDays?: number;
  /** Further domains whose senders need no rewriting: our own servers are in their SPF records. */
  readonly ownDomains?: readonly string[];
  /** Rewrite senders of own domains too. Default false. */
  readonly alwaysRewrite?: boolean;
}

/** Options with their defaults, checked. */
export interface RewriterRules {
  readonly domain: string;
  readonly secrets: readonly [newest: string, ...older: string[]];
  readonly signing: TagScheme;
  readonly accepted: readonly TagScheme[];
  readonly separator: Separator;
  readonly maxAgeDays: number;
  readonly alwaysRewrite: boolean;
  /** Is a domain one of ours? */
  isOwn(domain: string): boolean;
}

/** Throws a RangeError or TypeError where the options contradict themselves. */
export function rewriterRules(options: RewriterOptions): RewriterRules {
  const domain = checkedDomain(options.domain);
  const schemes = tagSchemes(options);
  const scheme = options.scheme ?? "strong";
  const own = new Set([domain, ...(options.ownDomains ?? []).map(checkedDomain)].map(asciiLower));
  return {
    domain,
    secrets: checkedSecrets(options.secrets),
    signing: schemes[scheme],
    accepted: (options.accept ?? [scheme]).map((name) => schemes[name]),
    separator: options.separator ?? "=",
    maxAgeDays: checkedNumber("maxAgeDays", options.maxAgeDays ?? DEFAULT_MAX_AGE_DAYS, 0, 511),
    alwaysRewrite: options.alwaysRewrite ?? false,
    isOwn: (text) => own.has(asciiLower(text)),
  };
}

function tagSchemes(options: RewriterOptions): Record<Scheme, TagScheme> {
  const tagLength = checkedNumber(
    "tagLength",
    options.tagLength ?? DEFAULT_CLASSIC_TAG_LENGTH,
    1,
    MAX_CLASSIC_TAG_LENGTH,
  );
  const minTagLength = checkedNumber("minTagLength", options.minTagLength ?? tagLength, 1, tagLength);
  const alphabet = options.alphabet ?? "base64";
  return { strong: strongScheme, classic: classicScheme({ tagLength, minTagLength, alphabet }) };
}

function checkedDomain(text: string): string {
  const parsed = parseDomain(text);
  if (!parsed.ok) throw new TypeError(`domain: ${parsed.message}`);
  return parsed.domain;
}

function checkedSecrets(secrets: readonly string[]): RewriterRules["secrets"] {
  const [newest, ...older] = secrets;
  if (newest === undefined || secrets.includes("")) {
    throw new RangeError("secrets: at least one is needed, and none may be empty");
  }
  return [newest, ...older];
}

function checkedNumber(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${name}: ${value} is not a whole number from ${min} to ${max}`);
}
