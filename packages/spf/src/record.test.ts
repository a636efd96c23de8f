// Finding a record, and reading all of it: RFC 7208 §3, §4.4 to §4.6.1, §12.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cachedRecords, parseRecord } from "./parse-record.ts";
import { runCases } from "./testing/cases.ts";

runCases([
  {
    name: "§3.2 two records are an error",
    zone: { "d.example": ["TXT v=spf1 +all", "TXT v=spf1 -all"] },
    result: "permerror",
    problem: /2 SPF records/,
    answer: { path: [] },
  },
  {
    name: "§3.2 two records are an error even when they say the same, in other case",
    zone: { "d.example": ["TXT v=spf1 +all", "TXT V=SPF1 +all"] },
    result: "permerror",
  },
  {
    name: "§3.3 a record longer than a character string",
    record: `v=spf1 ${"ip4:198.51.100.1 ".repeat(40)}ip4:192.0.2.1 -all`,
    result: "pass",
  },
  {
    name: "§3.1 characters outside ASCII are an error",
    record: "v=spf1 ip4:192.0.2.1 -all x=\u00e9",
    result: "permerror",
    problem: /printable ASCII/,
  },
  {
    name: "§3.1 a control character is no separator",
    record: "v=spf1 ip4:192.0.2.1\t-all",
    result: "permerror",
  },
  {
    name: "§4.4 a failure of DNS is a temporary error",
    zone: { "d.example": ["SERVFAIL"] },
    result: "temperror",
    problem: /TXT of d\.example: SERVFAIL/,
  },
  { name: "§4.4 no such name is none", zone: {}, result: "none" },
  { name: "§4.4 a name without TXT records is none", zone: { "d.example": ["A 192.0.2.1"] }, result: "none" },
  {
    name: "§4.5 other TXT records are passed over, also such outside ASCII",
    zone: {
      "d.example": ["TXT some prose", "TXT \u00e9", "TXT v=spf1 ip4:192.0.2.1 -all", "TXT spf2.0/pra -all"],
    },
    result: "pass",
  },
  {
    name: "§4.5 records that only begin alike are passed over",
    zone: {
      "d.example": [
        "TXT v=spf10 -all",
        "TXT v=spf1\t-all",
        "TXT v=spf1-all",
        "TXT  v=spf1 -all",
        "TXT v=spf2 -all",
      ],
    },
    result: "none",
  },
  { name: "§4.5 a version without any term is a record", record: "v=spf1", result: "neutral" },
  { name: "§4.5 the version is read in any case", record: "V=sPf1 -all", result: "fail" },
  {
    name: "§4.6 a fault behind a term that would match is found first",
    record: "v=spf1 ip4:192.0.2.1 moo -all",
    result: "permerror",
    answer: { path: [], lookups: 0 },
    problem: /"moo": no such mechanism/,
  },
  {
    name: "§4.6 a fault in a record that is not reached is not found",
    record: "v=spf1 ip4:192.0.2.1 include:bad.example -all",
    zone: { "bad.example": ["TXT v=spf1 moo"] },
    result: "pass",
  },
  {
    name: "§4.6.1 mechanisms and modifiers are read in any case",
    record: "v=spf1 IP4:192.0.2.1 -ALL",
    result: "pass",
  },
  {
    name: "§4.6.1 several spaces are one, also at the end",
    record: "v=spf1   ip4:192.0.2.1   -all  ",
    result: "pass",
  },
  {
    name: "§4.6.1 an unknown mechanism is an error",
    record: "v=spf1 ip5:192.0.2.1 -all",
    result: "permerror",
  },
]);

const WRONG: readonly [name: string, ...terms: string[]][] = [
  ["§4.6.1 a modifier with a qualifier is wrong", "-redirect=a.example", "+x=y"],
  ["§4.6.1 two qualifiers are wrong", "--all", "+-all"],
  ["§4.6.1 names begin with a letter", "1up=foo", "=all", "&moo=2", ":all", "-"],
  ["§5.1 all takes nothing behind it", "all:a.example", "-all.", "all/8", "all:"],
  ["§5.2 include needs a domain", "include", "include:", "include/24", "include:a.example/24"],
  [
    "§5.3 a takes a domain and lengths only",
    "a:",
    "a:a.example:8080",
    "a/24:a.example",
    "a:192.0.2.1",
    "a:foo",
  ],
  [
    "§5.3 lengths of a are in range",
    "a/33",
    "a//129",
    "a/",
    "a//",
    "a/032",
    "a/24/64",
    "a/-1",
    "a/9999999999",
  ],
  ["§5.4 mx takes a domain and lengths only", "mx:", "mx:a.example/33", "mx//129", "mx:a.-com", "mx:abc.123"],
  ["§5.5 ptr takes a domain only", "ptr:", "ptr/0", "ptr:a.example/24"],
  [
    "§5.6 ip4 needs an IPv4 address",
    "ip4",
    "ip4:",
    "ip4:192.0.2",
    "ip4:192.0.2.256",
    "ip4:192.0.02.1",
    "ip4:2001:db8::1",
  ],
  [
    "§5.6 ip4 takes one length",
    "ip4:192.0.2.1/33",
    "ip4:192.0.2.1/032",
    "ip4:192.0.2.1//24",
    "ip4:192.0.2.1/",
  ],
  ["§5.6 ip4 takes no port and no name", "ip4:192.0.2.1:25", "ip4:a.example", "ip4=x/%"],
  [
    "§5.6 ip6 needs an IPv6 address",
    "ip6",
    "ip6:192.0.2.1",
    "ip6::CAFE::BABE",
    "ip6:fe80::1%eth0",
    "ip6:2001:db8::1/129",
  ],
  ["§5.7 exists needs a domain", "exists", "exists:", "exists:a.example/24"],
  ["§6 redirect and exp stand once", "redirect=a.example redirect=a.example", "exp=a.example EXP=b.example"],
  ["§6.1 redirect needs a domain", "redirect=", "redirect=-all", "redirect:a.example", "redirect"],
  ["§6.2 exp needs a domain", "exp=", "exp=-all", "exp=a"],
  ["§6 an unknown modifier must have valid macros", "x=%abc", "x=%{q}", "x=%", "x=%{d"],
  [
    "§7.1 a domain ends in a top-level label or a macro",
    "a:museum",
    "a:museum.",
    "a:a.1",
    "a:%{d}x",
    "a:x.%%y",
  ],
  [
    "§7.1 macros are written in full",
    "a:%{}.x.example",
    "a:%d.example",
    "a:%(d).example",
    "a:%{dx}.example",
    "a:%",
  ],
  ["§7.1 a macro keeps at least one label", "a:%{d0}", "a:%{d00r}"],
  ["§7.2 c, r and t are for explanations", "exists:%{c}.example", "a:%{r}", "exp=%{T}.example", "x=%{r}"],
];

for (const [name, ...records] of WRONG) {
  test(name, () => {
    for (const terms of records) {
      const parsed = parseRecord(`v=spf1 ${terms}`);
      assert.equal(parsed.kind, "wrong", terms);
      assert.match(parsed.problem, /^"[\x20-\x7e]+": [\x20-\x7e]+$/);
    }
  });
}

const RIGHT: readonly [name: string, ...terms: string[]][] = [
  [
    "§4.6.1 names of modifiers may have digits, dots, hyphens, underscores",
    "moo.cow-far_out2=man:dog/cat",
    "a=b",
    "all=x",
  ],
  [
    "§5.3 lengths stand alone or together",
    "a/24",
    "a//64",
    "a/24//64",
    "a:x.example/0//0",
    "a:%{d}/24",
    "mx/32//128",
  ],
  ["§5.3 a slash may stand in a domain", "a:foo:bar/baz.example", "a:x/24.example/24"],
  [
    "§5.6 IPv6 addresses in all spellings",
    "ip6:::1",
    "ip6:::192.0.2.1/96",
    "ip6:2001:DB8::/32",
    "ip6:1:2:3:4:5:6:7:8",
  ],
  [
    "§7.1 top-level labels with hyphens, digits, a dot behind",
    "a:x.xn--p1ai",
    "a:x.c0m",
    "a:x.1-2",
    "a:x.example.",
  ],
  [
    "§7.1 macros with all transformers",
    "exists:%{l1r+-}.%{d2}.%{ir}.%{s100}._x.%{d}",
    "a:%{h-.+,/_=}",
    "exists:%{i}%%%_%-",
  ],
  ["§12 modifiers may be empty", "x=", "op="],
];

for (const [name, ...records] of RIGHT) {
  test(name, () => {
    for (const terms of records) {
      const parsed = parseRecord(`v=spf1 ${terms}`);
      assert.equal(parsed.kind, "record", `${terms}: ${parsed.kind === "wrong" && parsed.problem}`);
    }
  });
}

test("a record keeps the order of its mechanisms, those behind all too", () => {
  const parsed = parseRecord("v=spf1 redirect=x.example ?a -all mx");
  assert.equal(parsed.kind, "record");
  const { mechanisms, redirect } = parsed.record;
  assert.deepEqual(
    mechanisms.map(({ qualifier, text }) => [qualifier, text]),
    [
      ["?", "?a"],
      ["-", "-all"],
      ["+", "mx"],
    ],
  );
  assert.equal(redirect?.value.text, "x.example");
});

test("parsed records are remembered by their text, the last ones only, and long ones never", () => {
  const parse = cachedRecords(100);
  const first = parse("v=spf1 -all");
  assert.equal(parse("v=spf1 -all"), first);
  for (let i = 0; i < 10; i += 1) parse(`v=spf1 ip4:192.0.2.${i} -all`);
  assert.notEqual(parse("v=spf1 -all"), first);
  const long = `v=spf1 ${"a ".repeat(3000)}`;
  const roomy = cachedRecords(1_000_000);
  assert.notEqual(roomy(long), roomy(long));
});
