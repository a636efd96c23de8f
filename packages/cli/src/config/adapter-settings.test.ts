import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandFailure } from "../failure.ts";
import { adapterWarnings } from "./adapter-warnings.ts";
import { parseConfig } from "./load-config.ts";
import type { Config } from "./schema.ts";

/** Seven lines: adapters begin on line 8. */
const BASE = `hostname: mx.ours.test
domains: [ours.test]
srs: { domain: srs.ours.test, secretsFile: secrets }
listen: 127.0.0.1:2525
http: { listen: "127.0.0.1:8025", publicUrl: "https://mx.ours.test" }
dkim: unsigned
adapters:
`;

function parsed(adapters: string): Config {
  return parseConfig(`${BASE}${adapters}`, "homing.yaml");
}

function said(adapters: string): string {
  try {
    parsed(adapters);
  } catch (error) {
    if (error instanceof CommandFailure) return error.message;
    throw error;
  }
  return "nothing";
}

const LONG = `/run/${"x".repeat(103)}`;

const wrong: readonly [what: string, adapters: string, message: string][] = [
  [
    "a mode without quotes",
    `  milter: { listen: "unix:/m", mode: 660 }`,
    `8:38 adapters.milter.mode: is a number to YAML: put it in quotes, as in "0660"`,
  ],
  [
    "a mode without quotes, with its zero",
    `  milter: { listen: "unix:/m", mode: 0660 }`,
    `8:38 adapters.milter.mode: is a number to YAML: put it in quotes, as in "0660"`,
  ],
  [
    "a mode that is not octal",
    `  milter: { listen: "unix:/m", mode: "888" }`,
    `8:38 adapters.milter.mode: is no mode: write three octal digits (0 to 7) in quotes, as in "0660"`,
  ],
  [
    "a path that no socket can have",
    `  policy:\n    listen: ["unix:${LONG}"]`,
    "9:14 adapters.policy.listen.0: this path has 108 octets, and a UNIX socket can have 107: write a shorter one",
  ],
  [
    "a relative path",
    `  policy:\n    listen: ["unix:run/policy"]`,
    `9:14 adapters.policy.listen.0: "run/policy" does not begin with a slash: write the whole path, as in unix:/path`,
  ],
  [
    "a port alone",
    `  policy:\n    listen: ["10003"]`,
    `9:14 adapters.policy.listen.0: "10003" is no place to listen at: write HOST:PORT, as in 127.0.0.1:10003, or unix:/path`,
  ],
  [
    "two adapters at one socket, spelt in two ways",
    `  policy:\n    listen: ["unix:/run/a"]\n  milter:\n    listen: ["unix:/run//a"]`,
    "11:14 adapters.milter.listen.0: is where adapters.policy.listen listens: choose another place",
  ],
  [
    "two maps at one port",
    `  tcpTables:\n    forward: 127.0.0.1:10001\n    reverse: 127.0.0.1:10001`,
    "10:14 adapters.tcpTables.reverse: is where adapters.tcpTables.forward listens: choose another place",
  ],
  [
    "one adapter twice at one place",
    `  spfd:\n    listen: ["127.0.0.1:5970", "0.0.0.0:5970"]`,
    "9:32 adapters.spfd.listen.1: is where adapters.spfd.listen listens: choose another place",
  ],
  [
    "an adapter at the port of SMTP, by its wildcard",
    `  milter:\n    listen: ["[::]:2525"]`,
    "9:14 adapters.milter.listen.0: is where listen listens: choose another place",
  ],
  [
    "an adapter at the port of the page",
    `  milter:\n    listen: ["127.0.0.1:8025"]`,
    "9:14 adapters.milter.listen.0: is where http.listen listens: choose another place",
  ],
];
for (const [what, adapters, message] of wrong) {
  test(`${what} is told with its place and what to do`, () => {
    assert.equal(said(adapters), `homing.yaml:${message}`);
  });
}

const good: readonly [what: string, adapters: string][] = [
  ["port 0 twice", `  spfd: { listen: ["127.0.0.1:0", "127.0.0.1:0"] }`],
  ["one port at two addresses", `  spfd: { listen: ["127.0.0.1:5970", "127.0.0.2:5970", "[::1]:5970"] }`],
  ["IPv6 beside all of IPv4", `  spfd: { listen: ["0.0.0.0:5970", "[::1]:5970"] }`],
  ["the longest path", `  spfd: { listen: "unix:${LONG.slice(0, -1)}" }`],
  ["one socket each", `  policy: { listen: "unix:/run/a" }\n  milter: { listen: "unix:/run/b" }`],
];
for (const [what, adapters] of good) {
  test(`nothing is wrong with ${what}`, () => assert.equal(said(adapters), "nothing"));
}

test("without adapters and without tables the message names both", () => {
  assert.throws(() => parseConfig(BASE.replace("adapters:\n", ""), "homing.yaml"), {
    message: /^homing\.yaml:1:1 aliasesFile: no table says .*; for another mail server set adapters$/,
  });
});

const warned: readonly [adapters: string, warnings: readonly RegExp[]][] = [
  [`  socketmap: { listen: "0.0.0.0:10003" }`, [/^warning: adapters\.socketmap\.listen: 0\.0\.0\.0 is open/]],
  [`  milter: { listen: ["[::]:10005", "[::1]:10006"] }`, [/^warning: adapters\.milter\.listen: :: is open/]],
  [`  tcpTables: { forward: "192.0.2.1:10001" }`, [/^warning: adapters\.tcpTables\.forward: 192/]],
  [
    `  readsocket: { listen: "mx.ours.test:10007" }`,
    [/any sender signed: write 127\.0\.0\.1 or unix:\/path/],
  ],
  // They sign nothing.
  [`  policy: { listen: "0.0.0.0:10004" }\n  spfd: { listen: "0.0.0.0:5970" }`, []],
  [`  socketmap: { listen: ["127.0.0.1:10003", "127.9.9.9:10003", "localhost:10004"] }`, []],
  [
    `  policy: { listen: "127.0.0.1:10004", mode: "0600", group: postfix }`,
    [/^warning: adapters\.policy: mode, group: of UNIX sockets, and here are TCP ports alone/],
  ],
  [`  policy: { listen: ["127.0.0.1:10004", "unix:/run/a"], group: postfix }`, []],
  [`  policy: { listen: "127.0.0.1:10004", mode: "0660" }`, []],
];
for (const [adapters, warnings] of warned) {
  test(`${adapters.trim()}: ${warnings.length > 0 ? "a warning" : "no warning"}`, () => {
    const all = adapterWarnings(parsed(adapters).adapters);
    assert.equal(all.length, warnings.length, all.join("\n"));
    for (const [at, words] of warnings.entries()) assert.match(all[at] ?? "", words);
  });
}

test("only those that are started are warned of", () => {
  const { adapters } = parsed(`  socketmap: { listen: "0.0.0.0:10003" }`);
  assert.deepEqual(adapterWarnings(adapters, ["policy"]), []);
});
