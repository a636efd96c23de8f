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
