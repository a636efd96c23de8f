import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { NULL_PATH } from "@homing/srs-core";
import { problemsOf } from "../config/config-problem.ts";
import { parseConfig } from "../config/load-config.ts";
import { CommandFailure } from "../failure.ts";
import { readSites } from "./read-sites.ts";

const CONFIG = `hostname: mx.ours.test
domains: [ours.test]
aliasesFile: aliases
srs: { domain: srs.ours.test, secretsFile: srs.secrets, scheme: classic, weakSecret: true }
http: { publicUrl: "https://mx.ours.test" }
stateDirectory: state
onBehalf:
  keysFile: links.keys
  sites:
    cards: { title: Cards, from: cards@site.test, bounceDomain: bounce.site.test, keysFile: cards.keys }
    forum:
      title: Forum
      from: forum@forum.test
      bounceDomain: bounce.forum.test
      keysFile: forum.keys
      secretsFile: forum.secrets
`;
const FILES: Readonly<Record<string, string>> = {
  "srs.secrets": "a secret of the forwarder itself",
  "links.keys": "a key that signs links in mail\nan older key that signed links",
  "cards.keys": "a key of the site for cards",
  "forum.keys": "# two are live\na key of the site for forums\nan older key of that site",
  "forum.secrets": "a secret of the site for forums",
  "cards.secrets": "a secret of the site for cards",
};

type Changes = Readonly<Record<string, string | undefined>>;

async function folderWith(t: TestContext, changes: Changes = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries({ ...FILES, ...changes }))
    if (text !== undefined) await writeFile(join(folder, name), `${text}\n`, { mode: 0o600 });
  return folder;
}

async function told(t: TestContext, changes: Changes): Promise<string[]> {
  const folder = await folderWith(t, changes);
  const path = join(folder, "homing.yaml");
  try {
    const read = await readSites(parseConfig(changes["homing.yaml"] ?? CONFIG, path), path);
    assert.ok(read);
    assert.deepEqual(read.linkKeys, FILES["links.keys"]?.split("\n"));
    assert.deepEqual(
      read.sites.map(({ name, keys }) => [name, keys.length]),
      [
        ["cards", 1],
        ["forum", 2],
      ],
    );
    assert.deepEqual([...read.rewriters.keys()], ["bounce.site.test", "bounce.forum.test"]);
    return [];
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    assert.equal(error.reason, "config");
    return problemsOf(error).map(({ message }) => message.replaceAll(`${folder}/`, ""));
  }
}

test("files with keys of their own are good", async (t) => {
  assert.deepEqual(await told(t, {}), []);
});

test("all wrong files are told in one run, each with its setting and what to do", async (t) => {
  const changes = {
    "links.keys": "short",
    "cards.keys": undefined,
    "forum.keys": "# nothing yet",
    "forum.secrets": undefined,
  };
  assert.deepEqual(await told(t, changes), [
    "onBehalf.sites.forum.secretsFile: file of secrets forum.secrets: there is no such file: make one with homing " +
      "secrets new forum.secrets",
    "onBehalf.keysFile: file of keys links.keys:1: the key has fewer than 22 characters, which can be guessed: put a " +
      "random one there, as from: openssl rand -base64 24",
    "onBehalf.sites.cards.keysFile: file of keys cards.keys: there is no such file: make one with homing secrets new " +
      "cards.keys",
    "onBehalf.sites.forum.keysFile: file of keys forum.keys holds no key: put one on a line, as from: openssl rand " +
      "-base64 24",
  ]);
});

test("a short secret of the forwarder is none for sites, though srs.weakSecret allows it", async (t) => {
  assert.deepEqual(await told(t, { "srs.secrets": "short" }), [
    "secrets file srs.secrets:1: the secret has fewer than 22 characters, which can be guessed: put a random one there, " +
      "as from: openssl rand -base64 24, or name a secretsFile for each of onBehalf.sites",
  ]);
  const own = CONFIG.replace("keysFile: cards.keys", "keysFile: cards.keys, secretsFile: cards.secrets");
  assert.deepEqual(await told(t, { "srs.secrets": "short", "homing.yaml": own }), []);
});

const clashes: [what: string, file: string, other: string, told: RegExp][] = [
  [
    "a site key, a link key, too",
    "cards.keys",
    "links.keys",
    /cards\.keysFile: .* cards\.keys:1: the key is one of onBehalf\.keysFile, too/,
  ],
  [
    "a site key, a secret of the forwarder, too",
    "forum.keys",
    "srs.secrets",
    /forum\.keysFile: .* forum\.keys:1: .* srs\.secretsFile, too/,
  ],
  [
    "a site key, a secret of a site, too",
    "cards.keys",
    "forum.secrets",
    /cards\.keysFile: .* onBehalf\.sites\.forum\.secretsFile, too/,
  ],
  [
    "a site key, one of another site, too",
    "forum.keys",
    "cards.keys",
    /forum\.keysFile: .* onBehalf\.sites\.cards\.keysFile, too/,
  ],
  [
    "a link key, a secret of the forwarder, too",
    "links.keys",
    "srs.secrets",
    /^onBehalf\.keysFile: .* srs\.secretsFile, too/,
  ],
  [
    "a link key, a secret of a site, too",
    "links.keys",
    "forum.secrets",
    /^onBehalf\.keysFile: .* onBehalf\.sites\.forum\.secretsFile, too/,
  ],
];
for (const [what, file, other, message] of clashes) {
  test(`${what}, is refused: whoever has it could do what both are for`, async (t) => {
    const [problem = "", ...more] = await told(t, { [file]: FILES[other]?.split("\n")[0] });
    assert.match(problem, message);
    assert.deepEqual(more, []);
    assert.doesNotMatch(problem, /a secret of the|a key (?:of|that)/, "and is not shown");
  });
  test(`${what}, by one file for both settings, is refused`, async (t) => {
    const [problem = ""] = await told(t, { "homing.yaml": CONFIG.replace(`: ${file}`, `: ${other}`) });
    assert.match(problem, /, too, and whoever has it .*: name a file of its own$/);
  });
}

test("a site does not have the forwarder's secrets: its SRS addresses would be good for all", async (t) => {
  const shared = CONFIG.replace("secretsFile: forum.secrets", "secretsFile: srs.secrets");
  const [problem, ...others] = await told(t, { "homing.yaml": shared });
  assert.match(problem ?? "", /forum\.secretsFile: .* the secret is one of srs\.secretsFile, too/);
  assert.deepEqual(others, []);
});

test("sites without secrets of their own have different ones, made from the forwarder's", async (t) => {
  const path = join(await folderWith(t), "homing.yaml");
  const read = await readSites(parseConfig(CONFIG.replace("secretsFile: forum.secrets", ""), path), path);
  const [cards, forum] = [...(read?.rewriters.values() ?? [])];
  assert.ok(cards && forum);
  const forged = cards.forward({ localPart: "alice", domain: "example.org" }, 1_800_000_000);
  assert.ok(forged.ok && forged.sender !== NULL_PATH);
  assert.equal(cards.reverse(forged.sender, 1_800_000_000).ok, true);
  assert.equal(forum.reverse(forged.sender, 1_800_000_000).ok, false);
});
