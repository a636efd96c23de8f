// Records with their mistakes, and what the linter says of each.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "./finding.ts";
import { type LintReport, lintSpf } from "./lint.ts";
import { everyRecord } from "./look-up-tree.ts";
import { tableResolver, type Zone } from "./testing/table-resolver.ts";

async function lint(record: string, zone: Zone = {}): Promise<LintReport> {
  return lintSpf({ domain: "d.example", record }, tableResolver(zone));
}

const short = ({ severity, name, term }: Finding): string =>
  [severity, name, ...(term ? [term] : [])].join(" ");

const HOST: Zone = { "d.example": { a: ["192.0.2.1"], aaaa: ["2001:db8::1"] } };

/** With DNS that has d.example's own addresses. */
const oneRecord: [record: string, findings: string[]][] = [
  ["v=spf1 -all", []],
  ["v=spf1 a -all", []],
  ["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all", []],
  ["V=SPF1 A -ALL", []],
  ["v=spf1", ["warning no-all"]],
  ["v=spf1 a", ["warning no-all"]],
  ["v=spf1 a +all", ["error passes-everybody +all"]],
  ["v=spf1 all", ["error passes-everybody all"]],
  ["v=spf1 ip4:0.0.0.0/0 -all", ["error passes-everybody ip4:0.0.0.0/0"]],
  ["v=spf1 ip6:::/0 -all", ["error passes-everybody ip6:::/0"]],
  ["v=spf1 a//0 -all", ["error passes-everybody a//0"]],
  ["v=spf1 -ip4:0.0.0.0/0 -all", []],
  ["v=spf1 ?all", ["warning neutral-all ?all"]],
  ["v=spf1 -all a ip4:192.0.2.9", ["warning behind-all a", "warning behind-all ip4:192.0.2.9"]],
  ["v=spf1 -all redirect=other.example", ["warning redirect-ignored redirect=other.example"]],
  ["v=spf1 ip4:11.0.0.0/8 -all", ["error wide-network ip4:11.0.0.0/8"]],
  ["v=spf1 ip4:11.0.0.0/9 -all", ["warning wide-network ip4:11.0.0.0/9"]],
  ["v=spf1 ip4:11.1.0.0/15 -all", ["warning wide-network ip4:11.1.0.0/15"]],
  ["v=spf1 ip4:11.1.0.0/16 -all", []],
  ["v=spf1 ip6:2001::/16 -all", ["error wide-network ip6:2001::/16"]],
  ["v=spf1 ip6:2001:c000::/31 -all", ["warning wide-network ip6:2001:c000::/31"]],
  ["v=spf1 a/12 -all", ["warning wide-network a/12"]],
  ["v=spf1 ip4:10.1.2.3 -all", ["hint private-network ip4:10.1.2.3"]],
  ["v=spf1 ip6:fd00::1 -all", ["hint private-network ip6:fd00::1"]],
  ["v=spf1 ip4:203.0.113.77/24 -all", ["hint host-bits ip4:203.0.113.77/24"]],
  ["v=spf1 ip4:192.0.2.0/24 ip4:192.0.2.7 -all", ["warning redundant ip4:192.0.2.7"]],
  ["v=spf1 ip4:192.0.2.7 ip4:192.0.2.0/24 -all", ["warning redundant ip4:192.0.2.7"]],
  ["v=spf1 ip4:192.0.2.7 ip4:192.0.2.7/32 -all", ["warning redundant ip4:192.0.2.7/32"]],
  ["v=spf1 ip4:192.0.2.7 +IP4:192.0.2.7 -all", ["warning redundant +IP4:192.0.2.7"]],
  ["v=spf1 ip6:2001:db8::/32 ip6:2001:db8:1::/48 -all", ["warning redundant ip6:2001:db8:1::/48"]],
  ["v=spf1 ?ip4:192.0.2.7 ip4:192.0.2.0/24 -all", []],
  ["v=spf1 ip4:192.0.2.0/24 ?ip4:192.0.2.7 -all", ["warning never-matches ?ip4:192.0.2.7"]],
  ["v=spf1 a ip4:192.0.2.1 ip6:2001:db8::1 -all", ["warning redundant a"]],
  ["v=spf1 a a:d.example -all", []],
  ["v=spf1 a a -all", ["warning redundant a"]],
  ["v=spf1 ip4:192.0.2.7 ?ip4:192.0.2.0/25 ip4:192.0.2.0/24 -all", []],
  ["v=spf1 ip4:192.0.2.0/25 ~ip4:192.0.2.128/25 ?a -all", []],
  [
    "v=spf1 ip4:11.0.2.0/24 ip4:11.0.0.0/8 a:d.example ip4:0.0.0.0/0 -all",
    ["error wide-network ip4:11.0.0.0/8", "error passes-everybody ip4:0.0.0.0/0"],
  ],
  [
    "v=spf1 ip4:0.0.0.0/0 ip4:0.0.0.0/0 -all",
    [
      "error passes-everybody ip4:0.0.0.0/0",
      "error passes-everybody ip4:0.0.0.0/0",
      "warning redundant ip4:0.0.0.0/0",
    ],
  ],
  ["v=spf1 ptr -all", ["warning ptr ptr"]],
  ["v=spf1 a rate=10 -all", ["warning unknown-modifier rate=10"]],
  ["v=spf1 a ip4=192.0.2.1 -all", ["warning unknown-modifier ip4=192.0.2.1"]],
  ["v=spf1 a v=spf1 -all", ["warning unknown-modifier v=spf1"]],
  ["v=spf1 ipv4:192.0.2.1 nonsense -all", ["error syntax ipv4:192.0.2.1", "error syntax nonsense"]],
  [
    "v=spf1 redirect=d1.example redirect=d2.example",
    ["error target-without-record redirect=d1.example", "error syntax redirect=d2.example"],
  ],
  ["v=spf1 exists:%{ir}.l.example -all", ["hint macro exists:%{ir}.l.example"]],
  ["v=spf1 include:gone.example -all", ["error target-without-record include:gone.example"]],
  ["v=spf1 include:d.example -all", ["error loop include:d.example"]],
  ["v=spf1 a:gone.example -all", ["warning no-address a:gone.example"]],
  ["v=spf1 mx -all", ["warning no-address mx"]],
  ["v=spf1 -all exp=gone.example", ["warning no-explanation exp=gone.example"]],
  ["v=spf1; a -all", ["error almost-a-record"]],
];
for (const [record, findings] of oneRecord) {
  test(`${record} gets: ${findings.join("; ") || "nothing"}`, async () => {
    const report = await lint(record, HOST);
    assert.deepEqual(report.findings.map(short).sort(), [...findings].sort());
  });
}

test("errors come first, hints last", async () => {
  const { findings } = await lint("v=spf1 ip4:10.0.0.1 ptr ipv4:192.0.2.1 -all");
  assert.deepEqual(
    findings.map(({ severity }) => severity),
    ["error", "warning", "hint"],
  );
});

const fixes: [term: string, fix: string][] = [
  ["ipv4:192.0.2.1", "write ip4:192.0.2.1"],
  ["ip:192.0.2.0/24", "write ip4:192.0.2.0/24"],
  ["ip:2001:db8::1", "write ip6:2001:db8::1"],
  ["ip4:2001:db8::1", "write ip6:2001:db8::1"],
  ["192.0.2.1", "write ip4:192.0.2.1"],
  ["mail.d.example", "write a:mail.d.example"],
  ["a:192.0.2.1", "write ip4:192.0.2.1"],
  ["ip4:192.0.2.1,", "write ip4:192.0.2.1"],
  ["redirect:d.example", "write redirect=d.example"],
  ["ip4:192.0.2.0/33", "write ip4:192.0.2.1 or ip4:192.0.2.0/24"],
  ["include", "write include:domain.example"],
  ["all:d.example", "write -all, ~all or ?all with nothing behind"],
  ["frobnicate", "the mechanisms are all, include, a, mx, ip4, ip6, exists, ptr"],
  ["ip4=192.0.2.1", "write ip4:192.0.2.1"],
  ["include=d2.example", "write include:d2.example"],
];
for (const [term, fix] of fixes) {
  test(`for ${term} the linter says: ${fix}`, async () => {
    const { findings } = await lint(`v=spf1 ${term} -all`);
    const found = findings.find((finding) => finding.term === term);
    assert.equal(found?.fix, fix);
    assert.equal(found?.column, 8);
  });
}

test("every faulty term has its column", async () => {
  const { findings } = await lint("v=spf1  b0gus a:d.example ip4:x -all");
  const faults = findings.filter(({ name }) => name === "syntax");
  assert.deepEqual(
    faults.map(({ term, column }) => [term, column]),
    [
      ["b0gus", 9],
      ["ip4:x", 27],
    ],
  );
});

const NESTED: Zone = {
  "d.example": { txt: ["v=spf1 mx include:one.example -all", "other text"], mx: ["mx.d.example"] },
  "mx.d.example": { a: ["192.0.2.1"], txt: ["v=spf1 a -all"] },
  "one.example": { txt: ["v=spf1 a:h.example include:two.example ~all"] },
  "h.example": { a: ["192.0.2.2"] },
  "two.example": { txt: ["v=spf1 ip4:192.0.2.0/24 exists:%{i}.x.example ?all"] },
};

test("each term costs what is below it, and the sum is what a receiver counts", async () => {
  const report = await lintSpf({ domain: "d.example" }, tableResolver(NESTED));
  assert.equal(report.lookups, 5);
  assert.deepEqual(report.voidLookups, { ip4: 0, ip6: 2 });
  const costs = [...everyRecord(report.tree)].flatMap(({ domain, outcome }) =>
    outcome.kind === "record" ? outcome.terms.map(({ term, lookups }) => `${domain} ${term} ${lookups}`) : [],
  );
  assert.deepEqual(costs, [
    "d.example mx 1",
    "d.example include:one.example 4",
    "d.example -all 0",
    "one.example a:h.example 1",
    "one.example include:two.example 2",
    "one.example ~all 0",
    "two.example ip4:192.0.2.0/24 0",
    "two.example exists:%{i}.x.example 1",
    "two.example ?all 0",
  ]);
  assert.deepEqual(report.findings.map(short), ["hint macro exists:%{i}.x.example"]);
});

test("eleven look-ups are an error, ten are not", async () => {
  const record = (count: number) =>
    `v=spf1 ${Array.from({ length: count }, (_, index) => `a:h${index}.o.example`).join(" ")} -all`;
  const zone = Object.fromEntries(
    Array.from({ length: 11 }, (_, index) => [
      `h${index}.o.example`,
      { a: [`192.0.2.${index}`], aaaa: [`2001:db8::${index}`] },
    ]),
  );
  assert.deepEqual((await lint(record(10), zone)).findings.map(short), []);
  assert.deepEqual((await lint(record(11), zone)).findings.map(short), ["error too-many-lookups"]);
});

test("three look-ups that find nothing are an error, and a warning where only IPv6 clients see them", async () => {
  const record = "v=spf1 a:h1.o.example a:h2.o.example a:h3.o.example -all";
  const names = ({ findings }: LintReport) =>
    findings.filter(({ name }) => name === "too-many-void-lookups").map(({ severity }) => severity);
  assert.deepEqual(names(await lint(record)), ["error"]);
  const ip4 = { a: ["192.0.2.1"] };
  const zone = { "h1.o.example": ip4, "h2.o.example": ip4, "h3.o.example": ip4 };
  assert.deepEqual(names(await lint(record, zone)), ["warning"]);
});

test("eleven MX hosts are an error", async () => {
  const mx = Array.from({ length: 11 }, (_, index) => `mx${index}.o.example`);
  const zone: Zone = {
    "d.example": { mx },
    ...Object.fromEntries(mx.map((name) => [name, { a: ["192.0.2.1"], aaaa: ["2001:db8::1"] }])),
  };
  assert.deepEqual((await lint("v=spf1 mx -all", zone)).findings.map(short), ["error too-many-mx-hosts mx"]);
});

const noRecord: [what: string, zone: Zone, findings: string[]][] = [
  ["a name that is not there", {}, ["error no-record"]],
  ["a domain without a record", { "d.example": { txt: ["hello"] } }, ["error no-record"]],
  ["quotes in the record", { "d.example": { txt: ['"v=spf1 -all"'] } }, ["error almost-a-record"]],
  [
    "no space behind the version",
    { "d.example": { txt: ["other text", "v=spf1-all"] } },
    ["error almost-a-record"],
  ],
  ["two records", { "d.example": { txt: ["v=spf1 -all", "v=spf1 a -all"] } }, ["error several-records"]],
  ["DNS that does not answer", { "d.example": "SERVFAIL" }, ["error dns-failed"]],
];
for (const [what, zone, findings] of noRecord) {
  test(`${what}: ${findings.join("; ")}`, async () => {
    const report = await lintSpf({ domain: "d.example" }, tableResolver(zone));
    assert.deepEqual(report.findings.map(short), findings);
  });
}

const almost: [record: string, message: string, fix: string][] = [
  [
    '"v=spf1 -all"',
    '"v=spf1 -all" has quotes in the text itself: receivers see no SPF record',
    "take them out",
  ],
  [
    '\\"v=spf1 a -all\\"',
    '\\"v=spf1 a -all\\" has quotes in the text itself: receivers see no SPF record',
    "take them out",
  ],
  [
    "v=spf1-all",
    '"v=spf1-all" is no SPF record: those begin with v=spf1 and a space',
    "write v=spf1, a space, and the terms behind it",
  ],
];
for (const [record, message, fix] of almost) {
  test(`of ${record} the linter says: ${message}`, async () => {
    const { findings } = await lint(record);
    assert.deepEqual(
      findings.map((finding) => [finding.message, finding.fix]),
      [[message, fix]],
    );
  });
}

const numbers: [record: string, zone: Zone | undefined, lookups: boolean, voidLookups: boolean][] = [
  ["v=spf1 ip4:192.0.2.1 -all", undefined, false, false],
  ["v=spf1 a -all", HOST, false, false],
  ["v=spf1 a -all", undefined, false, true],
  ["v=spf1 a:h.example -all", { "h.example": "SERVFAIL" }, false, true],
  ["v=spf1 exists:%{i}.l.example -all", HOST, false, true],
  ["v=spf1 ptr -all", HOST, false, true],
  ["v=spf1 include:p.example -all", { "p.example": { txt: ["v=spf1 -all"] } }, false, false],
  ["v=spf1 include:p.example -all", undefined, true, true],
  ["v=spf1 include:p.example -all", { "p.example": "SERVFAIL" }, true, true],
  ["v=spf1 include:%{i}.p.example -all", HOST, true, true],
  ["v=spf1 redirect=%{i}.p.example", HOST, true, true],
  ["v=spf1 -all include:p.example", undefined, false, false],
];
for (const [record, zone, lookups, voidLookups] of numbers) {
  const number = (more: boolean) => (more ? "at least" : "just");
  test(`${record} ${zone ? "" : "without DNS "}costs ${number(lookups)} its look-ups, ${number(voidLookups)} its void ones`, async () => {
    const question = { domain: "d.example", record };
    const { atLeast } = await lintSpf(question, zone && tableResolver(zone));
    assert.deepEqual(atLeast, { lookups, voidLookups });
  });
}

test("the linter ends where includes lead in circles and where they branch without end", async () => {
  const circle: Zone = {
    "a.example": { txt: ["v=spf1 include:b.example -all"] },
    "b.example": { txt: ["v=spf1 include:a.example include:b.example -all"] },
  };
  const round = await lint("v=spf1 include:a.example -all", circle);
  assert.deepEqual(round.findings.map(short), [
    "error loop include:a.example",
    "error loop include:b.example",
  ]);

  let asked = 0;
  const resolver = tableResolver({});
  const branching = {
    ...resolver,
    txt: (name: string) => {
      asked += 1;
      return {
        kind: "records" as const,
        records: [`v=spf1 include:x.${name.slice(-200)} include:y.${name.slice(-200)} -all`],
      };
    },
  };
  const wide = await lintSpf({ domain: "d.example" }, branching);
  assert.ok(asked < 50, `${asked} records were asked for`);
  assert.ok(wide.findings.some(({ name }) => name === "not-followed"));
});

test("no more terms are asked for than a person could mend", async () => {
  let asked = 0;
  const resolver = { ...tableResolver({}), a: () => ({ kind: "no-such-name" as const, asked: ++asked }) };
  const record = `v=spf1 ${Array.from({ length: 900 }, (_, index) => `a:h${index}.o.example`).join(" ")} -all`;
  const { lookups, findings } = await lintSpf({ domain: "d.example", record }, resolver);
  assert.equal(lookups, 900);
  assert.ok(asked < 300, `${asked} hosts were asked for`);
  assert.equal(findings[0]?.name, "too-many-lookups");
});

test("of a term that is there twice, the second is told", async () => {
  const { findings } = await lint("v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 -all");
  assert.deepEqual(
    findings.map(({ column }) => column),
    [22],
  );
});

test("a temporary failure below is a warning, and the rest is told", async () => {
  const { findings } = await lint("v=spf1 include:broken.example a:broken.example ptr -all", {
    "broken.example": "SERVFAIL",
  });
  assert.deepEqual(findings.map(short), [
    "warning ptr ptr",
    "warning dns-failed include:broken.example",
    "warning dns-failed a:broken.example",
  ]);
});

test("of an included record only what spoils the including one is told", async () => {
  const zone: Zone = {
    "p.example": { txt: ["v=spf1 ip4:192.0.2.1 ip4:192.0.2.1 ip4:11.0.0.0/10 ptr x=y b0gus +all"] },
  };
  const { findings } = await lint("v=spf1 include:p.example -all", zone);
  assert.deepEqual(findings.map(short), [
    "error syntax b0gus",
    "error passes-everybody +all",
    "hint wide-network ip4:11.0.0.0/10",
    "hint ptr ptr",
  ]);
  assert.ok(findings.every(({ domain }) => domain === "p.example"));
});

test("a redirect's record is judged as the domain's own", async () => {
  const zone: Zone = { "p.example": { txt: ["v=spf1 ip4:192.0.2.1 ?all"] } };
  const { findings } = await lint("v=spf1 redirect=p.example", zone);
  assert.deepEqual(findings.map(short), ["warning neutral-all ?all"]);
});

test("a record over 255 characters needs several strings, an answer over 450 octets may not come", async () => {
  const record = (networks: number) =>
    `v=spf1 ${Array.from({ length: networks }, (_, index) => `ip4:192.0.2.${100 + index}`).join(" ")} -all`;
  assert.deepEqual((await lint(record(14))).findings.map(short), []);
  assert.deepEqual((await lint(record(16))).findings.map(short), ["hint long-string"]);
  assert.deepEqual((await lint(record(28))).findings.map(short), ["warning long-answer", "hint long-string"]);
  const zone: Zone = { "d.example": { txt: ["v=spf1 -all", "x".repeat(450)] } };
  assert.deepEqual((await lintSpf({ domain: "d.example" }, tableResolver(zone))).findings.map(short), [
    "warning long-answer",
  ]);
});

test("a host that sends has a record of its own", async () => {
  const zone: Zone = {
    "d.example": { mx: ["mx.d.example", "mx.elsewhere.example"] },
    "mx.d.example": { a: ["192.0.2.1"], aaaa: ["2001:db8::1"] },
    "mx.elsewhere.example": { a: ["192.0.2.2"], aaaa: ["2001:db8::2"] },
  };
  const { findings } = await lint("v=spf1 mx -all", zone);
  assert.deepEqual(
    findings.map(({ name, fix }) => [name, fix]),
    [["host-without-record", 'publish: mx.d.example. IN TXT "v=spf1 a -all"']],
  );
});

test("without DNS the text alone is judged, and its own look-ups are counted", async () => {
  const report = await lintSpf({ domain: "d.example", record: "v=spf1 mx include:p.example ptr -all" });
  assert.equal(report.lookups, 3);
  assert.deepEqual(report.findings.map(short), ["warning ptr ptr", "hint not-followed include:p.example"]);
});

test("hostile text becomes printable", async () => {
  const { findings } = await lint("v=spf1 \u001b[2J\u0007 a:\u202e.example -all");
  for (const { message, term = "", fix } of findings)
    assert.match(`${message}${term}${fix}`, /^[\x20-\x7e]*$/);
  assert.equal(findings.length, 2);
});

test("a record of 64 KB ends soon", async () => {
  const terms = Array.from({ length: 5_000 }, (_, index) => `ip4:192.${index >> 8}.${index & 255}.1`);
  const report = await lint(`v=spf1 ${terms.join(" ")} -all`);
  assert.ok(report.findings.some(({ name }) => name === "long-answer"));
});
