import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMailbox } from "@homing/srs-core";
import { addressKey, personKey } from "./address-key.ts";

const ROWS: readonly [address: string, person: string][] = [
  ["mark@example.net", "mark@example.net"],
  ["Mark+1@Example.NET", "mark@example.net"],
  ["mark+a+b@example.net", "mark@example.net"],
  ["mark+@example.net", "mark@example.net"],
  ['"mark+a b"@example.net', "mark@example.net"],
  // Nobody stands in front of it.
  ["+1@example.net", "+1@example.net"],
  ["mark-1@example.net", "mark-1@example.net"],
  ["mark=1@example.net", "mark=1@example.net"],
  ["ma.rk@example.net", "ma.rk@example.net"],
];

test("a person's key is without what stands behind a plus; the key of an address has it", () => {
  for (const [address, person] of ROWS) {
    const parsed = parseMailbox(address);
    assert.ok(parsed.ok, address);
    assert.equal(personKey(parsed.mailbox), person);
    assert.equal(addressKey(parsed.mailbox), address.toLowerCase());
  }
});
