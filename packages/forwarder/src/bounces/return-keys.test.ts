import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, type Mailbox, parseMailbox } from "@homing/srs-core";
import type { UnwrappedSrs0 } from "../routes.ts";
import { type FoldedAbout, parseAbout, type ReturnSort, renderAbout, returnKey } from "./return-keys.ts";

const rewriter = createRewriter({ secrets: ["a secret of the tests"], domain: "ours.test" });
const BOB: UnwrappedSrs0 = {
  srs: "srs0",
  to: { localPart: "bob", domain: "source.test" },
  facts: { rewriter, selector: "ipr35x", secretIndex: 0, stamp: "G3" },
  isAnswer: false,
};

test("who is told of what has a bucket of his own for each SRS address", () => {
  const sorts: readonly ReturnSort[] = [
    ...(["failed", "other", "owner", "owner-too"] as const),
    ...(["passed", "passed-other", "silent"] as const),
  ];
  const keys = sorts.map((sort) => returnKey(sort, BOB, undefined));
  const others = [
    { ...BOB, to: { ...BOB.to, localPart: "eve" } },
    { ...BOB, facts: { ...BOB.facts, selector: "ipr35y" } },
    { ...BOB, facts: { ...BOB.facts, selector: undefined } },
    { ...BOB, facts: { ...BOB.facts, stamp: "G4" } },
  ].map((other) => returnKey("failed", other, undefined));
  assert.equal(new Set([...keys, ...others]).size, sorts.length + others.length);
});

test("an address in another case has the same bucket", () => {
  const shouted = { ...BOB, to: { localPart: "BOB", domain: "Source.Test" } };
  assert.equal(returnKey("failed", shouted, undefined), returnKey("failed", BOB, undefined));
});

test("of an SRS address without a selector each alias that is proven has a bucket of its own, in any case", () => {
  const bare = { ...BOB, facts: { ...BOB.facts, selector: undefined } };
  const [alice, carol, shouted] = ["alice@ours.test", "carol@ours.test", "ALICE@Ours.test"].map(mailbox);
  const keys = [undefined, alice, carol].map((alias) => returnKey("failed", bare, alias));
  assert.equal(new Set(keys).size, 3);
  assert.equal(returnKey("failed", bare, shouted), returnKey("failed", bare, alice));
});

test("of an SRS address with a selector it is the alias already: a mark that is returned changes no bucket", () => {
  assert.equal(returnKey("failed", BOB, mailbox("alice@ours.test")), returnKey("failed", BOB, undefined));
});

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

const abouts: [what: string, addresses: { to: string; srs?: string; alias?: string }][] = [
  ["with all that is known", { to: "bob@source.test", srs: "SRS0=x@ours.test", alias: "alice@ours.test" }],
  ["without an alias", { to: "bob@source.test", srs: "SRS0=x@ours.test" }],
  ["of a failure of our own", { to: "bob@source.test", alias: "alice@ours.test" }],
  ["with letters of any language", { to: "jürgen@bücher.test", alias: "été@ours.test" }],
  ["with quoted local parts", { to: '"b o\\"b"@source.test', alias: '"a,b"@ours.test' }],
  ["with an address literal", { to: "bob@[192.0.2.1]" }],
];
for (const [what, addresses] of abouts) {
  test(`what a notice knows is read as it was written: ${what}`, () => {
    const { to, srs, alias } = addresses;
    const about: FoldedAbout = {
      to: mailbox(to),
      srs: srs === undefined ? undefined : mailbox(srs),
      alias: alias === undefined ? undefined : mailbox(alias),
      enhanced: "5.1.1",
      class: "hard",
      isForOwner: true,
      isCountedElsewhere: true,
    };
    assert.deepEqual(parseAbout(renderAbout(about)), about);
  });
}

test("what somebody else wrote is no text of ours", () => {
  assert.throws(() => parseAbout('{"to":"nobody"}'), /a bucket is about "nobody", which is no address/);
});
