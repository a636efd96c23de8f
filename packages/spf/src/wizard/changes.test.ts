import assert from "node:assert/strict";
import { test } from "node:test";
import { tableResolver, type Zone } from "../lint/testing/table-resolver.ts";
import { changesInDns } from "./changes.ts";

const NEW = "v=spf1 a:h.d.example ~all";
const HOST = "v=spf1 a -all";
const RECORDS = {
  domain: { name: "d.example", record: NEW },
  hosts: [{ name: "h.d.example", record: HOST }],
};

type Told = [publish: string[], kept: string[], findings: string[]];

const cases: [what: string, zone: Zone | undefined, told: Told][] = [
  ["nothing is known", undefined, [[`d.example: ${NEW}`, `h.d.example: ${HOST}`], [], []]],
  ["nothing is there", {}, [[`d.example: ${NEW}`, `h.d.example: ${HOST}`], [], []]],
  [
    "other TXT records are there",
    { "d.example": { txt: ["hello", "v=spf10 -all"] } },
    [[`d.example: ${NEW}`, `h.d.example: ${HOST}`], [], []],
  ],
  [
    "the domain has one, and so has the host",
    {
      "d.example": { txt: ["v=spf1 mx -all"] },
      "h.d.example": { txt: ["hello", "V=SPF1 ip4:192.0.2.1 -all"] },
    },
    [[`d.example: ${NEW} for v=spf1 mx -all`], ["h.d.example: V=SPF1 ip4:192.0.2.1 -all"], []],
  ],
  [
    "each has two",
    {
      "d.example": { txt: ["v=spf1 mx -all", NEW] },
      "h.d.example": { txt: ["v=spf1 -all", HOST] },
    },
    [
      [`d.example: ${NEW} for v=spf1 mx -all and ${NEW}`, `h.d.example: ${HOST} for v=spf1 -all and ${HOST}`],
      [],
      [],
    ],
  ],
  [
    "all is done",
    { "d.example": { txt: [NEW] }, "h.d.example": { txt: [HOST] } },
    [[], [`d.example: ${NEW}`, `h.d.example: ${HOST}`], []],
  ],
  [
    "DNS does not answer",
    { "d.example": "SERVFAIL" },
    [[`d.example: ${NEW}`, `h.d.example: ${HOST}`], [], ["dns-failed d.example"]],
  ],
];
for (const [what, zone, told] of cases) {
  test(`where ${what}: ${told[0].length} to publish, ${told[1].length} kept`, async () => {
    const { publish, kept, findings } = await changesInDns(RECORDS, zone && tableResolver(zone));
    const change = publish.map(({ name, record, replaces }) =>
      [`${name}: ${record}`, ...(replaces.length > 0 ? [replaces.join(" and ")] : [])].join(" for "),
    );
    const stays = kept.map(({ name, record }) => `${name}: ${record}`);
    assert.deepEqual([change, stays, findings.map(({ name, domain }) => `${name} ${domain}`)], told);
  });
}
