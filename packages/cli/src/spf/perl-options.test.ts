import assert from "node:assert/strict";
import { test } from "node:test";
import { type PerlOption, parsePerlOptions } from "./perl-options.ts";

const OPTIONS: readonly PerlOption[] = [
  { kind: "text", names: ["identity", "id"] },
  { kind: "text", names: ["ip-address", "ip"] },
  { kind: "text", names: ["i"] },
  { kind: "flag", names: ["verbose", "V"] },
  { kind: "flag", names: ["version"] },
  { kind: "number", names: ["max"] },
  { kind: "pair", names: ["override"] },
];

const good: readonly [args: string, values: Record<string, string | boolean>][] = [
  ["", {}],
  ["--identity bob", { identity: "bob" }],
  ["--id=bob", { identity: "bob" }],
  ["--id=", { identity: "" }],
  ["--id -x", { identity: "-x" }],
  ["--id --", { identity: "--" }],
  ["--ident bob --ip-a 1", { identity: "bob", "ip-address": "1" }],
  ["--id a=b --id c", { identity: "c" }],
  ["word --id bob - more", { identity: "bob" }],
  ["--id bob -- --id eve", { identity: "bob" }],
  ["-i 1 -V", { i: "1", verbose: true }],
  ["-ip=1", { i: "p" }],
  ["-i=1 2", { i: "2" }],
  ["--verbose --no-verbose", { verbose: false }],
  ["--noverb", { verbose: false }],
  ["--max -3", { max: "-3" }],
  ["--override a=b=c", { override: "a=b=c" }],
];
for (const [args, values] of good) {
  test(`it is read as Perl reads it: ${args || "nothing"}`, () => {
    const parsed = parsePerlOptions(args === "" ? [] : args.split(" "), OPTIONS);
    assert.ok(parsed.ok);
    assert.deepEqual(Object.fromEntries(parsed.values), values);
  });
}

const wrong: readonly [args: string, problem: string][] = [
  ["--other", "Unknown option: other"],
  ["--=x", "Unknown option: =x"],
  ["-x", "Unknown option: x"],
  ["--__proto__", "Unknown option: __proto__"],
  ["--id", "Option id requires an argument"],
  ["--verbose=1", "Option verbose does not take an argument"],
  ["-Vx", "Option V does not take an argument"],
  ["--max many", 'Value "many" invalid for option max (number expected)'],
  ["--override a", 'Option override, key "a", requires a value'],
  ["--ver", "Option ver is ambiguous (verbose, version)"],
];
for (const [args, problem] of wrong) {
  test(`it is a mistake: ${args}`, () => {
    assert.deepEqual(parsePerlOptions(args.split(" "), OPTIONS), { ok: false, problem });
  });
}
