// What is asked of a DNS server, and what one server says. Called by the files beside it.
import { asciiLower } from "@homing/srs-core";

/** What a record of each type is to our callers. */
export interface RecordOf {
  readonly A: string;
  readonly AAAA: string;
  readonly MX: { readonly exchange: string; readonly priority: number };
  readonly PTR: string;
  readonly TXT: string;
}

export type RecordType = keyof RecordOf;

/** `name` is one that `queryName` gave. */
export interface Query<T extends RecordType = RecordType> {
  readonly type: T;
  readonly name: string;
}

export type Heard<T extends RecordType = RecordType> =
  /** `seconds` is the lowest TTL, where it is known. */
  | { readonly kind: "records"; readonly records: readonly RecordOf[T][]; readonly seconds?: number }
  | { readonly kind: "no-such-name" }
  /** In c-ares' words: ESERVFAIL, ETIMEOUT … */
  | { readonly kind: "failed"; readonly code: string };

/** One server, or the system's as c-ares sees them. */
export interface DnsServer {
  /** Never rejects. */
  ask<T extends RecordType>(query: Query<T>): Promise<Heard<T>>;
  /** Ends what is asked, with ECANCELLED. */
  close(): void;
}

export function failed(code: string): Heard<never> {
  return { kind: "failed", code };
}

const MAX_LABEL = 63;
/** RFC 1035 §2.3.4 has 255 octets with the length of each label and the root: as text that is two less. */
const MAX_NAME = 253;

/**
 * A name in lower case, without the root's dot; undefined for one that DNS cannot have, or that nobody publishes: with
 * control characters, of which NUL would end the name for c-ares, or with others than ASCII.
 */
export function queryName(text: string): string | undefined {
  const name = asciiLower(text.endsWith(".") ? text.slice(0, -1) : text);
  if (name.length > MAX_NAME || !/^[ -~]+$/.test(name)) return undefined;
  const fits = (label: string) => label.length >= 1 && label.length <= MAX_LABEL;
  return name.split(".").every(fits) ? name : undefined;
}

/**
 * Whether c-ares would ask for the name. It refuses others unasked, and takes a backslash for an escape. They are not
 * rare: SPF's `exists:%{l}.spf.example` makes them of local parts with a plus or an equals sign.
 */
export function isPlainName(name: string): boolean {
  return /^[a-z0-9._*/-]+$/.test(name);
}
