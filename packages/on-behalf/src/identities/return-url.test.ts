import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readReturnUrl } from "./return-url.ts";

const BEGINNINGS = [
  "https://site.example/cards",
  "https://shop.example:8443",
  "http://127.0.0.1",
  "http://localhost",
];

function urlOf(text: string, beginnings: readonly string[] = BEGINNINGS): string {
  const read = readReturnUrl(text, beginnings);
  if (!read.ok) assert.equal(read.problem.type, "return-url-not-allowed");
  return read.ok ? read.url : "refused";
}

for (const [text, url] of [
  ["https://site.example/cards", "https://site.example/cards"],
  ["https://site.example/cards/", "https://site.example/cards/"],
  ["https://site.example/cards/1?a=b%2Fc#d", "https://site.example/cards/1?a=b%2Fc#d"],
  ["https://site.example/cards?x", "https://site.example/cards?x"],
  ["https://SITE.example:443/cards/1", "https://site.example/cards/1"],
  ["https://site.example/other/../cards/1", "https://site.example/cards/1"],
  ["https://shop.example:8443", "https://shop.example:8443/"],
  ["https://shop.example:8443/a", "https://shop.example:8443/a"],
  ["http://127.0.0.1:3000/back", "http://127.0.0.1:3000/back"],
  ["http://localhost:1/", "http://localhost:1/"],
] as const) {
  test(`${text} is a page of the site`, () => assert.equal(urlOf(text), url));
}

for (const [text, why] of [
  ["https://site.example.evil.example/cards/", "another host that begins alike"],
  ["https://site.example./cards/", "the host with a dot behind it: another origin"],
  ["https://evil.example/https://site.example/cards/", "another host"],
  ["https://site.example/cards-of-others", "a path that begins alike"],
  ["https://site.example/", "above the path"],
  ["https://site.example/CARDS/1", "a path of other letters"],
  ["https://site.example/cards/../evil", "out of the path"],
  ["https://site.example/cards/%2e%2e/evil", "out of the path, escaped"],
  ["https://site.example/cards/..%2fevil", "out of the path for servers that decode slashes"],
  ["https://site.example/cards/..%5Cevil", "out of the path for servers that decode backslashes"],
  ["https://site.example/cards/%252e%252e/%2e%2e%2Fx", "twice escaped"],
  ["http://site.example/cards/", "without TLS"],
  ["https://site.example:8443/cards/", "another port"],
  ["https://shop.example/", "another port"],
  ["https://127.0.0.1/", "another scheme"],
  ["http://127.0.0.1.evil.example/", "a name that begins with an address"],
  ["http://127.0.0.2/", "another address"],
  ["https://site.example@evil.example/cards/", "a user name"],
  ["https://alice@site.example/cards/", "a user name"],
  ["https://alice:secret@site.example/cards/", "a password"],
  ["https://:secret@site.example/cards/", "a password alone"],
  ["https://site.example\\@evil.example/cards/", "a backslash"],
  ["https://site.example/cards\\..\\evil", "a backslash"],
  ["https:\\\\site.example/cards/", "backslashes for slashes"],
  ["https:/site.example/cards/", "a slash too few"],
  ["https:///site.example/cards/", "a slash too many"],
  ["https:site.example/cards/", "no slashes"],
  ["//site.example/cards/", "no scheme"],
  ["/cards/", "a path alone"],
  ["javascript:alert(1)//https://site.example/cards", "a script"],
  ["JaVaScRiPt:alert(1)", "a script"],
  ["java\tscript:alert(1)", "a script in pieces"],
  ["data:text/html,https://site.example/cards", "data"],
  ["https://site.example/cards/\r\nSet-Cookie: a=b", "a line end"],
  ["https://site.example/cards/\n", "a line end"],
  [" https://site.example/cards/", "a blank"],
  ["https://site.example/cards/ü", "more than ASCII"],
  ["https://site.example/cards/\0", "a NUL"],
  ["https://[site.example/cards/", "no URL"],
  [`https://site.example/cards/${"a".repeat(2000)}`, "too long"],
  ["", "nothing"],
] as const) {
  test(`${JSON.stringify(text.slice(0, 60))} is none: ${why}`, () => assert.equal(urlOf(text), "refused"));
}

test("a site without URLs has no page to return to, and a beginning that is no URL has none either", () => {
  assert.equal(urlOf("https://site.example/cards", []), "refused");
  assert.equal(urlOf("https://site.example/cards", ["site.example", "", "https://"]), "refused");
});

test("whatever is given: it does not throw, and what is allowed is at an origin of the site", () => {
  const piece = fc.constantFrom(
    "https://",
    "site.example",
    "/cards",
    "/",
    "..",
    "@",
    ":",
    "\\",
    "%2f",
    "evil.example",
    "?",
    "#",
    "\t",
    "[",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(piece).map((pieces) => pieces.join("")),
  );
  fc.assert(
    fc.property(text, (one) => {
      const read = readReturnUrl(one, ["https://site.example/cards"]);
      if (!read.ok) return;
      const { origin, pathname, username } = new URL(read.url);
      assert.deepEqual([origin, username], ["https://site.example", ""]);
      assert.match(pathname, /^\/cards(\/|$)/);
    }),
    { numRuns: 2000 },
  );
});
