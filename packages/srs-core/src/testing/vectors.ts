// The observed answers in packages/srs-core/testdata, as values. Called by the tests that hold them against ours.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A string is the address that a peer answered; anything else is its refusal. */
export type PeerAnswer = string | { readonly error: string };

export type ChainStep =
  | "forward1"
  | "reverse1"
  | "forward2"
  | "reverse2"
  | "forward3"
  | "reverse3"
  | "forward_again_same_domain";

interface Clocked {
  readonly id: string;
  readonly now: number;
  readonly secrets: readonly string[];
}

/** Answers are grouped: the names of all peers that gave the same one, separated by spaces, then the answer. */
type Grouped<Answer> = readonly (readonly [peers: string, answer: Answer])[];

/** One sender, rewritten at three domains in turn, and what each step was undone to. */
export interface Chain extends Clocked {
  readonly category: string;
  readonly domains: readonly [string, string, string];
  readonly input: string;
  readonly answers: Grouped<Readonly<Partial<Record<ChainStep, PeerAnswer>>>>;
}

/** Names as Mail::SRS has them. */
export interface PeerOptions {
  readonly separator?: "=" | "+" | "-";
  readonly hashLength?: number;
  readonly hashMin?: number;
  readonly maxAge?: number;
  readonly alwaysRewrite?: boolean;
}

export interface OptionVector extends Clocked {
  readonly case: string;
  readonly domain: string;
  readonly input: string;
  readonly opts?: PeerOptions;
  readonly answers: Grouped<PeerAnswer>;
}

export interface Verdict extends Clocked {
  readonly case: string;
  readonly input: string;
  readonly opts?: PeerOptions;
  readonly answers: Grouped<PeerAnswer>;
}

export interface OwnSchemeVerdict extends Clocked {
  readonly peer: string;
  readonly case: string;
  readonly input: string;
  readonly result: PeerAnswer;
}

/** Three hops by three programs with a secret each, and the way of the bounce. */
export interface MixedChain {
  readonly id: string;
  readonly now: number;
  readonly bounce_at: number;
  readonly input: string;
  readonly hops: readonly { readonly peer: string; readonly domain: string; readonly secrets: string[] }[];
  readonly forwards: readonly PeerAnswer[];
  readonly bounce_path: readonly { readonly at: string; readonly by: string; readonly result: PeerAnswer }[];
  readonly roundtrip_ok: boolean;
}

export const chains = () => load<Chain>("chains.json");
export const optionVectors = () => load<OptionVector>("options-forward.json");
export const verdicts = () => load<Verdict>("reverse-verdicts.json");
export const ownSchemeVerdicts = () => load<OwnSchemeVerdict>("own-scheme-peers.json");
export const mixedChains = () => load<MixedChain>("mixed-chains.json");

/** Each peer by itself. */
export function* byPeer<Answer>(answers: Grouped<Answer>): Generator<[peer: string, answer: Answer]> {
  for (const [peers, answer] of answers) for (const peer of peers.split(" ")) yield [peer, answer];
}

/** What all records of a file have in common stands once, above them. */
function load<Vector>(file: string): Vector[] {
  const text = readFileSync(join(import.meta.dirname, "../../testdata", file), "utf8");
  const { common, records } = JSON.parse(text) as { common: Partial<Vector>; records: Vector[] };
  return records.map((record) => ({ ...common, ...record }));
}
