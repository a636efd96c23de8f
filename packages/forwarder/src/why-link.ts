// Why-links: the address of a page that tells why mail was refused. It stands in the reply, and says nothing that whoever gets
// the reply does not know. Nobody else can make one: ADR 0025. Minted by sender-check.ts, read by packages/http.
import { timingSafeEqual } from "node:crypto";
import type { SpfAnswer } from "@homing/spf";
import {
  createKeyedHashes,
  type KeyedHash,
  labelledInput,
  printable,
  type UnixSeconds,
} from "@homing/srs-core";
import type { Fault } from "./authentication/policy.ts";

/** What the page tells. Texts are of a stranger's making. What a link had no room for is left out. */
export interface WhyFacts {
  readonly fault: Fault;
  readonly action: "refuse" | "defer";
  readonly at: UnixSeconds;
  /** IP address. */
  readonly client: string;
  readonly helo?: string;
  /** The reverse-path; "" is the null sender, and `@origin.example` an address there whose local part is left out. */
  readonly sender?: string;
  /** Whose record decided: of SPF as its answer says, otherwise that of the header From. */
  readonly domain?: string;
  /** The term of its SPF record that decided. */
  readonly mechanism?: string;
}

export interface Refused extends Pick<WhyFacts, "fault" | "action" | "at" | "client"> {
  readonly helo: string;
  /** The reverse-path as text. */
  readonly sender: string;
  readonly spf: Pick<SpfAnswer, "domain" | "mechanism">;
  /** Its domain, where it is known. */
  readonly headerFrom?: string;
}

/** SPF is not asked of the author, and DMARC has no term: each fault has what belongs to it. */
export function whyFacts({ spf, headerFrom, ...refused }: Refused): WhyFacts {
  if (refused.fault.startsWith("spf-")) {
    const { domain, mechanism } = spf;
    return { ...refused, domain, ...(mechanism === undefined ? {} : { mechanism }) };
  }
  return { ...refused, ...(headerFrom === undefined ? {} : { domain: headerFrom }) };
}

export type ReadWhy =
  | { readonly kind: "facts"; readonly facts: WhyFacts }
  /** It was ours. */
  | { readonly kind: "expired" }
  | { readonly kind: "not-ours" };

export interface WhyLinks {
  /** A URL of printable ASCII, `MAX_WHY_LINK` characters at most: no blank, no bracket and no quote. */
  mint(facts: WhyFacts): string;
  /** @param query what stands behind the question mark, as it came: hostile text */
  read(query: string): ReadWhy;
}

export interface WhyLinkOptions {
  /** Where the page is: `https://mx.forwarder.example`, `MAX_PUBLIC_URL` characters at most. */
  readonly publicUrl: string;
  /** Newest first: the first signs, all verify. */
  readonly secrets: readonly string[];
  readonly now: () => UnixSeconds;
}

/** A reply line has 512 octets (RFC 5321 §4.5.3.1.5), and the words need half of them. */
export const MAX_WHY_LINK = 256;
/** So that a link has room for what cannot be left out. */
export const MAX_PUBLIC_URL = 100;
/** Whoever asks why asks soon; whoever finds a link in an old archive learns nothing. */
export const WHY_LINK_DAYS = 30;

/** Names purpose and version: no other keyed name of the same secret begins so. */
const LABEL = "homing-why-v1";
/** 72 bits: twelve characters of base64url without a rest, so that one tag has one spelling. */
const TAG_OCTETS = 9;
const TAG = /^[A-Za-z0-9_-]{12}$/;
const TAG_NAME = "&k=";
const SECONDS_OF_DAY = 86_400;

const input = labelledInput(LABEL);

export function createWhyLinks({ publicUrl, secrets, now }: WhyLinkOptions): WhyLinks {
  const [newest, ...older] = secrets;
  if (newest === undefined || secrets.includes(""))
    throw new RangeError("why-links: at least one secret is needed, and none may be empty");
  if (publicUrl.length > MAX_PUBLIC_URL) throw new RangeError("why-links: the public URL is too long");
  const hashes = createKeyedHashes("sha256", [newest, ...older]);
  const page = `${publicUrl}/why?`;
  const room = MAX_WHY_LINK - page.length - TAG_NAME.length - tagOf(hashes[0], "").length;

  return {
    mint(facts) {
      const query = shortened(facts, room);
      return `${page}${query}${TAG_NAME}${tagOf(hashes[0], query)}`;
    },

    read(text) {
      const end = text.lastIndexOf(TAG_NAME);
      if (text.length > MAX_WHY_LINK || end < 0) return NOT_OURS;
      const query = text.slice(0, end);
      const tag = text.slice(end + TAG_NAME.length);
      if (!TAG.test(tag) || !hashes.some((hash) => isSame(tagOf(hash, query), tag))) return NOT_OURS;
      const facts = parseFacts(query);
      if (!facts) return NOT_OURS;
      return now() - facts.at > WHY_LINK_DAYS * SECONDS_OF_DAY ? EXPIRED : { kind: "facts", facts };
    },
  };
}

const NOT_OURS: ReadWhy = { kind: "not-ours" };
const EXPIRED: ReadWhy = { kind: "expired" };

/** Over the query as it is written, so that nothing of it is looked at before it is known to be ours. */
function tagOf(hash: KeyedHash, query: string): string {
  return Buffer.from(hash(input([query])).subarray(0, TAG_OCTETS)).toString("base64url");
}

/** Both of the tag's form. */
function isSame(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one), Buffer.from(other));
}

/** Without what says least, until the rest fits. */
function shortened(facts: WhyFacts, room: number): string {
  let query = renderFacts(facts);
  for (const text of lessAndLess(facts)) {
    if (query.length <= room) break;
    query = renderFacts(text);
  }
  return query;
}

function* lessAndLess(facts: WhyFacts): Generator<WhyFacts> {
  const { helo: _, ...nameless } = facts;
  yield nameless;
  const { mechanism: __, ...brief } = nameless;
  yield brief;
  const { sender = "", ...anonymous } = brief;
  // Behind the last at sign: a quoted local part may hold others.
  const at = sender.lastIndexOf("@");
  if (at > 0) yield { ...anonymous, sender: sender.slice(at) };
  yield anonymous;
  const { domain: ___, ...least } = anonymous;
  yield least;
}

/** In the order of the link. The sender is first: a log that hides addresses hides what stands before one, too. */
const NAMES = {
  sender: "s",
  fault: "f",
  action: "a",
  at: "t",
  client: "i",
  helo: "h",
  domain: "d",
  mechanism: "m",
} as const satisfies Readonly<Record<keyof WhyFacts, string>>;

function renderFacts(facts: WhyFacts): string {
  const keys = Object.keys(NAMES) as (keyof WhyFacts)[];
  return keys
    .filter((key) => facts[key] !== undefined)
    .map((key) => `${NAMES[key]}=${escaped(String(facts[key]))}`)
    .join("&");
}

/** RFC 3986 §3.4 has `@`, `:` and `/` in a query. Brackets and quotes end a link where programs look for one in a text. */
function escaped(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/%(?:40|3A|2F)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Of a query that is ours; undefined where a newer version of this program made it. */
function parseFacts(query: string): WhyFacts | undefined {
  const fields = new URLSearchParams(query);
  const text = (key: keyof WhyFacts): string | undefined => fields.get(NAMES[key]) ?? undefined;
  const fault = FAULTS.find((one) => one === text("fault"));
  const action = ACTIONS.find((one) => one === text("action"));
  const at = Number(text("at"));
  if (!fault || !action || !Number.isSafeInteger(at)) return undefined;
  const shown = (key: "helo" | "sender" | "domain" | "mechanism") => {
    const value = text(key);
    return value === undefined ? {} : { [key]: printable(value, MAX_WHY_LINK) };
  };
  return {
    fault,
    action,
    at,
    client: printable(text("client") ?? "", MAX_WHY_LINK),
    ...shown("helo"),
    ...shown("sender"),
    ...shown("domain"),
    ...shown("mechanism"),
  };
}

const ACTIONS = ["refuse", "defer"] as const;

/** Complete, or it does not compile. */
const EVERY_FAULT: Readonly<Record<Fault, true>> = {
  "spf-fail": true,
  "spf-softfail": true,
  "spf-neutral": true,
  "spf-none": true,
  "spf-temperror": true,
  "spf-permerror": true,
  "dmarc-quarantine": true,
  "dmarc-reject": true,
  "dmarc-unclear": true,
  "header-too-long": true,
  "own-domain": true,
  "no-answer": true,
};
const FAULTS = Object.keys(EVERY_FAULT) as Fault[];
