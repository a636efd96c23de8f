// What is sent; that it arrives is shown with systemd's own tool by test/systemd.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createNotify, ready, stopping } from "./notify.ts";

test("the assignments are those of sd_notify(3)", () => {
  assert.deepEqual(ready("forwarding"), ["READY=1", "STATUS=forwarding"]);
  assert.deepEqual(stopping("finishing"), ["STOPPING=1", "STATUS=finishing"]);
});

test("a status of several lines does not become an assignment of its own", () => {
  assert.deepEqual(ready("a\nMAINPID=1"), ["READY=1", "STATUS=a?MAINPID=1"]);
});

test("without a service manager nothing is started", async () => {
  for (const environment of [{}, { NOTIFY_SOCKET: "" }]) {
    assert.deepEqual(await createNotify({ ...environment, PATH: "/nonexistent" })(ready("x")), {
      kind: "no-manager",
    });
  }
});

test("without systemd-notify the failure says what to install", async () => {
  const told = await createNotify({ NOTIFY_SOCKET: "/run/notify", PATH: "/nonexistent" })(ready("x"));
  assert.ok(told.kind === "failed");
  assert.match(told.cause, /^systemd-notify is not on PATH: install systemd/);
});
