// The names that options may have: a misspelled one would be passed over, and with it what it was to check. TypeScript says so,
// too, but not every site has it. Called by plugin-rules.ts.
import type { OnBehalfPluginOptions, World } from "./options.ts";
import { wrongOption } from "./plugin-problem.ts";

type Names<T> = Readonly<Record<keyof T, true>>;

const OPTIONS: Names<OnBehalfPluginOptions> = {
  secretsFile: true,
  secrets: true,
  bounceDomain: true,
  from: true,
  title: true,
  fromMode: true,
  maxRecipients: true,
  isConfirmed: true,
  identityKeys: true,
  site: true,
  homing: true,
  world: true,
};
const FROM: Names<Exclude<OnBehalfPluginOptions["from"], string>> = { name: true, address: true };
const HOMING: Names<NonNullable<OnBehalfPluginOptions["homing"]>> = { url: true, siteKeyFile: true };
const WORLD: Names<World> = { now: true, lookUpTxt: true, newId: true, request: true };

/** Of two names that are as like as that, one may be a slip for the other. */
const LEAST_LIKENESS = 0.4;

/** Throws where a name is none, and says which was meant. */
export function checkOptionNames(options: OnBehalfPluginOptions): void {
  if (!isObject(options))
    throw wrongOption("options", "are none", "give { secretsFile, bounceDomain, from }");
  check(options, "", OPTIONS);
  check(options.from, "from.", FROM);
  check(options.homing, "homing.", HOMING);
  check(options.world, "world.", WORLD);
}

/** The name that is most like the word, in whatever case. */
export function nearestName(word: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, likeness: likeness(word, name) }))
    .sort((a, b) => b.likeness - a.likeness);
  return best && best.likeness >= LEAST_LIKENESS ? best.name : undefined;
}

function check(value: unknown, prefix: string, known: Readonly<Record<string, true>>): void {
  if (!isObject(value)) return;
  const other = Object.keys(value).find((name) => !Object.hasOwn(known, name));
  if (other === undefined) return;
  const names = Object.keys(known);
  const nearest = nearestName(other, names);
  const question = nearest === undefined ? "" : `did you mean ${prefix}${nearest}? `;
  const field = prefix + other.replace(/[^ -~]/g, "?").slice(0, 40);
  throw wrongOption(field, "is no option", `${question}the names are ${names.join(", ")}`);
}

/** Of all pairs of neighbouring letters, how many are in both (Dice's coefficient): from 0 to 1. */
function likeness(a: string, b: string): number {
  const [pairsA, pairsB] = [pairsOf(a), pairsOf(b)];
  const common = [...pairsA].filter((pair) => pairsB.has(pair)).length;
  return (2 * common) / Math.max(1, pairsA.size + pairsB.size);
}

function pairsOf(word: string): ReadonlySet<string> {
  const letters = [...word.slice(0, 40).toLowerCase()];
  return new Set(letters.slice(1).map((letter, index) => `${letters[index]}${letter}`));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
