import assert from "node:assert/strict";
import { test } from "node:test";
import { CLASS_ROWS, classify } from "./class-table.ts";
import type { BounceClass } from "./report.ts";

const table: readonly [
  status: string | undefined,
  code: number | undefined,
  text: string,
  kind: BounceClass,
  row: string,
][] = [
  ["5.1.1", 550, "blocked using bl.example", "hard", "address status"],
  ["5.2.2", 552, "", "soft", "mailbox full status"],
  ["4.2.2", 452, "", "soft", "mailbox full status"],
  ["5.4.7", undefined, "", "soft", "time-out status"],
  ["5.0.0", 550, "User unknown in local table", "hard", "address words"],
  ["5.0.0", undefined, "User bob not listed in Domino Directory", "hard", "address words"],
  ["5.7.1", 554, "Client host blocked using bl.example", "spam", "spam words"],
  ["5.7.1", 554, "192.0.2.1 is listed in bl.example", "spam", "spam words"],
  ["5.0.0", 550, "<spam@example.org> is on leave", "hard", "permanent"],
  ["5.7.1", 550, "message looks like SPAM", "spam", "spam words"],
  ["5.7.26", 550, "fails DMARC", "policy", "policy words"],
  ["4.7.26", 421, "fails DMARC", "policy", "policy words"],
  ["5.7.1", 550, "no", "policy", "policy status"],
  ["5.0.0", 552, "mailbox is full", "soft", "mailbox full words"],
  ["4.7.1", 451, "come back", "soft", "transient status"],
  ["5.0.0", undefined, "connection timed out", "soft", "time-out words"],
  ["5.0.0", undefined, "delivery time expired", "soft", "time-out words"],
  ["5.0.0", 550, "this account has expired", "hard", "permanent"],
  ["5.5.0", 550, "relaying denied", "policy", "policy refusal words"],
  ["5.3.4", 552, "too large", "hard", "permanent"],
  [undefined, 421, "", "soft", "transient"],
  [undefined, undefined, "", "hard", "permanent"],
];
for (const [status, replyCode, text, kind, row] of table) {
  test(`${status} ${replyCode} "${text}" is ${kind}, by ${row}`, () => {
    assert.deepEqual(classify({ status, replyCode, text }), { class: kind, row });
  });
}

test("every row of the table decides one of these", () => {
  for (const { name } of CLASS_ROWS)
    assert.ok(
      table.some(([, , , , row]) => row === name),
      name,
    );
});
