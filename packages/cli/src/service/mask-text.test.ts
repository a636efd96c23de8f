import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { replaceAddresses } from "./mask-text.ts";

const bracketed = (text: string): string => replaceAddresses(text, (local, domain) => `{${local}|${domain}}`);

const table: [text: string, shown: string][] = [
  ["", ""],
  ["mailbox full", "mailbox full"],
  ["<alice@home.example>: unknown", "<{alice|home.example}>: unknown"],
  ["550 5.1.1 alice@home.example.", "550 5.1.1 {alice|home.example}."],
  ["no alice@home.example, no bob@b.test", "no {alice|home.example}, no {bob|b.test}"],
  ["RCPT TO:<a+b=c!d/e@x.test>", "RCPT TO:<{a+b=c!d/e|x.test}>"],
  ['<"two words"@third.example> full', '<{"two words"|third.example}> full'],
  ['say "no" to "a\\" b\\\\"@x.test', 'say "no" to {"a\\" b\\\\"|x.test}'],
  ['…cut off words"@x.test', '{…cut off words"|x.test}'],
  ["a@[192.0.2.1]: no", "{a|[192.0.2.1]}: no"],
  ["a@[IPv6:2001:db8::1] no", "{a|[IPv6:2001:db8::1]} no"],
  ["a@[no literal", "{a|}[no literal"],
  ["jürgen@bücher.test!", "{jürgen|bücher.test}!"],
  ["https://help.test/?to=alice%40home.example&x", "https:{//help.test/?to=alice|home.example}&x"],
  ["alice@ home.example", "{alice|} home.example"],
  ["meet @noon, or @", "meet @noon, or @"],
  ["a@b.test@c.test", "{a|b.test}@c.test"],
  ["<@route.test:a@b.test>", "<@route.test:{a|b.test}>"],
  ['"alice smith" <x>@h.test full', '{"alice smith" <x>|h.test} full'],
  ["<x>@h.test", "{<x>|h.test}"],
  ["alice(comment)@h.test", "{alice(comment)|h.test}"],
  ["no alice (a comment)@h.test", "no {alice (a comment)|h.test}"],
  ["half)@h.test", "{half)|h.test}"],
  ["<a@b.test>@c.test", "<{a|b.test}{>|c.test}"],
  ["?to=alice%2540h.test&x", "{?to=alice|h.test}&x"],
  ["?to=alice%252540h.test", "{?to=alice|h.test}"],
  ["alice=40h full", "{alice|h} full"],
  ["to alice=40h.test.", "to {alice|h.test}."],
  ["SRS0=40bk=JK=o.test=bob@c.test", "{SRS0=40bk=JK=o.test=bob|c.test}"],
  ["SRS0=bk=JK=o.test=40x@c.test", "{SRS0=bk=JK=o.test=40x|c.test}"],
  ["size=4096000 is too much", "size=4096000 is too much"],
  ["line\nalice@home.example\tend", "line\n{alice|home.example}\tend"],
];

for (const [text, shown] of table) {
  test(`in ${JSON.stringify(text)} the addresses are found`, () => assert.equal(bracketed(text), shown));
}

test("an address in any words is hidden, whatever stands around it", () => {
  const word = fc.stringMatching(/^[a-z0-9._+=-]{1,12}$/);
  const around = fc.string({ unit: "binary", maxLength: 30 });
  fc.assert(
    fc.property(around, word, word, around, (before, local, host, after) => {
      const address = `${local}@${host}.test`;
      const shown = replaceAddresses(`${before}${address}${after}`, () => "X");
      assert.ok(!shown.includes(address), shown);
    }),
  );
});

const hostile: [what: string, unit: string][] = [
  ["at signs", "@"],
  ["quoted at signs", '"@'],
  ["quotes", '"'],
  ["open literals", "a@["],
  ["letters", "a"],
  ["backslashes before quotes", '\\"@'],
  ["encoded at signs", "%40"],
  ["at signs that are encoded twice", "%252540"],
  ["at signs in quoted-printable", "a=40b"],
  ["closing brackets", ")@"],
  ["comments", "( )@"],
  ["quotes before angle brackets", '" <>@'],
];
for (const [what, unit] of hostile) {
  test(`a mebibyte of ${what} takes no longer for each octet than little of it`, () => {
    const text = `${unit.repeat(2 ** 20 / unit.length)}"@x`;
    const begin = performance.now();
    replaceAddresses(text, () => "X");
    // A quadratic search would take minutes.
    assert.ok(performance.now() - begin < 5_000);
  });
}
