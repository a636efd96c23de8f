// Macros: RFC 7208 §7. Shown by explanations, which show everything, and by names that DNS is asked for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { expandDomain } from "./expand-macros.ts";
import { parseMacroString } from "./macro-string.ts";
import { runCases } from "./testing/cases.ts";

/** The example of RFC 7208 §7.4. */
const EXAMPLE = { sender: "strong-bad@email.example.com", client: "192.0.2.3" };
const NIBBLES = `1.${"0.".repeat(23)}8.b.d.0.1.0.0.2`;

function expanded(text: string, values: Readonly<Record<string, string>>): string {
  const parsed = parseMacroString(text, "domain");
  assert.equal(parsed.kind, "macro-string");
  return expandDomain(parsed.value, (letter) => values[letter] ?? "");
}

const VALUES = {
  s: EXAMPLE.sender,
  o: "email.example.com",
  d: "email.example.com",
  i: EXAMPLE.client,
  l: "strong-bad",
  v: "in-addr",
};

const TRANSFORMED: readonly [name: string, ...rows: (readonly [macros: string, text: string])[]][] = [
  [
    "§7.3 letters stand for parts of the sender",
    ["%{s}", "strong-bad@email.example.com"],
    ["%{o}", "email.example.com"],
    ["%{l}", "strong-bad"],
  ],
  [
    "§7.3 digits keep labels from the right",
    ["%{d4}", "email.example.com"],
    ["%{d2}", "example.com"],
    ["%{d1}", "com"],
    ["%{d99999999999}", "email.example.com"],
  ],
  [
    "§7.3 r turns labels around before they are counted",
    ["%{dr}", "com.example.email"],
    ["%{d2r}", "example.email"],
    ["%{ir}", "3.2.0.192"],
  ],
  [
    "§7.3 other delimiters, and dots in their place",
    ["%{l-}", "strong.bad"],
    ["%{lr-}", "bad.strong"],
    ["%{l1r-}", "strong"],
    ["%{o+.}", "email.example.com"],
  ],
  [
    "§7.4 names of the examples",
    ["%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"],
    ["%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"],
    ["%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"],
  ],
  ["§7.1 %%, %_ and %- are a percent, a space and an escaped space", ["a%%b%_c%-d.%{d1}", "a%b c%20d.com"]],
];

for (const [name, ...rows] of TRANSFORMED) {
  test(name, () => {
    for (const [macros, text] of rows) assert.equal(expanded(macros, VALUES), text, macros);
  });
}

test("§7.3 several delimiters part at each of them", () => {
  assert.equal(expanded("%{l2r+-}.x.example", { l: "foo-bar+zip+quux" }), "bar.foo.x.example");
  assert.equal(expanded("%{l.-+,/_=}", { l: "a.b-c+d,e/f_g=h" }), "a.b.c.d.e.f.g.h");
});

test("§7.3 names over 253 characters lose labels from the left", () => {
  const label = "a".repeat(49);
  const six = Array.from({ length: 6 }, () => label).join(".");
  assert.equal(
    expanded("%{l}.example", { l: six }),
    `${Array.from({ length: 4 }, () => label).join(".")}.example`,
  );
  const fitting = `${"a.".repeat(123)}example`;
  assert.equal(fitting.length, 253);
  assert.equal(expanded("%{l}", { l: fitting }), fitting);
  assert.equal(expanded("%{l}", { l: `a${fitting}` }), fitting.slice(2));
  assert.equal(expanded("%{l}", { l: `x.${fitting}` }), fitting);
});

runCases([
  {
    name: "§7.3 capital letters escape all that is not unreserved",
    sender: "~jack&jill=up-a_b3.c%@d.example",
    record: "v=spf1 -all exp=why.example",
    zone: { "why.example": ["TXT %{L} %{l}"] },
    result: "fail",
    answer: { explanation: "~jack%26jill%3Dup-a_b3.c%25 ~jack&jill=up-a_b3.c%" },
  },
  {
    name: "§7.3 i is dotted nibbles for IPv6, and v is ip6",
    client: "2001:db8::1",
    record: "v=spf1 exists:%{ir}.%{v}.example -all",
    zone: { [`${NIBBLES}.ip6.example`]: ["A 127.0.0.2"] },
    result: "pass",
  },
  {
    name: "§7.3 c is the address as people write it",
    client: "2001:DB8:0:0:0:0:0:1",
    record: "v=spf1 -all exp=why.example",
    zone: { "why.example": ["TXT %{c} or %{ir}.%{v}.arpa"] },
    result: "fail",
    answer: { explanation: `2001:db8::1 or ${NIBBLES.toUpperCase()}.ip6.arpa` },
  },
  {
    name: "§7.3 h is the HELO name",
    record: "v=spf1 a:%{h} -all",
    zone: { "mail.example": ["A 192.0.2.1"] },
    result: "pass",
  },
  {
    name: "§7.3 a HELO name without dots matches nothing",
    helo: "JUMPIN' JUPITER",
    record: "v=spf1 a:%{H} -all",
    result: "fail",
  },
  {
    name: "§7.3 d is the current domain and o the sender's below an include",
    record: "v=spf1 include:i.example -all",
    zone: {
      "i.example": ["TXT v=spf1 exists:%{d}.%{o}.x.example -all"],
      "i.example.d.example.x.example": ["A 127.0.0.2"],
    },
    result: "pass",
  },
  {
    name: "§7.3 p is the domain itself where that leads back",
    record: "v=spf1 -all exp=why.example",
    zone: {
      "1.2.0.192.in-addr.arpa": ["PTR other.example", "PTR sub.d.example", "PTR d.example"],
      "other.example": ["A 192.0.2.1"],
      "sub.d.example": ["A 192.0.2.1"],
      "d.example": ["A 192.0.2.1"],
      "why.example": ["TXT from %{p}"],
    },
    result: "fail",
    answer: { explanation: "from d.example" },
  },
  {
    name: "§7.3 p is a name below the domain before any other",
    record: "v=spf1 exists:%{p}.x.example -all",
    zone: {
      "1.2.0.192.in-addr.arpa": ["PTR other.example", "PTR sub.d.example"],
      "other.example": ["A 192.0.2.1"],
      "sub.d.example": ["A 192.0.2.1"],
      "sub.d.example.x.example": ["A 127.0.0.2"],
    },
    result: "pass",
  },
  {
    name: "§7.3 p is any name that leads back, where none is below the domain",
    record: "v=spf1 exists:%{p1r}.x.example -all",
    zone: {
      "1.2.0.192.in-addr.arpa": ["PTR liar.d.example", "PTR other.example"],
      "other.example": ["A 192.0.2.1"],
      "other.x.example": ["A 127.0.0.2"],
    },
    result: "pass",
  },
  {
    name: "§7.3 p is unknown where nothing leads back, or DNS fails",
    record: "v=spf1 exists:%{p}.x.example -all",
    zone: { "1.2.0.192.in-addr.arpa": ["SERVFAIL"], "unknown.x.example": ["A 127.0.0.2"] },
    result: "pass",
  },
]);
