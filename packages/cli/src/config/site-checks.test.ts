import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "./load-config.ts";
import { siteWarnings } from "./site-warnings.ts";

/** The first site is on line 10. */
const BEFORE = `hostname: mx.ours.test
domains: [ours.test]
aliasesFile: aliases
srs: { domain: srs.ours.test, secretsFile: secrets }
http: { publicUrl: "https://mx.ours.test" }
stateDirectory: state
onBehalf:
  keysFile: links
  sites:
`;

function read(...sites: string[]): ReturnType<typeof readConfig> {
  return readConfig(`${BEFORE}${sites.map((site) => `    ${site}\n`).join("")}`, "homing.yaml");
}

function problemsOf(...sites: string[]): readonly string[] {
  const config = read(...sites);
  return config.ok ? [] : config.problems.map(({ line, message }) => `${line} ${message}`);
}

const CARDS = "cards: { title: Cards, from: cards@site.test, bounceDomain: bounce.site.test, keysFile: a }";
const FORUM = "forum: { title: Forum, from: forum@forum.test, bounceDomain: bounce.forum.test, keysFile: b }";

test("two sites with bounce domains of their own are good, below From nothing is to be said of them", () => {
  const config = read(CARDS, FORUM);
  assert.ok(config.ok, JSON.stringify(config));
  assert.deepEqual(siteWarnings(config.config), []);
});

test("a bounce domain elsewhere, without a key of From's domain, is a warning", () => {
  const config = read(CARDS.replace("bounce.site.test", "bounce.elsewhere.test"));
  assert.ok(config.ok);
  assert.match(
    siteWarnings(config.config).join("\n"),
    /^warning: onBehalf\.sites\.cards: .* not below site\.test/,
  );
});

const REMEDY = /make that a domain of its own, such as bounce\./;
const atBounceDomain: [what: string, sites: string[], told: RegExp][] = [
  [
    "From's domain as bounce domain",
    [CARDS.replace("bounce.site.test", "Site.test")],
    /^10 onBehalf\.sites\.cards\.from: is at the bounceDomain, where mail to it is lost/,
  ],
  [
    "returnTo at the bounce domain",
    [CARDS.replace("title:", "returnTo: postmaster@BOUNCE.site.test, title:")],
    /^10 onBehalf\.sites\.cards\.returnTo: is at the bounceDomain, /,
  ],
  [
    "From at the bounce domain of another site",
    [CARDS, FORUM.replace("forum@forum.test", "forum@bounce.site.test")],
    /^11 onBehalf\.sites\.forum\.from: is at the bounceDomain of cards, /,
  ],
  [
    "returnTo at the bounce domain of another site, beside a mistake",
    [
      CARDS.replace("title: Cards", "titel: Cards"),
      FORUM.replace("title:", "returnTo: f@bounce.site.test, title:"),
    ],
    /^11 onBehalf\.sites\.forum\.returnTo: is at the bounceDomain of cards, /,
  ],
];
for (const [what, sites, told] of atBounceDomain) {
  test(`${what} is a mistake, with its place and what to do`, () => {
    const problem = problemsOf(...sites).find((text) => told.test(text));
    assert.match(problem ?? problemsOf(...sites).join("\n"), told);
    assert.match(problem ?? "", REMEDY);
  });
}

for (const title of ["A <b>", 'The "Cards"', "cards@site", "a\\nb", " Cards", "x".repeat(61), "a\\u200bb"]) {
  test(`the title ${JSON.stringify(title.slice(0, 20))} is refused, and what is not allowed is told`, () => {
    const quoted = `"${title.replaceAll('"', '\\"')}"`;
    const [problem = ""] = problemsOf(CARDS.replace("title: Cards", `title: ${quoted}`));
    assert.match(
      problem,
      /^10 onBehalf\.sites\.cards\.title: is no name for people: .* < > " @ or one that is not seen/,
    );
  });
}
