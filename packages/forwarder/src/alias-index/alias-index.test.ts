import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, type Mailbox, parseMailbox, type Rewriter, renderMailbox } from "@homing/srs-core";
import { loadTables } from "../tables/load-tables.ts";
import { createTableRules, type TableRuleOptions, type Tables } from "../tables/tables.ts";
import { type AliasIndexFacts, createAliasIndex } from "./alias-index.ts";

const RULES: TableRuleOptions = {
  domains: ["ours.test", "club.test", "b\u00fccher.test"].map((name) => mailbox(`x@${name}`).domain),
  ownNames: ["mx.ours.test", "srs.test"],
  nameDomains: ["ours.test"],
  domainAliases: { "other.test": "ours.test" },
  recipientDelimiter: "+",
};
const VIRTUAL = `alice@ours.test alice@home.test
Bob+Lists@ours.test bob@home.test
"two words"@ours.test x@home.test
carol@club.test carol@home.test
eve@b\u00fccher.test eve@home.test
@club.test all@home.test
dave dave@home.test
`;
const ALIASES = `postmaster: root@home.test
alice: somebody@home.test
"a b": ab@home.test
${"n".repeat(250)}: long@home.test
`;

const rewriter = createRewriter({
  secrets: ["a newer secret of ours", "an older secret of ours"],
  domain: "srs.test",
});
const ofClub = createRewriter({ secrets: ["the secret of the club"], domain: "srs.club.test" });
const rewriterFor = (domain: string): Rewriter => (domain === "club.test" ? ofClub : rewriter);

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

async function tablesOf(
  virtual: string,
  aliases = "postmaster: root@home.test\n",
  rules = RULES,
): Promise<Tables> {
  const texts = new Map([
    ["virtual", virtual],
    ["aliases", aliases],
  ]);
  const loaded = await loadTables(
    { virtual: "virtual", aliases: "aliases" },
    createTableRules(rules),
    async function* (file) {
      yield Buffer.from(texts.get(file) ?? "");
    },
  );
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.tables;
}

const tables = await tablesOf(VIRTUAL, ALIASES);
const index = createAliasIndex({ tables: () => tables, rewriterFor });

/** What each selector of an address names, newest secret first. */
async function named(address: string, by = rewriter, at = index): Promise<(string | undefined)[]> {
  const found = by.selectorsOf(mailbox(address)).map((selector, nth) => at.aliasOf(selector, by, nth));
  return (await Promise.all(found)).map((alias) => alias && renderMailbox(alias));
}

const listed: [what: string, address: string, as?: string][] = [
  ["an address of the virtual table", "alice@ours.test"],
  ["... in any case", "ALICE@Ours.Test", "alice@ours.test"],
  ["... with an extension of its own", "bob+lists@ours.test"],
  ["... whose local part has a blank", '"two words"@ours.test'],
  ["... at another name of its domain", "alice@other.test"],
  ["... at a domain of U-labels", "eve@b\u00fccher.test", "eve@xn--bcher-kva.test"],
  ["a name of the virtual table", "dave@ours.test"],
  ["... at another name of the domain", "dave@other.test"],
  ["a name of the alias file", '"a b"@ours.test'],
  ["postmaster", "postmaster@ours.test"],
  ["... at a domain without names", "postmaster@xn--bcher-kva.test"],
  ["... at our host name", "postmaster@mx.ours.test"],
  ["... at our SRS domain", "postmaster@srs.test"],
];
for (const [what, address, as = address] of listed) {
  test(`alias index: ${what} is found under each secret`, async () => {
    assert.deepEqual(await named(address), [as, as]);
  });
}

const neutral: [what: string, address: string][] = [
  ["an extension", "alice+tag@ours.test"],
  ["what the catch-all takes", "anybody@club.test"],
  ["a name at a domain that has none", "dave@club.test"],
  ["an address that is not ours", "alice@elsewhere.test"],
];
for (const [what, address] of neutral) {
  test(`alias index: ${what} is nobody`, async () => {
    assert.deepEqual(await named(address), [undefined, undefined]);
    assert.deepEqual(await named(address, ofClub), [undefined]);
  });
}

test("alias index: an alias is found with the rewriter of its domain alone", async () => {
  assert.deepEqual(await named("carol@club.test", ofClub), ["carol@club.test"]);
  assert.deepEqual(await named("carol@club.test"), [undefined, undefined]);
  const [selector = ""] = ofClub.selectorsOf(mailbox("carol@club.test"));
  assert.equal(await index.aliasOf(selector, rewriter, 0), undefined);
});

test("alias index: a selector under one secret is nobody's under another", async () => {
  const [newer = "", older = ""] = rewriter.selectorsOf(mailbox("alice@ours.test"));
  assert.equal(await index.aliasOf(newer, rewriter, 1), undefined);
  assert.equal(await index.aliasOf(older, rewriter, 0), undefined);
});

test("alias index: tables that cannot be read now are read at the next question", async () => {
  let isBroken = true;
  const at = createAliasIndex({
    tables: () => tables,
    rewriterFor(domain) {
      if (isBroken) throw new Error("not now");
      return rewriterFor(domain);
    },
  });
  const [selector = ""] = rewriter.selectorsOf(mailbox("alice@ours.test"));
  await assert.rejects(at.aliasOf(selector, rewriter, 0), /not now/);
  isBroken = false;
  assert.deepEqual(await at.aliasOf(selector, rewriter, 0), mailbox("alice@ours.test"));
});

test("alias index: what is no selector names nobody", async () => {
  for (const text of ["", "abcde", "abcdefg", "ABCDEF", "abcde1", "abcd\u00e9f"])
    assert.equal(await index.aliasOf(text, rewriter, 0), undefined);
});

/** Of a hash so short that aliases share one. */
function withSelectors(selectorOf: (alias: string) => string): Rewriter {
  return { ...rewriter, selectorsOf: (alias) => [selectorOf(renderMailbox(alias))] };
}

test("alias index: two aliases with one selector are nobody, others are told apart", async () => {
  const ofShort = new Map([
    ["a@ours.test", "aaaaaa"],
    ["b@ours.test", "aaaaab"],
    ["c@ours.test", "aaaaaa"],
  ]);
  const short = withSelectors((alias) => ofShort.get(alias) ?? "zzzzzz");
  const at = createAliasIndex({
    tables: () => shared,
    rewriterFor: () => short,
  });
  const shared = await tablesOf(
    "a@ours.test x@home.test\nb@ours.test x@home.test\nc@ours.test x@home.test\n",
  );
  assert.equal(await at.aliasOf("aaaaaa", short, 0), undefined);
  assert.deepEqual(await at.aliasOf("aaaaab", short, 0), mailbox("b@ours.test"));
});

test("alias index: an address that both tables name is one alias", async () => {
  assert.deepEqual(await named("alice@ours.test"), ["alice@ours.test", "alice@ours.test"]);
});

test("alias index: after a reload it answers from the new tables, also where one is being built", async () => {
  let now = await tablesOf("old@ours.test x@home.test\n");
  const facts: AliasIndexFacts[] = [];
  const at = createAliasIndex({ tables: () => now, rewriterFor, built: (one) => void facts.push(one) });
  assert.deepEqual(await named("old@ours.test", rewriter, at), ["old@ours.test", "old@ours.test"]);
  const lines = Array.from({ length: 20_000 }, (_, nth) => `u${nth}@ours.test x@home.test\n`);
  now = await tablesOf(lines.join(""));
  const asked = named("new@ours.test", rewriter, at);
  now = await tablesOf("new@ours.test x@home.test\n");
  assert.deepEqual(await asked, ["new@ours.test", "new@ours.test"]);
  assert.deepEqual(await named("old@ours.test", rewriter, at), [undefined, undefined]);
  // Nobody waits for the second one.
  assert.deepEqual(
    facts.map(({ selectors }) => selectors),
    [15, 15],
  );
});

test("alias index: names at more domains than there is room for are left out, whole addresses are not", async () => {
  let facts: AliasIndexFacts | undefined;
  const names = Array.from({ length: 10 }, (_, nth) => `n${nth} x@home.test\n`).join("");
  const many = await tablesOf(`a@ours.test x@home.test\n${names}`);
  const at = createAliasIndex({
    tables: () => many,
    rewriterFor,
    maxSelectors: 12,
    built: (one) => {
      facts = one;
    },
  });
  assert.deepEqual(await named("a@ours.test", rewriter, at), ["a@ours.test", "a@ours.test"]);
  assert.deepEqual(await named("n3@ours.test", rewriter, at), [undefined, undefined]);
  assert.deepEqual([facts?.selectors, facts?.leftOut], [11, 22]);
});

test("alias index: while it is built, the event loop turns", async () => {
  const lines = Array.from({ length: 50_000 }, (_, nth) => `u${nth}@ours.test x@home.test\n`);
  const many = await tablesOf(lines.join(""));
  const at = createAliasIndex({ tables: () => many, rewriterFor });
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  const found = await named("u49999@ours.test", rewriter, at);
  clearInterval(turning);
  assert.deepEqual(found, ["u49999@ours.test", "u49999@ours.test"]);
  assert.ok(turns > 5, `${turns}`);
});
