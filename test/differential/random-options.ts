// Random settings that both programs understand.
import type { Random } from "./random.ts";

/** What both are given. The alphabet written is base64: Mail::SRS knows no other. */
export interface RandomOptions {
  readonly scheme: "classic";
  readonly secrets: readonly string[];
  readonly domain: string;
  readonly separator: "=" | "+" | "-";
  readonly tagLength: number;
  readonly minTagLength: number;
  readonly maxAgeDays: number;
  readonly alwaysRewrite: boolean;
}

export const DOMAINS = ["fwd.example", "b.example", "Relay-Two.Example", "x.y.z.example"];
const SECRET_TEXT = 'abcXYZ0189 !"#$%&/()=?\\~äжλ例';

export function randomOptions(random: Random): RandomOptions {
  const tagLength = random.chance(60) ? 4 : random.int(1, 27);
  return {
    scheme: "classic",
    secrets: Array.from({ length: random.int(1, 3) }, () =>
      random.text(SECRET_TEXT, 1, random.chance(10) ? 200 : 30),
    ),
    domain: random.pick(DOMAINS),
    separator: random.pick(["=", "=", "+", "-"]),
    tagLength,
    minTagLength: random.chance(70) ? tagLength : random.int(1, tagLength),
    // Mail::SRS takes 0 for its default.
    maxAgeDays: random.chance(60) ? 21 : random.int(1, 400),
    alwaysRewrite: random.chance(15),
  };
}

/** The same site later: other secrets on top, the old ones still known. */
export function rotated(random: Random, options: RandomOptions): RandomOptions {
  const secrets = [random.text(SECRET_TEXT, 1, 30), ...options.secrets];
  return { ...options, secrets: random.chance(50) ? secrets : secrets.slice(0, -1) };
}
