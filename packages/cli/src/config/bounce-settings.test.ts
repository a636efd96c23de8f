import assert from "node:assert/strict";
import { test } from "node:test";
import { effectiveValues } from "./effective-values.ts";
import { readConfig } from "./load-config.ts";
import { configSchema } from "./schema.ts";
import { settingTree } from "./setting-tree.ts";

/** Six lines: what a test adds begins on line 7. */
const MINIMAL = `hostname: mx.ours.test
domains: [ours.test, Bücher.test]
domainAliases: { old.test: ours.test }
aliasesFile: aliases
stateDirectory: state
srs: { domain: srs.ours.test, secretsFile: secrets }
`;

function read(text: string): ReturnType<typeof readConfig> {
  return readConfig(text, "homing.yaml");
}

const WAYS = "write reissue, verbatim, owner, both or silent";
const CLASSES = "write hard, soft, policy, spam, delay or success";

const wrong: [what: string, lines: string, ...told: string[]][] = [
  [
    "a way that is none",
    "bounces: { return: revert }",
    `7:20 bounces.return: "revert" is no way for a bounce: ${WAYS}`,
  ],
  [
    "a list of ways",
    "bounces: { return: [owner] }",
    `7:20 bounces.return: ["owner"] is no way for a bounce: ${WAYS}`,
  ],
  [
    "a way that is none, for one class",
    "bounces:\n  return: { spam: nobody }",
    `8:19 bounces.return.spam: "nobody" is no way for a bounce: ${WAYS}`,
  ],
  [
    "a slip in a class",
    "bounces:\n  return: { hrad: owner }",
    "8:13 bounces.return.hrad: there is no such setting: did you mean bounces.return.hard?",
  ],
  [
    "a class that is none, at an alias",
    "bounces: { aliases: { b@ours.test: { return: { auto-reply: owner } } } }",
    `7:48 bounces.aliases.b@ours.test.return.auto-reply: "auto-reply" is no class: ${CLASSES}`,
  ],
  [
    "ways of a domain that are none",
    "domainSettings:\n  ours.test:\n    bounces: { return: { soft: 5, hard: both } }",
    `9:32 domainSettings.ours.test.bounces.return.soft: 5 is no way for a bounce: ${WAYS}`,
  ],
  [
    "another diagnostic",
    "bounces: { diagnostic: all }",
    "7:24 bounces.diagnostic: is not one of none, code, redacted: write one of them",
  ],
  [
    "an owner without a domain",
    "bounces: { owner: postmaster }",
    '7:19 bounces.owner: address "postmaster": has no @: write an address such as postmaster@forwarder.example',
  ],
  [
    "an owner of one domain that is no address",
    'domainSettings: { ours.test: { bounces: { owner: "@ours.test" } } }',
    '7:50 domainSettings.ours.test.bounces.owner: address "@ours.test": has nothing before the @: write an address such as postmaster@forwarder.example',
  ],
  [
    "headers without a place",
    "bounces: { remember: headers }",
    "7:22 bounces.remember: needs a place to keep them: set stateDirectory",
  ],
  [
    "what holds for all alone, at a domain",
    "domainSettings: { ours.test: { bounces: { remember: headers } } }",
    "7:43 domainSettings.ours.test.bounces.remember: there is no such setting: did you mean bounces.remember?",
  ],
  [
    "aliases of a domain, which are named for all",
    "domainSettings: { ours.test: { bounces: { aliases: {} } } }",
    "7:43 domainSettings.ours.test.bounces.aliases: there is no such setting: did you mean bounces.aliases?",
  ],
  [
    "an alias without a domain",
    "bounces: { aliases: { bob: {} } }",
    '7:28 bounces.aliases.bob: address "bob": has no @: write the whole address of an alias, such as bob@forwarder.example',
  ],
  [
    "an alias that is none of ours",
    "bounces:\n  aliases:\n    Bob@Elsewhere.test: { return: owner }",
    "9:25 bounces.aliases.Bob@Elsewhere.test: Elsewhere.test is none of domains: add it there, or correct it",
  ],
  [
    "an alias at a further name",
    "bounces: { aliases: { Bob@Old.test: { return: owner } } }",
    "7:37 bounces.aliases.Bob@Old.test: is at a further name of ours.test: write Bob@ours.test",
  ],
  [
    "two spellings of one alias",
    "bounces: { aliases: { Bob@ours.test: {}, bob@OURS.test: {} } }",
    "7:57 bounces.aliases.bob@OURS.test: is a second spelling of this alias: keep one",
  ],
  [
    "every mistake, in the order of the file",
    "bounces: { aliases: { x@no.test: { return: x }, b: {}, c@old.test: {} }, owner: o, diagnostic: d }",
    "7:34 bounces.aliases.x@no.test: no.test is none of domains: add it there, or correct it",
    `7:44 bounces.aliases.x@no.test.return: "x" is no way for a bounce: ${WAYS}`,
    '7:52 bounces.aliases.b: address "b": has no @: write the whole address of an alias, such as bob@forwarder.example',
    "7:68 bounces.aliases.c@old.test: is at a further name of ours.test: write c@ours.test",
    '7:81 bounces.owner: address "o": has no @: write an address such as postmaster@forwarder.example',
    "7:96 bounces.diagnostic: is not one of none, code, redacted: write one of them",
  ],
];
for (const [what, lines, ...told] of wrong) {
  test(`${what}: what, why and what to do are told at its place`, () => {
    const minimal = lines.includes("headers }")
      ? MINIMAL.replace("stateDirectory: state", "pidFile: pid")
      : MINIMAL;
    const config = read(`${minimal}${lines}\n`);
    assert.ok(!config.ok);
    assert.deepEqual(
      config.problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
      told,
    );
  });
}

test("an alias may be at any domain of ours, in any spelling, and the owner anywhere", () => {
  const config = read(`${MINIMAL}bounces:
  owner: list@elsewhere.test
  aliases:
    BOB@OURS.TEST: { return: { hard: owner } }
    '"b b"@bücher.test': { owner: '"o o"@ours.test' }
`);
  assert.deepEqual(config.ok ? config.config.bounces : config.problems, {
    diagnostic: "code",
    return: "reissue",
    owner: { localPart: "list", domain: "elsewhere.test" },
    autoReplies: "refuse",
    remember: "none",
    aliases: {
      "BOB@OURS.TEST": { return: { hard: "owner" } },
      '"b b"@bücher.test': { owner: { localPart: "o o", domain: "ours.test" } },
    },
  });
});

test("what is shown of bounces has the place of what is written, and names what holds without", () => {
  const config = read(`${MINIMAL}domainSettings: { ours.test: { bounces: { return: { spam: silent } } } }
bounces:
  return: { hard: both }
  owner: list@ours.test
  aliases:
    Bob@ours.test: { return: owner, diagnostic: none }
`);
  assert.ok(config.ok);
  const values = effectiveValues(settingTree(configSchema), { ...config, path: "homing.yaml" });
  const rows = values
    .filter(({ name }) => name.includes("bounces"))
    .map(({ name, value, place, setting }) => {
      const from = place ? `${place.line}:${place.column}` : "default";
      return `${name} ${String(value ?? setting.words.without)} ${from}`;
    });
  assert.deepEqual(rows, [
    "domainSettings.ours.test.bounces.diagnostic `bounces.diagnostic` default",
    "domainSettings.ours.test.bounces.return.spam silent 7:59",
    "domainSettings.ours.test.bounces.owner `bounces.owner` default",
    "domainSettings.ours.test.bounces.autoReplies `bounces.autoReplies` default",
    "bounces.diagnostic code default",
    "bounces.return.hard both 9:19",
    "bounces.return.soft reissue default",
    "bounces.return.policy reissue default",
    "bounces.return.spam reissue default",
    "bounces.return.delay reissue default",
    "bounces.return.success reissue default",
    "bounces.owner list@ours.test 10:10",
    "bounces.autoReplies refuse default",
    "bounces.remember none default",
    "bounces.aliases.Bob@ours.test.diagnostic none 12:49",
    "bounces.aliases.Bob@ours.test.return owner 12:30",
    "bounces.aliases.Bob@ours.test.owner that of its domain, or `bounces.owner` default",
    "bounces.aliases.Bob@ours.test.autoReplies that of its domain, or `bounces.autoReplies` default",
  ]);
});
