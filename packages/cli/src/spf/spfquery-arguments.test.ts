import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSpfqueryArguments } from "./spfquery-arguments.ts";

const lacking: readonly [args: readonly string[], problem: RegExp][] = [
  [[], /^whose mail is it\? --id IDENTITY with --ip ADDRESS is missing, or --file FILE$/],
  [["--ip", "192.0.2.1"], /^whose mail is it\?/],
  [["--scope", "helo"], /^whose mail is it\?/],
  [["--id", "bob@origin.example", "--file", "-"], /^an identity and a file: give one of them$/],
  [["--nonsense"], /^Unknown option: nonsense$/],
];
for (const [args, problem] of lacking) {
  test(`spfquery ${args.join(" ")}: the help, and what is missing or wrong`, () => {
    const asked = parseSpfqueryArguments(args, () => assert.fail("there is no old name"));
    assert.ok(asked.kind === "usage", asked.kind);
    assert.match(asked.problem, problem);
  });
}
