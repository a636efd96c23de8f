import assert from "node:assert/strict";
import { test } from "node:test";
import type { DnsLookup } from "@homing/spf";
import { hasDmarcRecord } from "./dmarc-record.ts";

function zone(records: Readonly<Record<string, string>>, asked: string[] = []): DnsLookup<string> {
  return (name) => {
    asked.push(name);
    const text = records[name];
    if (text === "SERVFAIL") return { kind: "failed", cause: "SERVFAIL" };
    return text === undefined ? { kind: "no-such-name" } : { kind: "records", records: [text] };
  };
}

test("a domain has a DMARC record of its own, or one above it", async () => {
  const txt = zone({
    "_dmarc.sender.example": "v=DMARC1; p=reject",
    "_dmarc.prose.example": "we use v=DMARC1",
  });
  assert.equal(await hasDmarcRecord(txt, "sender.example"), true);
  assert.equal(await hasDmarcRecord(txt, "bounces.news.sender.example"), true);
  assert.equal(await hasDmarcRecord(txt, "prose.example"), false);
  assert.equal(await hasDmarcRecord(txt, "other.example"), false);
});

test("where DNS does not say, there may be one", async () => {
  assert.equal(await hasDmarcRecord(zone({ "_dmarc.sender.example": "SERVFAIL" }), "sender.example"), true);
});

test("a domain of a hundred labels costs few look-ups, and a top-level domain is not asked", async () => {
  const asked: string[] = [];
  await hasDmarcRecord(zone({}, asked), `${"a.".repeat(100)}sender.example`);
  assert.equal(asked.length, 9);
  assert.equal(asked.at(-1), "_dmarc.sender.example");
});
