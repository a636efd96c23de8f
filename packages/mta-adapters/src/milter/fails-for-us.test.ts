import assert from "node:assert/strict";
import { test } from "node:test";
import type { SpfResolver } from "@homing/spf";
import { createFailsForUs } from "./fails-for-us.ts";

const NO_SUCH_NAME = { kind: "no-such-name" } as const;
const SENDER = { localPart: "bob", domain: "origin.example" };

/** @param record of the sender's domain; undefined where DNS does not answer */
function failsFor(record: string | undefined, addresses: readonly string[]): Promise<boolean> {
  const resolver: SpfResolver = {
    txt: () =>
      record === undefined ? { kind: "failed", cause: "time-out" } : { kind: "records", records: [record] },
    a: () => NO_SUCH_NAME,
    aaaa: () => NO_SUCH_NAME,
    mx: () => NO_SUCH_NAME,
    ptr: () => NO_SUCH_NAME,
  };
  const timeLimit = (): AbortSignal => new AbortController().signal;
  const now = (): number => 1_700_000_000;
  return createFailsForUs({ addresses, hostname: "mx.home.example", resolver, now, timeLimit })(SENDER);
}

const OURS = ["192.0.2.25", "2001:db8::25"];
const table: readonly (readonly [
  what: string,
  record: string | undefined,
  addresses: readonly string[],
  fails: boolean,
])[] = [
  ["passes from each of our addresses", "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all", OURS, false],
  ["passes from one of two addresses", "v=spf1 ip4:192.0.2.25 -all", OURS, true],
  ["is only a softfail", "v=spf1 ~all", OURS, true],
  ["is neutral", "v=spf1 ?all", OURS, true],
  ["has no SPF record", "hello", OURS, true],
  ["has a DNS that does not answer", undefined, OURS, true],
  ["would pass, of a site without addresses", "v=spf1 +all", [], true],
];
for (const [what, record, addresses, fails] of table)
  test(`a sender who ${what} ${fails ? "is rewritten" : "need not be rewritten"}`, async () => {
    assert.equal(await failsFor(record, addresses), fails);
  });
