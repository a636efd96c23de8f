// The linter counts as the evaluator does whose client matches nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSpf } from "../check-host.ts";
import { lintSpf } from "./lint.ts";
import { tableResolver, type Zone } from "./testing/table-resolver.ts";

const HOSTS: Zone = {
  "h4.example": { a: ["192.0.2.1"] },
  "h6.example": { aaaa: ["2001:db8::1"] },
  "h.example": { a: ["192.0.2.2"], aaaa: ["2001:db8::2"], mx: ["h4.example", "h.example"] },
  "p.example": { txt: ["v=spf1 a:h4.example mx:h.example ~all"] },
  "q.example": { txt: ["v=spf1 include:p.example ip4:192.0.2.0/24 ?all a:h.example"] },
};

const records = [
  "v=spf1 -all",
  "v=spf1 a:h.example -all",
  "v=spf1 a:h4.example -all",
  "v=spf1 a:h6.example a:gone.example -all",
  "v=spf1 mx:h.example -all",
  "v=spf1 mx:h4.example -all",
  "v=spf1 include:p.example -all",
  "v=spf1 include:q.example exists:gone.%{d2} -all",
  "v=spf1 exists:h6.example a:h.example -all",
  "v=spf1 a:h.example redirect=q.example",
  "v=spf1 a:h.example -all redirect=q.example",
];
for (const record of records) {
  for (const [client, family] of [
    ["203.0.113.250", "ip4"],
    ["2001:db8:ffff::1", "ip6"],
  ] as const) {
    test(`${record}, client ${client}`, async () => {
      const resolver = tableResolver({ ...HOSTS, "d.example": { txt: [record] } });
      const report = await lintSpf({ domain: "d.example" }, resolver);
      const question = { client, helo: "client.example", sender: "bob@d.example" };
      const answer = await checkSpf(question, { resolver, now: () => 0 });
      assert.notEqual(answer.result, "pass");
      assert.equal(report.lookups, answer.lookups);
      assert.equal(report.voidLookups[family], answer.voidLookups);
    });
  }
}
