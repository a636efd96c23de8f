// The rewriter's options, and what they mean once checked. Called by rewriter.ts.
import { asciiLower } from "./ascii.ts";
import { parseDomain } from "./domain.ts";
import { createKeyedNames, type KeyedNames } from "./keyed-names.ts";
import type { SenderStore } from "./sender-store.ts";
import type { Separator } from "./srs-address.ts";
import {
  type ClassicOptions,
  classicTagger,
  eximTagger,
  MAX_CLASSIC_TAG_LENGTH,
  type Scheme,
  type Secrets,
  strongTagger,
  type Tagger,
} from "./tag.ts";

/** Mail::SRS and PostSRSd: an address forged today is good for 21 more UTC days. */
export const DEFAULT_MAX_AGE_DAYS = 21;
const DEFAULT_CLASSIC_TAG_LENGTH = 4;

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

/** Throws a RangeError or TypeError where the options contradict themselves. */
export function rewriterRules(options: RewriterOptions): RewriterRules {
  const domain = checkedDomain(options.domain);
  const secrets = checkedSecrets(options.secrets);
  const taggers = createTaggers(options, secrets);
  const scheme = options.scheme ?? "strong";
  const own = new Set([domain, ...(options.ownDomains ?? []).map(checkedDomain)].map(asciiLower));
  return {
    domain,
    signing: taggers[scheme],
    accepted: (options.accept ?? [scheme]).map((name) => taggers[name]),
    separator: options.separator ?? "=",
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
  const alphabet = options.alphabet ?? "base64";
  return {
    strong: strongTagger(secrets),
    classic: classicTagger(secrets, { tagLength, minTagLength, alphabet }),
    exim: eximTagger(secrets),
  };
}

function checkedDomain(text: string): string {
  const parsed = parseDomain(text);
  if (!parsed.ok) throw new TypeError(`domain: ${parsed.message}`);
  return parsed.domain;
}

function checkedSecrets(secrets: readonly string[]): Secrets {
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
