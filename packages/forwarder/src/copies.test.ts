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
const SRS = /^<SRS0=[a-z2-7]{14}=G3=source\.test=bob@ours\.test>$/;
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
const UNWRAPPED = {
  srs: "srs0",
  to: mailbox("bob@source.test"),
  facts: { rewriter: options.rewriterFor(), selector: undefined, secretIndex: 0, stamp: "G3" },
  isAnswer: false,
} as const;
for (const [what, kind, from, to, senders] of cases) {
  test(`copies: ${what}`, () => {
    const destinations = to.map(destination);
    const route =
      kind === "alias"
        ? ({ kind, destinations, dropped: [] } as const)
        : ({ kind, destinations, dropped: [], unwrapped: UNWRAPPED } as const);
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

test("copies: an automatic answer leaves with a sender of its own, rewritten", () => {
  const made = copiesOf(options, {
    route: {
      kind: "bounce",
      destinations: [destination("bob@source.test")],
      dropped: [],
      unwrapped: { ...UNWRAPPED, isAnswer: true },
    },
    recipient: mailbox("SRS0=x=G3=source.test=bob@ours.test"),
    given: mailbox("hidden@home.test"),
    now: 1_700_000_000,
  });
  assert.ok(made.ok);
  assert.match(
    renderReversePath(made.copies[0]?.reversePath ?? NULL_PATH),
    /^<?SRS0=[a-z2-7]{8}=G3=home\.test=hidden@ours\.test>?$/,
  );
});

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

const aliases: [recipient: string, sameAs: string, isSame: boolean][] = [
  ["Alice@Ours.Test", "alice@ours.test", true],
  ["alice+tag@ours.test", "alice+tag@ours.test", true],
  ["alice+tag@ours.test", "alice@ours.test", false],
  ["alice@other-name.test", "alice@ours.test", false],
];
for (const [recipient, sameAs, isSame] of aliases) {
  test(`copies: the tag of mail to ${recipient} has ${isSame ? "the" : "another"} selector ${isSame ? "of" : "than"} ${sameAs}`, () => {
    const { sender } = forwarded("bob@source.test", recipient);
    const reversed = rewriter.reverse(sender, 1_700_000_000);
    assert.ok(reversed.ok && reversed.selector !== undefined);
    assert.equal(rewriter.selectorsOf(mailbox(sameAs)).includes(reversed.selector), isSame);
  });
}

test("copies: where 64 octets do not suffice the selector goes first, and the mail still leaves", () => {
  for (const [octets, hasSelector] of [
    [29, true],
    [30, false],
    [35, false],
  ] as const) {
    const { sender } = forwarded(`${"b".repeat(octets)}@source.test`, "alice@ours.test");
    const reversed = rewriter.reverse(sender, 1_700_000_000);
    assert.ok(reversed.ok);
    assert.equal(reversed.selector !== undefined, hasSelector, `${octets}`);
  }
});

test("copies: a recipient that is longer than an address, in A-labels, has no selector", () => {
  const long = mailbox(`${"a".repeat(237)}@b\u00fccher.test`);
  const { sender } = forwarded("bob@source.test", long);
  const reversed = rewriter.reverse(sender, 1_700_000_000);
  assert.deepEqual([reversed.ok, reversed.ok && reversed.selector], [true, undefined]);
});

function forwarded(from: string, to: string | Mailbox): { sender: Mailbox } {
  const route = { kind: "alias", destinations: [destination("a@x.test")], dropped: [] } as const;
  const recipient = typeof to === "string" ? mailbox(to) : to;
  const made = copiesOf(options, { route, recipient, given: mailbox(from), now: 1_700_000_000 });
  const sender = made.ok ? made.copies[0]?.reversePath : undefined;
  assert.ok(sender !== undefined && sender !== NULL_PATH);
  return { sender };
}
