import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNCE_SETTINGS, type BounceSettings, type ReturnWay } from "@homing/forwarder";
import { bouncePolicyOf } from "./bounce-policy.ts";
import { parseConfig } from "./config/load-config.ts";

/** What holds for one alias. */
function held(lines: string, alias: string | undefined): BounceSettings {
  const config = parseConfig(
    `hostname: mx.ours.test
domains: [ours.test, Club.test]
aliasesFile: aliases
srs: { domain: srs.ours.test, secretsFile: secrets }
${lines}
`,
    "homing.yaml",
  );
  const [localPart = "", domain = ""] = alias?.split("@") ?? [];
  return bouncePolicyOf(config)(alias === undefined ? undefined : { localPart, domain });
}

const all = (way: ReturnWay): BounceSettings["ways"] => {
  return { hard: way, soft: way, policy: way, spam: way, delay: way, success: way };
};
const owner = (localPart: string) => ({ owner: { localPart, domain: "ours.test" } });

test("without a word in the configuration every bounce is reissued", () => {
  for (const alias of [undefined, "bob@ours.test"])
    assert.deepEqual(held("", alias), { ...BOUNCE_SETTINGS, owner: undefined });
});

const OF_ALL = `bounces:
  diagnostic: none
  return: { hard: both, spam: silent }
  owner: all@ours.test
  autoReplies: forward
`;
const OF_DOMAIN = `domainSettings:
  CLUB.test:
    bounces: { diagnostic: redacted, return: { spam: owner, delay: silent }, owner: club@ours.test }
`;
const LEVELS = `${OF_ALL}  aliases:
    Bob@club.test: { return: { delay: verbatim }, autoReplies: refuse }
    all@club.test: { return: both, diagnostic: code }
    bob@ours.test: { owner: bob@ours.test }
${OF_DOMAIN}`;

const ofAll = {
  diagnostic: "none",
  ways: { ...all("reissue"), hard: "both", spam: "silent" },
  ...owner("all"),
  autoReplies: "forward",
} as const;
const ofDomain = {
  diagnostic: "redacted",
  ways: { ...ofAll.ways, spam: "owner", delay: "silent" },
  ...owner("club"),
  autoReplies: "forward",
} as const;

const levels: [what: string, alias: string | undefined, expected: BounceSettings][] = [
  ["an alias that nobody knows has what holds for all", undefined, ofAll],
  ["an alias without settings has what holds for all", "x@ours.test", ofAll],
  ["an alias of a domain with settings has them, class by class", "x@club.test", ofDomain],
  ["the spelling of the domain does not matter", "x@CLUB.test", ofDomain],
  [
    "an alias has its own settings over those of its domain",
    "bob@club.test",
    { ...ofDomain, ways: { ...ofDomain.ways, delay: "verbatim" }, autoReplies: "refuse" },
  ],
  [
    "one way for all classes leaves nothing of what holds outward",
    "ALL@club.test",
    { ...ofDomain, ways: all("both"), diagnostic: "code" },
  ],
  [
    "the same local part at another domain has settings of its own",
    "bob@ours.test",
    { ...ofAll, ...owner("bob") },
  ],
];
for (const [what, alias, expected] of levels) {
  test(what, () => assert.deepEqual(held(LEVELS, alias), expected));
}
