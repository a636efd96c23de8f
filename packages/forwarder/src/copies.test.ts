import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, type Mailbox, NULL_PATH, parseMailbox, renderReversePath } from "@homing/srs-core";
import { copiesOf } from "./copies.ts";
import type { Destination } from "./tables/followed.ts";

const rewriter = createRewriter({ secrets: ["a long random secret"], domain: "ours.test" });
const options = { rewriterFor: () => rewriter, isOurDomain: (domain: string) => domain === "ours.test" };

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

/** `to`, or `to as owner`. */
function destination(text: string): Destination {
  const [to = "", owner] = text.split(" as ");
  return owner === undefined ? { mailbox: mailbox(to) } : { mailbox: mailbox(to), owner: mailbox(owner) };
}

const LONG = `${"b".repeat(60)}@source.test`;
const SRS = /^<SRS0=.{8}=G3=source\.test=bob@ours\.test>$/;
const cases: [
  what: string,
  kind: "alias" | "bounce",
  from: string,
  to: string[],
  senders: (string | RegExp)[],
][] = [
  [
    "what leaves is rewritten, what stays is not",
    "alias",
    "bob@source.test",
    ["a@x.test", "c@ours.test"],
    [SRS, "<bob@source.test>"],
  ],
  [
    "a list's owner, where the copy leaves",
    "alias",
    "bob@source.test",
    ["a@x.test as o@ours.test", "c@ours.test as o@ours.test", "d@x.test"],
    ["<o@ours.test>", "<bob@source.test>", SRS],
  ],
  [
    "null stays null, with an owner too",
    "alias",
    "",
    ["a@x.test as o@ours.test", "c@ours.test"],
    ["<>", "<>"],
  ],
  ["a bounce stays null, wherever it goes", "bounce", "", ["bob@source.test", "c@ours.test"], ["<>", "<>"]],
  ["a sender that is too long may stay", "alias", LONG, ["c@ours.test"], [`<${LONG}>`]],
  ["… and leave from an owner", "alias", LONG, ["a@x.test as o@ours.test"], ["<o@ours.test>"]],
  ["a sender of ours leaves as it is", "alias", "carol@ours.test", ["a@x.test"], ["<carol@ours.test>"]],
];
for (const [what, kind, from, to, senders] of cases) {
  test(`copies: ${what}`, () => {
    const destinations = to.map(destination);
    const route =
      kind === "alias"
        ? ({ kind, destinations, dropped: [] } as const)
        : ({ kind, destinations, dropped: [], to: mailbox("bob@source.test"), srs: "srs0" } as const);
    const given = from === "" ? NULL_PATH : mailbox(from);
    const made = copiesOf(options, {
      route,
      recipient: mailbox("list@ours.test"),
      given,
      now: 1_700_000_000,
    });
    assert.ok(made.ok);
    assert.equal(made.copies.length, senders.length);
    for (const [at, copy] of made.copies.entries()) {
      const sender = `<${renderReversePath(copy.reversePath).replace(/^<|>$/g, "")}>`;
      const expected = senders[at] ?? "";
      if (typeof expected === "string") assert.equal(sender, expected);
      else assert.match(sender, expected);
      assert.equal(copy.stays, copy.mailbox.domain === "ours.test");
    }
  });
}

test("copies: a sender that cannot leave refuses all of them", () => {
  const route = {
    kind: "alias",
    destinations: ["c@ours.test", "a@x.test"].map(destination),
    dropped: [],
  } as const;
  const made = copiesOf(options, {
    route,
    recipient: mailbox("list@ours.test"),
    given: mailbox(LONG),
    now: 0,
  });
  assert.ok(!made.ok);
  assert.deepEqual([made.reason, made.reply.code, made.reply.enhanced], ["sender-too-long", 550, "5.1.7"]);
});
