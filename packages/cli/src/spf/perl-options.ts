// A command line as Perl's Getopt::Long reads it with gnu_compat, so that scripts written for a Perl program run on: any
// beginning of a name that stands for one option, options behind arguments. Called by spfquery-arguments.ts.

/** `flag` may have `no` or `no-` before it; `pair` takes NAME=VALUE. */
export interface PerlOption {
  readonly kind: "flag" | "text" | "number" | "pair";
  /** The first is the option's; the others stand for it. */
  readonly names: readonly [string, ...string[]];
}

export type PerlValues = ReadonlyMap<string, string | boolean>;

export type PerlArguments =
  | { readonly ok: true; readonly values: PerlValues }
  | { readonly ok: false; readonly problem: string };

interface Named {
  readonly option: PerlOption;
  readonly isNegated: boolean;
}

/** Arguments that are no options are passed over. The last value counts. */
export function parsePerlOptions(args: readonly string[], options: readonly PerlOption[]): PerlArguments {
  const table = tableOf(options);
  const values = new Map<string, string | boolean>();
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    if (arg === "--") break;
    if (!arg.startsWith("-") || arg === "-") continue;
    const [name, given] = nameAndValue(arg);
    const found = find(table, name);
    if (typeof found === "string") return { ok: false, problem: found };
    const { option, isNegated } = found;
    if (option.kind === "flag") {
      if (given !== undefined) return { ok: false, problem: `Option ${name} does not take an argument` };
      values.set(option.names[0], !isNegated);
      continue;
    }
    if (given === undefined) at += 1;
    const value = given ?? args[at];
    const problem = valueProblem(option, name, value);
    if (problem !== undefined) return { ok: false, problem };
    values.set(option.names[0], value ?? "");
  }
  return { ok: true, values };
}

function tableOf(options: readonly PerlOption[]): ReadonlyMap<string, Named> {
  const table = new Map<string, Named>();
  for (const option of options) {
    for (const name of option.names) {
      table.set(name, { option, isNegated: false });
      if (option.kind !== "flag") continue;
      for (const no of ["no", "no-"]) table.set(`${no}${name}`, { option, isNegated: true });
    }
  }
  return table;
}

/** Behind one dash there is one letter, and its value: so `-ip=192.0.2.1` is the option i with the value p. */
function nameAndValue(arg: string): readonly [name: string, value: string | undefined] {
  const isLong = arg.startsWith("--");
  const text = arg.slice(isLong ? 2 : 1);
  const equals = text.indexOf("=", 1);
  const name = equals < 0 ? text : text.slice(0, equals);
  if (isLong) return [name, equals < 0 ? undefined : text.slice(equals + 1)];
  return [name.slice(0, 1), name.length === 1 ? undefined : name.slice(1)];
}

/** A problem where the name stands for none, or for several. */
function find(table: ReadonlyMap<string, Named>, name: string): Named | string {
  const exact = table.get(name);
  if (exact) return exact;
  const begun = [...table].filter(([whole]) => whole.startsWith(name));
  const [first] = begun;
  if (!first || name === "") return `Unknown option: ${name}`;
  const [, named] = first;
  const isOne = begun.every(
    ([, other]) => other.option === named.option && other.isNegated === named.isNegated,
  );
  return isOne
    ? named
    : `Option ${name} is ambiguous (${begun
        .map(([whole]) => whole)
        .sort()
        .join(", ")})`;
}

function valueProblem({ kind }: PerlOption, name: string, value: string | undefined): string | undefined {
  if (value === undefined) return `Option ${name} requires an argument`;
  if (kind === "number" && !/^[-+]?\d+$/.test(value))
    return `Value "${value}" invalid for option ${name} (number expected)`;
  if (kind === "pair" && !value.includes("=")) return `Option ${name}, key "${value}", requires a value`;
  return undefined;
}
