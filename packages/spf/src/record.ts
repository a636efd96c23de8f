// An SPF record as values (RFC 7208 §4.6, §5, §6): parse-record.ts makes them, the evaluator and the linter read them.

/** pass, fail, softfail, neutral. */
export type Qualifier = "+" | "-" | "~" | "?";

export interface SpfRecord {
  /** As DNS had it. */
  readonly text: string;
  /** In their order; those behind `all` are there, too. */
  readonly mechanisms: readonly Mechanism[];
  readonly redirect?: Modifier;
  readonly exp?: Modifier;
  /** Modifiers that nobody knows are ignored (§6). */
  readonly unknown: readonly Modifier[];
}

interface Term {
  /** As it is written. */
  readonly text: string;
  readonly qualifier: Qualifier;
}

interface Hosts {
  /** Without it: the domain that is checked. */
  readonly target?: MacroString;
  readonly length4: number;
  readonly length6: number;
}

export type Mechanism = Term &
  (
    | { readonly name: "all" }
    | { readonly name: "include"; readonly target: MacroString }
    | { readonly name: "exists"; readonly target: MacroString }
    | ({ readonly name: "a" } & Hosts)
    | ({ readonly name: "mx" } & Hosts)
    /** Without a target: the domain that is checked. */
    | { readonly name: "ptr"; readonly target?: MacroString }
    | { readonly name: "ip4"; readonly network: Network }
    | { readonly name: "ip6"; readonly network: Network }
  );

export interface Modifier {
  readonly text: string;
  readonly name: string;
  readonly value: MacroString;
}

/** Big-endian: 4 or 16 octets. */
export interface Network {
  readonly octets: Uint8Array;
  readonly length: number;
}

/** §7.1, taken apart: literal text as strings, with `%%`, `%_` and `%-` resolved. */
export interface MacroString {
  readonly text: string;
  readonly parts: readonly (string | Macro)[];
}

export interface Macro {
  /** In lower case. */
  readonly letter: "s" | "l" | "o" | "d" | "i" | "p" | "h" | "v" | "c" | "r" | "t";
  /** Written as a capital letter. */
  readonly escape: boolean;
  /** Labels kept, from the right; 0 keeps all. */
  readonly digits: number;
  readonly reverse: boolean;
  /** Characters that part the labels. */
  readonly delimiters: string;
}

export type ParsedRecord =
  | { readonly kind: "record"; readonly record: SpfRecord }
  /** permerror; the first fault, for people: which term, and why. */
  | { readonly kind: "wrong"; readonly problem: string };
