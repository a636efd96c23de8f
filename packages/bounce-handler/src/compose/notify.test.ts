import assert from "node:assert/strict";
import { test } from "node:test";
import { NULL_PATH } from "@homing/srs-core";
import type { DsnAction } from "./dsn.ts";
import { type MayAnswer, mayAnswer, mayTell, type Notify } from "./notify.ts";

const ACTIONS: readonly DsnAction["kind"][] = ["failed", "delayed", "delivered", "relayed", "expanded"];

const told: [notify: Notify | undefined, actions: string][] = [
  [undefined, "failed delayed"],
  ["never", ""],
  [["failure"], "failed"],
  [["delay"], "delayed"],
  [["success"], "delivered relayed expanded"],
  [["success", "failure"], "failed delivered relayed expanded"],
  [["success", "failure", "delay"], "failed delayed delivered relayed expanded"],
];
for (const [notify, actions] of told) {
  test(`NOTIFY ${notify ?? "absent"}: the sender is told of ${actions || "nothing"}`, () => {
    assert.equal(ACTIONS.filter((action) => mayTell(notify, action)).join(" "), actions);
  });
}

const BOB = { localPart: "bob", domain: "origin.example" };
const answered: [header: string, why: Extract<MayAnswer, { ok: false }>["why"] | undefined][] = [
  ["Subject: x\r\n", undefined],
  ["Auto-Submitted: no\r\n", undefined],
  ["Auto-Submitted: No (typed by hand)\r\n", undefined],
  ["Precedence: first-class\r\n", undefined],
  ["X-Precedence: bulk\r\n", undefined],
  ["Subject: x\r\n\r\nPrecedence: bulk\r\n", undefined],
  ["Auto-Submitted: auto-replied\r\n", "auto-submitted"],
  ["Auto-Submitted: no\r\nAUTO-SUBMITTED: auto-generated; type=x\r\n", "auto-submitted"],
  ["Auto-Submitted:\r\n auto-generated\r\n", "auto-submitted"],
  ["Precedence: bulk\r\n", "list"],
  ["precedence:\tList\r\n", "list"],
  ["Precedence: junk\r\n", "list"],
  ["List-Id: Friends <friends.lists.example>\r\n", "list"],
];
for (const [header, why] of answered) {
  test(`mail with ${JSON.stringify(header)} is ${why === undefined ? "" : "not "}answered`, () => {
    assert.deepEqual(
      mayAnswer(BOB, Buffer.from(header)),
      why === undefined ? { ok: true } : { ok: false, why },
    );
  });
}

test("the null sender is never answered", () => {
  assert.deepEqual(mayAnswer(NULL_PATH, Buffer.from("Subject: x\r\n")), { ok: false, why: "null-sender" });
});
