// The command line of Debian's spfquery (Mail::SPF), in its ways of today and of before 2006. Called by `homing spfquery`.
import type { SpfRequest } from "@homing/mta-adapters/spfquery";
import { type PerlOption, type PerlValues, parsePerlOptions } from "./perl-options.ts";

export type SpfqueryAsked =
  | { readonly kind: "help" | "version" }
  /** `usage`: the help is shown, too. */
  | { readonly kind: "usage" | "problem"; readonly problem: string }
  | {
      readonly kind: "request" | "file";
      /** Of one request, or what all lines of the file have in common. */
      readonly request: SpfRequest;
      /** `-` is stdin. */
      readonly file: string;
      readonly hostname: string | undefined;
      readonly explanation: string | undefined;
      readonly keepComments: boolean;
      /** Ours alone: `HOST:PORT`. */
      readonly dns: string | undefined;
    };

const text = (...names: PerlOption["names"]): PerlOption => ({ kind: "text", names });
const flag = (...names: PerlOption["names"]): PerlOption => ({ kind: "flag", names });
const number = (...names: PerlOption["names"]): PerlOption => ({ kind: "number", names });
const pair = (...names: PerlOption["names"]): PerlOption => ({ kind: "pair", names });

const OPTIONS: readonly PerlOption[] = [
  ...[text("file", "f"), text("versions", "v"), text("scope"), text("s"), text("identity", "id")],
  ...[text("ip-address", "ip"), text("helo-identity", "helo-id"), text("mfrom", "mail-from", "m")],
  ...[text("helo", "h"), text("default-explanation", "def-exp"), text("hostname"), flag("keep-comments")],
  ...[flag("debug"), flag("sanitize"), flag("enable-black-magic"), number("max-dns-interactive-terms")],
  ...[number("max-name-lookups-per-term"), text("authorize-mxes-for"), flag("tfwl"), text("guess")],
  ...[text("local"), pair("override"), pair("fallback"), flag("version", "V"), flag("help")],
  ...[
    text("sender"),
    text("ipv4"),
    text("i"),
    text("name"),
    number("max-lookup-count"),
    number("max-lookup"),
  ],
  ...[text("rcpt-to"), text("r"), flag("trusted"), text("dns")],
];

const OLD_NAMES: readonly (readonly [old: string, name: string])[] = [
  ["sender", "mfrom"],
  ["ipv4", "ip-address"],
  ["i", "ip-address"],
  ["name", "hostname"],
  ["max-lookup-count", "max-dns-interactive-terms"],
  ["max-lookup", "max-dns-interactive-terms"],
  ["rcpt-to", "authorize-mxes-for"],
  ["r", "authorize-mxes-for"],
  ["trusted", "tfwl"],
];

/** Debian's refuses these, too: with them the answer would be another one than receivers get. */
const REFUSED = ["enable-black-magic", "max-dns-interactive-terms", "max-name-lookups-per-term"].concat(
  ...[["guess", "local", "override", "fallback"]],
);

/** @param warn about names of before 2006 */
export function parseSpfqueryArguments(
  args: readonly string[],
  warn: (message: string) => void,
): SpfqueryAsked {
  const parsed = parsePerlOptions(args, OPTIONS);
  if (!parsed.ok) return { kind: "usage", problem: parsed.problem };
  if (parsed.values.get("help") === true) return { kind: "help" };
  if (parsed.values.get("version") === true) return { kind: "version" };
  const values = withNamesOfToday(parsed.values, warn);
  const refused = REFUSED.find((name) => values.has(name) && values.get(name) !== false);
  if (refused !== undefined)
    return { kind: "problem", problem: `'${refused}' is refused: its answer would be nobody else's` };
  return asked(values);
}

function withNamesOfToday(values: PerlValues, warn: (message: string) => void): PerlValues {
  const today = new Map(values);
  for (const [old, name] of OLD_NAMES) {
    const value = today.get(old);
    if (value === undefined) continue;
    warn(`Warning: '${old}' option is deprecated; use '${name}' instead.`);
    today.delete(old);
    today.set(name, value);
  }
  return today;
}

function asked(values: PerlValues): SpfqueryAsked {
  const value = (name: string): string | undefined => {
    const given = values.get(name);
    return typeof given === "string" ? given : undefined;
  };
  const file = value("file");
  const { scope, identity, helo } = whoIsChecked(value, file !== undefined);
  if (identity !== undefined && file !== undefined)
    return { kind: "usage", problem: "an identity and a file: give one of them" };
  if (scope === undefined || (identity === undefined && file === undefined))
    return {
      kind: "usage",
      problem: "whose mail is it? --id IDENTITY with --ip ADDRESS is missing, or --file FILE",
    };
  if (identity === "")
    return { kind: "problem", problem: "the identity is empty: for the null sender, check its HELO name" };
  return {
    kind: file === undefined ? "request" : "file",
    request: new Map([
      ["versions", value("versions")],
      ["scope", scope],
      ["identity", identity],
      ["ip_address", value("ip-address")],
      ["helo_identity", helo],
    ]),
    file: file ?? "",
    hostname: value("hostname"),
    explanation: value("default-explanation"),
    keepComments: values.get("keep-comments") === true,
    dns: value("dns"),
  };
}

interface Checked {
  readonly scope: string | undefined;
  readonly identity: string | undefined;
  readonly helo: string | undefined;
}

function whoIsChecked(value: (name: string) => string | undefined, isFile: boolean): Checked {
  const s = value("s");
  // `-s` was the sender once, and is the scope: no scope has a dot or an at sign.
  const isScope = s !== undefined && value("scope") === undefined && !/[@.]/.test(s);
  const scope = value("scope") ?? (isScope ? s : undefined);
  const mfrom = s !== undefined && !isScope ? s : value("mfrom");
  const identity = value("identity");
  const helo = value("helo-identity");
  if (scope !== undefined) return { scope, identity, helo };
  if (identity !== undefined || isFile) return { scope: "mfrom", identity, helo };
  // A sender beside a HELO name is not looked at: so it is in Debian's.
  if (value("helo") !== undefined) return { scope: "helo", identity: value("helo"), helo };
  if (mfrom !== undefined) return { scope: "mfrom", identity: mfrom, helo };
  return { scope: undefined, identity: undefined, helo };
}
