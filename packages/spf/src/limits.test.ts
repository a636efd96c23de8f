// Limits, hostile records and clients: RFC 7208 §4.6.4, §11.1.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSpf } from "./check-host.ts";
import { expandDomain, expandText } from "./expand-macros.ts";
import { parseMacroString } from "./macro-string.ts";
import { parseRecord } from "./parse-record.ts";
import type { SpfResolver } from "./resolver.ts";
import { NOW, QUESTION, runCases } from "./testing/cases.ts";
import { resolverOf, type Zone } from "./testing/zone.ts";

const PTR4 = "1.2.0.192.in-addr.arpa";
const HOSTS: Zone = Object.fromEntries(
  Array.from({ length: 12 }, (_, index) => [`h${index}.example`, [`A 198.51.100.${index}`]]),
);

function terms(count: number, name: string): string {
  return Array.from({ length: count }, (_, index) => `${name}:h${index}.example`).join(" ");
}

function mailHosts(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `MX ${index} h${index}.example`);
}

runCases([
  {
    name: "§4.6.4 ten terms may need DNS",
    record: `v=spf1 ${terms(10, "a")} ip4:192.0.2.1 -all`,
    zone: HOSTS,
    result: "pass",
    answer: { lookups: 10 },
  },
  {
    name: "§4.6.4 an eleventh is a permanent error",
    record: `v=spf1 ${terms(11, "a")} ip4:192.0.2.1 -all`,
    zone: HOSTS,
    result: "permerror",
    problem: /more than 10 terms/,
    answer: { mechanism: "a:h10.example" },
  },
  {
    name: "§4.6.4 terms behind the match do not count",
    record: `v=spf1 ip4:192.0.2.1 ${terms(11, "a")} -all`,
    zone: HOSTS,
    result: "pass",
  },
  {
    name: "§4.6.4 all, ip4, ip6 and exp do not count",
    record: `v=spf1 ${terms(10, "exists")} ${"ip4:198.51.100.1 ip6:::1 ".repeat(20)} -all exp=why.example`,
    zone: Object.fromEntries(Object.keys(HOSTS).map((name) => [name, ["NODATA"]])),
    result: "permerror",
    problem: /found nothing/,
  },
  {
    name: "§4.6.4 terms in includes and redirects count with the others",
    record: "v=spf1 a:h0.example include:i.example redirect=r.example",
    zone: {
      ...HOSTS,
      "i.example": [`TXT v=spf1 ${terms(4, "a")} -all`],
      "r.example": [`TXT v=spf1 ${terms(4, "a")} ip4:192.0.2.1 -all`],
    },
    result: "permerror",
    answer: { lookups: 11 },
  },
  {
    name: "§4.6.4 mx, ptr and exists count as one each, whatever they ask",
    record: `v=spf1 ptr ptr mx mx mx mx mx exists:no.example exists:no.example ptr ip4:192.0.2.1 -all`,
    zone: { ...HOSTS, "d.example": mailHosts(3), [PTR4]: ["PTR h1.example"] },
    result: "pass",
    answer: { lookups: 10, voidLookups: 2 },
  },
  {
    name: "§4.6.4 an include of itself ends by the limit",
    record: "v=spf1 include:d.example -all",
    result: "permerror",
    answer: { lookups: 11 },
  },
  {
    name: "§4.6.4 a redirect to itself ends by the limit",
    record: "v=spf1 redirect=d.example",
    result: "permerror",
    answer: { lookups: 11 },
  },
  {
    name: "§4.6.4 two look-ups may find nothing",
    record: "v=spf1 a:n1.example a:n2.example ip4:192.0.2.1 -all",
    result: "pass",
    answer: { voidLookups: 2 },
  },
  {
    name: "§4.6.4 a third is a permanent error",
    record: "v=spf1 a:n1.example exists:n2.example mx:n3.example ip4:192.0.2.1 -all",
    zone: { "n2.example": ["NODATA"] },
    result: "permerror",
    problem: /more than 2 look-ups found nothing/,
    answer: { voidLookups: 3 },
  },
  {
    name: "§4.6.4 mail hosts without an address are such look-ups",
    record: "v=spf1 mx ip4:192.0.2.1 -all",
    zone: { "d.example": ["MX 1 n1.example", "MX 2 n2.example", "MX 3 n3.example"] },
    result: "permerror",
  },
  {
    name: "§4.6.4 a client without a name is such a look-up, once for each ptr",
    record: "v=spf1 ptr a:n1.example ptr ip4:192.0.2.1 -all",
    result: "permerror",
    answer: { voidLookups: 3 },
  },
  {
    name: "§4.6.4 a client whose names cannot be had is not",
    record: "v=spf1 ptr ptr ptr ip4:192.0.2.1 -all",
    zone: { [PTR4]: ["SERVFAIL"] },
    result: "pass",
    answer: { voidLookups: 0 },
  },
  {
    name: "§4.6.4 names that the client's owner chose are not: a forger would choose the result",
    record: "v=spf1 a:n1.example a:n2.example ptr exists:%{p}.example -all",
    zone: {
      [PTR4]: ["PTR n4.d.example", "PTR n5.d.example", "PTR n6.d.example"],
      "unknown.example": ["A 127.0.0.2"],
    },
    result: "pass",
    answer: { voidLookups: 2 },
  },
  {
    name: "§4.6.4 ten mail hosts are looked at",
    record: "v=spf1 mx -all",
    zone: { ...HOSTS, "d.example": mailHosts(10), "h9.example": ["A 192.0.2.1"] },
    result: "pass",
  },
  {
    name: "§4.6.4 eleven mail hosts are a permanent error",
    record: "v=spf1 mx -all",
    zone: { ...HOSTS, "d.example": mailHosts(11) },
    result: "permerror",
    problem: /more than 10 MX hosts/,
  },
  {
    name: "§4.6.4 of the client's names, ten are looked at",
    record: "v=spf1 ptr -all",
    zone: {
      [PTR4]: [...Array.from({ length: 10 }, (_, index) => `PTR h${index}.d.example`), "PTR mail.d.example"],
      "mail.d.example": ["A 192.0.2.1"],
    },
    result: "fail",
  },
  {
    name: "§4.6.4 a name may have any number of addresses",
    record: "v=spf1 a -all",
    zone: {
      "d.example": [...Array.from({ length: 200 }, (_, index) => `A 198.51.100.${index}`), "A 192.0.2.1"],
    },
    result: "pass",
  },
]);

test("§4.6.4 limits can be set", async () => {
  const resolver = resolverOf({
    ...HOSTS,
    "d.example": ["TXT v=spf1 a:n1.example a:n2.example a:n3.example -all"],
  });
  const ask = async (limits: { lookups?: number; voidLookups?: number }) =>
    (await checkSpf(QUESTION, { resolver, now: () => NOW, limits })).result;
  assert.equal(await ask({ voidLookups: 3 }), "fail");
  assert.equal(await ask({ voidLookups: 3, lookups: 2 }), "permerror");
  assert.equal(await ask({}), "permerror");
});

test("§4.6.4 when time is up the result is temperror, whatever DNS is silent about", async () => {
  const records: readonly (readonly [record: string, silent: keyof SpfResolver])[] = [
    ["v=spf1 a -all", "a"],
    ["v=spf1 mx -all", "mx"],
    ["v=spf1 ptr -all", "ptr"],
    ["v=spf1 exists:%{p}.example -all", "ptr"],
    ["v=spf1 include:%{p}.example -all", "ptr"],
    ["v=spf1 redirect=%{p}.example", "ptr"],
    ["v=spf1 -all", "txt"],
  ];
  for (const [record, silent] of records) {
    const time = new AbortController();
    const never = () => {
      setImmediate(() => time.abort());
      return new Promise<never>(() => {});
    };
    const resolver: SpfResolver = { ...resolverOf({ "d.example": [`TXT ${record}`] }), [silent]: never };
    const answer = await checkSpf(QUESTION, { resolver, now: () => NOW, signal: time.signal });
    assert.equal(answer.result, "temperror", record);
    assert.match(answer.problem ?? "", /the time for the check is up/);
  }
});

test("§4.6.4 an explanation that does not come in time changes nothing", async () => {
  const time = new AbortController();
  const inMemory = resolverOf({ "d.example": ["TXT v=spf1 -all exp=why.example"] });
  const resolver: SpfResolver = {
    ...inMemory,
    txt: (name) => {
      if (name === "d.example") return inMemory.txt(name);
      setImmediate(() => time.abort());
      return new Promise(() => {});
    },
  };
  const answer = await checkSpf(QUESTION, { resolver, now: () => NOW, signal: time.signal });
  assert.equal(answer.result, "fail");
  assert.equal(answer.explanation, undefined);
});

test("§11.1 a record of 64 KB leaves a bounded trace, and asks no more than any other", async () => {
  const networks = `v=spf1 ${"ip4:198.51.100.1 ".repeat(3800)}-all`;
  const resolver = resolverOf({ "d.example": [`TXT ${networks}`] });
  const answer = await checkSpf(QUESTION, { resolver, now: () => NOW });
  assert.equal(answer.result, "fail");
  assert.equal(answer.trace.length, 1000);
  assert.equal(resolver.asked.length, 1);
});

test("§11.1 wrong records of 64 KB are described in a line", () => {
  const long = 65_000;
  for (const term of [
    `a:${"1".repeat(long)}`,
    `a:${"x.1".repeat(long / 3)}`,
    `a${"/1".repeat(long / 2)}`,
    `a:%{l${"1".repeat(long)}`,
    `a:${"%{l".repeat(long / 3)}`,
    `${"-".repeat(long)}all`,
    "a".repeat(long),
    `ip6:${":".repeat(long)}`,
    `ip4:192.0.2.1/${"1".repeat(long)}`,
  ]) {
    const parsed = parseRecord(`v=spf1 ${term}`);
    assert.equal(parsed.kind, "wrong", term.slice(0, 20));
    assert.ok(parsed.problem.length < 300, parsed.problem);
  }
});

test("§11.1 however many macros a record has, no more are filled in than fit into a name or a reply", () => {
  const many = parseMacroString("%{l}".repeat(16_000), "domain");
  const spaces = parseMacroString("%{l} ".repeat(16_000), "explanation");
  assert.ok(many.kind === "macro-string" && spaces.kind === "macro-string");
  let filled = 0;
  const fill = (text: string) => () => {
    filled += 1;
    return text;
  };
  expandDomain(many.value, fill("abcdefghij".repeat(100)));
  expandText(spaces.value, fill("abcdefghij".repeat(100)), 250);
  assert.equal(filled, 2);
  expandDomain(many.value, fill(""));
  assert.equal(filled, 2 + 253);
  expandText(spaces.value, fill(""), 250);
  assert.equal(filled, 2 + 253 + 125);
});

test("§11.1 a HELO name and a local part of a megabyte are cut before macros see them", async () => {
  const resolver = resolverOf({
    "d.example": ["TXT v=spf1 exists:%{h1}.%{l1}.x.example -all exp=why.example"],
    "why.example": ["TXT first labels: %{h1r}, %{l1r}"],
  });
  const long = `first.${"a.".repeat(500_000)}`;
  const answer = await checkSpf(
    { ...QUESTION, helo: `${long}last`, sender: `${long}last@d.example` },
    { resolver, now: () => NOW },
  );
  assert.equal(answer.result, "fail");
  assert.deepEqual(resolver.asked, ["TXT d.example", "A last.last.x.example", "TXT why.example"]);
  assert.equal(answer.explanation, "first labels: a, a");
});

test("§4.6.4 when time is up before the check begins, DNS is not asked", async () => {
  const resolver = resolverOf({ "d.example": ["TXT v=spf1 +all"] });
  const answer = await checkSpf(QUESTION, { resolver, now: () => NOW, signal: AbortSignal.abort() });
  assert.equal(answer.result, "temperror");
  assert.deepEqual(resolver.asked, []);
});

test("the trace tells in order what was looked at, with the result of each include", async () => {
  const resolver = resolverOf({
    "d.example": ["TXT v=spf1 include:i.example a -all"],
    "i.example": ["TXT v=spf1 ip4:198.51.100.1 ~all"],
  });
  const { trace } = await checkSpf(QUESTION, { resolver, now: () => NOW });
  assert.deepEqual(
    trace.map(({ depth, domain, term, outcome }) => [depth, domain, term, outcome]),
    [
      [0, "d.example", "record", "v=spf1 include:i.example a -all"],
      [0, "d.example", "include:i.example", "softfail"],
      [1, "i.example", "record", "v=spf1 ip4:198.51.100.1 ~all"],
      [1, "i.example", "ip4:198.51.100.1", "no match"],
      [1, "i.example", "~all", "match"],
      [0, "d.example", "a", "no match"],
      [0, "d.example", "-all", "match"],
    ],
  );
});
