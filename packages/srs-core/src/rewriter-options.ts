// The rewriter's options, and what they mean once checked. Called by rewriter.ts.
import { asciiLower } from "./ascii.ts";
import { parseDomain } from "./domain.ts";
import type { Secrets } from "./keyed-hash.ts";
import { createKeyedNames, type KeyedNames } from "./keyed-names.ts";
import { KEPT_LABEL, type SenderStore } from "./sender-store.ts";
import type { Separator } from "./srs-address.ts";
import {
  type ClassicOptions,
  classicTagger,
  eximTagger,
  MAX_CLASSIC_TAG_LENGTH,
  type Scheme,
  strongTagger,
  type Tagger,
} from "./tag.ts";

/** Mail::SRS and PostSRSd: an address forged today is good for 21 more UTC days. */
export const DEFAULT_MAX_AGE_DAYS = 21;
const DEFAULT_CLASSIC_TAG_LENGTH = 4;

const SIGNING_SCHEMES = ["strong", "classic"] as const;
const SCHEMES = [...SIGNING_SCHEMES, "exim"] as const;
const SEPARATORS = ["=", "+", "-"] as const;
const ALPHABETS = ["base64", "base64url"] as const;

export interface RewriterOptions {
  /** Newest first: the first signs, all verify. At least one, none empty. */
  readonly secrets: readonly string[];
  /** The SRS domain: rewritten addresses are at it, so its mail must come to us. */
  readonly domain: string;
  /** The scheme that signs. Default `strong`. */
  readonly scheme?: Exclude<Scheme, "exim">;
  /** Schemes that verify. Default: the one that signs. More than one only during a migration. `exim` is weak: 16 bits. */
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
  /** Keeps senders that do not fit into an address. Without it they are `too-long`. */
  readonly store?: SenderStore;
}

/** Options with their defaults, checked. */
export interface RewriterRules {
  readonly domain: string;
  readonly signing: Tagger;
  readonly accepted: readonly Tagger[];
  readonly separator: Separator;
  readonly maxAgeDays: number;
  readonly alwaysRewrite: boolean;
  readonly store: SenderStore | undefined;
  /** Is a domain one of ours? */
  isOwn(domain: string): boolean;
  readonly names: KeyedNames;
}

/**
 * Throws a RangeError or TypeError where the options contradict themselves, or are none: JavaScript passes anything.
 */
export function rewriterRules(options: RewriterOptions): RewriterRules {
  const domain = checkedDomain(options.domain);
  if (domain === KEPT_LABEL) throw new RangeError(`domain: "${KEPT_LABEL}" is the label of kept senders`);
  const secrets = checkedSecrets(options.secrets);
  const taggers = createTaggers(options, secrets);
  const scheme = checkedChoice("scheme", options.scheme ?? "strong", SIGNING_SCHEMES);
  const own = new Set([domain, ...(options.ownDomains ?? []).map(checkedDomain)].map(asciiLower));
  return {
    domain,
    signing: taggers[scheme],
    accepted: checkedSchemes(options.accept ?? [scheme]).map((name) => taggers[name]),
    separator: checkedChoice("separator", options.separator ?? "=", SEPARATORS),
    maxAgeDays: checkedNumber("maxAgeDays", options.maxAgeDays ?? DEFAULT_MAX_AGE_DAYS, 0, 511),
    alwaysRewrite: options.alwaysRewrite ?? false,
    store: options.store,
    isOwn: (text) => own.has(asciiLower(text)),
    names: createKeyedNames(secrets),
  };
}

function createTaggers(options: RewriterOptions, secrets: Secrets): Record<Scheme, Tagger> {
  const tagLength = checkedNumber(
    "tagLength",
    options.tagLength ?? DEFAULT_CLASSIC_TAG_LENGTH,
    1,
    MAX_CLASSIC_TAG_LENGTH,
  );
  const minTagLength = checkedNumber("minTagLength", options.minTagLength ?? tagLength, 1, tagLength);
  const alphabet = checkedChoice("alphabet", options.alphabet ?? "base64", ALPHABETS);
  return {
    strong: strongTagger(secrets),
    classic: classicTagger(secrets, { tagLength, minTagLength, alphabet }),
    exim: eximTagger(secrets),
  };
}

function checkedDomain(text: string): string {
  if (typeof text !== "string") throw new TypeError("domain: a text is needed");
  const parsed = parseDomain(text);
  if (!parsed.ok) throw new TypeError(`domain: ${parsed.message}`);
  return parsed.domain;
}

function checkedSecrets(secrets: readonly string[]): Secrets {
  if (!Array.isArray(secrets) || secrets.some((secret) => typeof secret !== "string")) {
    throw new TypeError("secrets: a list of texts is needed, newest first");
  }
  const [newest, ...older] = secrets;
  if (newest === undefined || secrets.includes("")) {
    throw new RangeError("secrets: at least one is needed, and none may be empty");
  }
  return [newest, ...older];
}

function checkedSchemes(accept: readonly Scheme[]): readonly Scheme[] {
  if (!Array.isArray(accept)) throw new TypeError("accept: a list of schemes is needed");
  if (accept.length === 0) throw new RangeError("accept: at least one scheme is needed");
  return accept.map((scheme) => checkedChoice("accept", scheme, SCHEMES));
}

function checkedChoice<Choice extends string>(
  name: string,
  value: Choice,
  choices: readonly Choice[],
): Choice {
  if (choices.includes(value)) return value;
  throw new RangeError(`${name}: ${JSON.stringify(value)} is none of ${choices.join(" ")}`);
}

function checkedNumber(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${name}: ${value} is not a whole number from ${min} to ${max}`);
}
