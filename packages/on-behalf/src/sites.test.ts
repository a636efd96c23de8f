import assert from "node:assert/strict";
import { test } from "node:test";
import { SITE_LIMITS, type Site } from "./site.ts";
import { createSites } from "./sites.ts";

const CARDS: Site = {
  name: "cards",
  title: "Example Cards",
  from: { localPart: "cards", domain: "site.example" },
  fromMode: "auto",
  bounceDomain: "bounce.site.example",
  returnTo: { localPart: "bounces", domain: "site.example" },
  profiles: new Set(["on-behalf"]),
  returnUrls: [],
  limits: SITE_LIMITS,
  keys: ["the newest key", "the key before"],
};
const NEWS: Site = { ...CARDS, name: "news", bounceDomain: "b.news.example", keys: ["the key of news"] };
const sites = createSites([CARDS, NEWS]);

test("a site is found by each of its keys, by name, and by its bounce domain in any case", () => {
  for (const key of CARDS.keys) assert.equal(sites.ofKey(key), CARDS);
  assert.equal(sites.ofKey("the key of news"), NEWS);
  assert.equal(sites.named("news"), NEWS);
  assert.equal(sites.ofBounceDomain("Bounce.Site.EXAMPLE"), CARDS);
});

test("no other text is a key: nor a part of one, one with a blank, the empty one, a huge one", () => {
  for (const key of ["", "the newest ke", "the newest key ", "The newest key", "x".repeat(1_000_000)]) {
    assert.equal(sites.ofKey(key), undefined);
  }
  assert.equal(sites.named("__proto__"), undefined);
  assert.equal(sites.ofBounceDomain("site.example"), undefined);
});
