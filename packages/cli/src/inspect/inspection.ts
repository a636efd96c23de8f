// What an inspection finds: the shape of `homing inspect --json` and of the op `inspect` of `homing batch` (docs/cli.md).
// Made by inspect.ts, drawn by boxes.ts.
import type { ReverseFailure, Scheme, Separator } from "@homing/srs-core";

export interface Inspection {
  readonly address: string;
  /** The outermost first. */
  readonly hops: readonly Hop[];
  /** What is inside the last hop; null where that cannot be told. */
  readonly sender: string | null;
}

export type Hop = Srs0Hop | Srs1Hop | MalformedHop;

interface AnyHop {
  readonly address: string;
  /** The domain of the address: who made it, or at least who gets the bounce. */
  readonly forwarder: string;
  readonly localPart: { readonly octets: number; readonly limit: number };
  readonly bounce: Bounce;
}

export interface Srs0Hop extends AnyHop {
  readonly kind: "srs0";
  readonly separator: Separator;
  readonly tag: TagFinding;
  readonly stamp: StampFinding;
  readonly domain: string;
  readonly user: string;
  /** The sender is in the forwarder's database, and `user` is the token for it. */
  readonly kept: boolean;
}

export interface Srs1Hop extends AnyHop {
  readonly kind: "srs1";
  readonly separator: Separator;
  readonly tag: TagFinding;
  /** The first forwarder. */
  readonly host: string;
  /** Its local part without the letters SRS0. */
  readonly rest: string;
}

export interface MalformedHop extends AnyHop {
  readonly kind: "malformed";
  readonly message: string;
}

export type TagFinding =
  | {
      readonly text: string;
      readonly verdict: "ok";
      readonly scheme: Scheme;
      /** 0 is the newest. */
      readonly secretIndex: number;
      /** In the secrets file. */
      readonly secretLine?: number;
      readonly selector?: string;
    }
  | { readonly text: string; readonly verdict: "wrong" }
  | {
      readonly text: string;
      readonly verdict: "unverifiable";
      readonly why: "no-secret" | "another-forwarder";
      /** What looks like one. */
      readonly selector?: string;
    };

export interface StampFinding {
  readonly text: string;
  /** The day, in UTC, for which verifiers take it. */
  readonly date: string;
  /** The last day before that with the same stamp. */
  readonly before: string;
  /** Below 0: in the future. */
  readonly ageDays: number;
  /** 0 on the last day; below 0 once expired. */
  readonly daysLeft: number;
  readonly state: "good" | "expired" | "future";
}

/** What becomes of a bounce to the address. `unknown`: that depends on a tag that was not verified. */
export type Bounce =
  | { readonly answer: "accepted" | "unknown"; readonly to: string | null }
  | { readonly answer: "refused"; readonly reason: ReverseFailure };
