// What is to be said about the secrets of a file. Called by `homing secrets check` and `rotate`.
import { type SecretsFile, STRONG_LENGTH } from "../config/secrets-file.ts";
import { mayGoFrom } from "./secrets-text.ts";

export interface ReviewedSecret {
  readonly line: number;
  readonly characters: number;
  /** If the characters were chosen at random among those of their kind: never more than this. */
  readonly bits: number;
  readonly state: "signs" | "verifies" | "may-go";
  /** UTC day. */
  readonly mayGoFrom?: string;
}

export interface Finding {
  /** Left out where it is about all of them. */
  readonly line?: number;
  readonly finding: "weak" | "few-bits" | "repetitive" | "duplicate" | "may-go" | "too-many";
  readonly message: string;
  /** `homing serve` does not start with it. */
  readonly refused: boolean;
}

export interface Review {
  readonly secrets: readonly ReviewedSecret[];
  readonly findings: readonly Finding[];
}

const STRONG_BITS = 128;
/** Of 22 random characters, 15 or more differ, and 10 at least of 32 random hexadecimal digits. */
const FEW_DIFFERENT = 8;
/** The one that signs, and the one before it. */
const USUAL_LIVE = 2;

export interface ReviewOptions {
  /** UTC day. */
  readonly today: string;
  readonly weakAllowed: boolean;
}

export function reviewSecrets(file: SecretsFile, options: ReviewOptions): Review {
  const secrets = file.secrets.map((secret, index) => {
    const line = file.lines[index] ?? 0;
    const from = index === 0 ? undefined : mayGoFrom(file.text, line);
    const state = index === 0 ? "signs" : from !== undefined && from <= options.today ? "may-go" : "verifies";
    const size = { characters: secret.length, bits: mostBits(secret) };
    return { line, ...size, state, ...(from === undefined ? {} : { mayGoFrom: from }) } as const;
  });
  const findings = secrets.flatMap((reviewed, index) => [
    ...strengthFindings(file.secrets[index] ?? "", reviewed, options),
    ...placeFindings(file, reviewed, index),
  ]);
  return { secrets, findings: [...findings, ...countFindings(secrets)] };
}

function strengthFindings(
  secret: string,
  { line, bits }: ReviewedSecret,
  { weakAllowed }: ReviewOptions,
): Finding[] {
  if (secret.length < STRONG_LENGTH) {
    const message = `has fewer than ${STRONG_LENGTH} characters and can be guessed: replace it with: homing secrets rotate`;
    return [{ line, finding: "weak", message, refused: !weakAllowed }];
  }
  if (new Set(secret).size < FEW_DIFFERENT) {
    const message = "has few different characters and can be guessed: replace it with: homing secrets rotate";
    return [{ line, finding: "repetitive", message, refused: false }];
  }
  if (bits >= STRONG_BITS) return [];
  const message = `holds ${bits} bits at most: ${STRONG_BITS} are asked for: replace it with: homing secrets rotate`;
  return [{ line, finding: "few-bits", message, refused: false }];
}

function placeFindings(file: SecretsFile, { line, state }: ReviewedSecret, index: number): Finding[] {
  const first = file.secrets.indexOf(file.secrets[index] ?? "");
  if (first < index) {
    const message = `is the same as line ${file.lines[first]}: take this line out`;
    return [{ line, finding: "duplicate", message, refused: false }];
  }
  if (state !== "may-go") return [];
  const message = "may go: no address that it made is good any more: take this line out";
  return [{ line, finding: "may-go", message, refused: false }];
}

function countFindings(secrets: readonly ReviewedSecret[]): Finding[] {
  const live = secrets.filter(({ state }) => state !== "may-go").length;
  if (live <= USUAL_LIVE) return [];
  const message = `${live} secrets verify: each makes guessing a tag easier: rotate less often, or take out what nobody needs`;
  return [{ finding: "too-many", message, refused: false }];
}

const KINDS: readonly [pattern: RegExp, characters: number][] = [
  [/^[0-9]*$/, 10],
  [/^(?:[0-9a-f]*|[0-9A-F]*)$/, 16],
  [/^(?:[a-z]*|[A-Z]*)$/, 26],
  [/^(?:[0-9a-z]*|[0-9A-Z]*)$/, 36],
  [/^[0-9A-Za-z+/=_-]*$/, 64],
];
const PRINTABLE = 95;

function mostBits(secret: string): number {
  const characters = KINDS.find(([pattern]) => pattern.test(secret))?.[1] ?? PRINTABLE;
  return Math.floor(secret.length * Math.log2(characters));
}
