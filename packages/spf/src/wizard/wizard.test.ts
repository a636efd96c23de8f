// Who sends, and the records that come of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { lintSpf } from "../lint/lint.ts";
import { composeRecords, type Senders } from "./compose-record.ts";
import { renderZoneLine } from "./zone-line.ts";

const NOBODY: Senders = {
  domain: "d.example",
  mx: false,
  a: false,
  hosts: [],
  ip4: [],
  ip6: [],
  includes: [],
  all: "softfail",
};

const cases: [what: string, senders: Partial<Senders>, record: string, later: string | undefined][] = [
  ["a domain that sends nothing gets -all at once", {}, "v=spf1 -all", undefined],
  ["MX hosts", { mx: true }, "v=spf1 mx ~all", "v=spf1 mx -all"],
  ["-all where it is wanted", { a: true, all: "fail" }, "v=spf1 a -all", undefined],
  [
    "what costs nothing comes first",
    { includes: ["p.example"], mx: true, hosts: ["h.d.example"], ip6: ["2001:db8::/32"], ip4: ["192.0.2.1"] },
    "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 a:h.d.example mx include:p.example ~all",
    "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 a:h.d.example mx include:p.example -all",
  ],
  [
    "the domain as a host is a alone",
    { hosts: ["d.example"], a: true, all: "fail" },
    "v=spf1 a -all",
    undefined,
  ],
  [
    "what is said twice is there once",
    { ip4: ["192.0.2.1", "192.0.2.1"], all: "fail" },
    "v=spf1 ip4:192.0.2.1 -all",
    undefined,
  ],
];
for (const [what, senders, record, later] of cases) {
  test(`${what}: ${record}`, async () => {
    const composed = composeRecords({ ...NOBODY, ...senders });
    assert.equal(composed.domain.record, record);
    assert.equal(composed.later, later);
    const { findings } = await lintSpf({ domain: "d.example", record });
    assert.deepEqual(
      findings.filter(({ severity }) => severity !== "hint"),
      [],
    );
  });
}

test("each host gets a record of its own, once", () => {
  const { hosts } = composeRecords({ ...NOBODY, hosts: ["h.d.example", "d.example", "h.d.example"] });
  assert.deepEqual(hosts, [{ name: "h.d.example", record: "v=spf1 a -all" }]);
});

test("a zone line has strings of at most 255 octets, which make the record again when joined", () => {
  const record = `v=spf1 ${Array.from({ length: 30 }, (_, index) => `ip4:192.0.2.${index}`).join(" ")} ~all`;
  const line = renderZoneLine("d.example", record);
  const strings = [...line.matchAll(/"([^"]*)"/g)].map(([, text = ""]) => text);
  assert.equal(strings.length, 2);
  assert.ok(strings.every((text) => text.length <= 255));
  assert.equal(strings.join(""), record);
  assert.match(line, /^d\.example\. IN TXT \( "v=spf1 .* ~all" \)$/);
  assert.equal(renderZoneLine("d.example", "v=spf1 -all"), 'd.example. IN TXT "v=spf1 -all"');
  assert.equal(renderZoneLine("d.example", 'v=spf1 x="\\ -all'), 'd.example. IN TXT "v=spf1 x=\\"\\\\ -all"');
});
