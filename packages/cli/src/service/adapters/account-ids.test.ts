import assert from "node:assert/strict";
import { test } from "node:test";
import { accountId } from "./account-ids.ts";

test("a number is itself, as a number and as text", async () => {
  assert.equal(await accountId("user", 1000, "s"), 1000);
  assert.equal(await accountId("group", "1000", "s"), 1000);
});

test("a name is looked up where the system looks", async () => {
  assert.equal(await accountId("user", "root", "s"), 0);
  assert.equal(await accountId("group", "root", "s"), 0);
});

test("a name that is nowhere is told with the setting, the file and what to do", async () => {
  await assert.rejects(accountId("group", "nobody-of-that-name", "adapters.policy.group"), {
    name: "Error",
    reason: "config",
    message:
      'adapters.policy.group: there is no group "nobody-of-that-name" in /etc/group: correct the name, or write the number',
  });
});
