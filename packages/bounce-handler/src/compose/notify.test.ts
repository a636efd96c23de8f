import assert from "node:assert/strict";
import { test } from "node:test";
import type { DsnAction } from "./dsn.ts";
import { mayTell, type Notify } from "./notify.ts";

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
