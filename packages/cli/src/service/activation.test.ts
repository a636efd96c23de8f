import assert from "node:assert/strict";
import { test } from "node:test";
import { parseActivation } from "./activation.ts";

const PID = 77;

const table: [what: string, environment: Record<string, string>, fd: number | "none" | RegExp][] = [
  ["no service manager", {}, "none"],
  ["one socket is taken whatever its name is", { LISTEN_FDS: "1", LISTEN_PID: "77" }, 3],
  ["an unknown name", { LISTEN_FDS: "1", LISTEN_PID: "77", LISTEN_FDNAMES: "unknown" }, 3],
  ["of several, the one named smtp", { LISTEN_FDS: "3", LISTEN_PID: "77", LISTEN_FDNAMES: "a:smtp:b" }, 4],
  ["no socket at all", { LISTEN_FDS: "0", LISTEN_PID: "77" }, "none"],
  ["sockets of a parent process", { LISTEN_FDS: "1", LISTEN_PID: "76" }, "none"],
  ["sockets of nobody", { LISTEN_FDS: "1" }, "none"],
  ["several without names", { LISTEN_FDS: "2", LISTEN_PID: "77" }, /^2 sockets .* FileDescriptorName=smtp/],
  ["several of one name", { LISTEN_FDS: "2", LISTEN_PID: "77", LISTEN_FDNAMES: "smtp:smtp" }, /^2 sockets/],
  ["a name too many", { LISTEN_FDS: "2", LISTEN_PID: "77", LISTEN_FDNAMES: "a:b:smtp" }, /^2 sockets/],
  ["no number", { LISTEN_FDS: "-1", LISTEN_PID: "77" }, /^LISTEN_FDS is "-1"/],
];

test("several sockets: the one that the caller names is taken, and the message asks for that name", () => {
  const environment = { LISTEN_FDS: "2", LISTEN_PID: "77", LISTEN_FDNAMES: "smtp:dotforward" };
  assert.deepEqual(parseActivation(environment, PID, "dotforward"), { kind: "socket", fd: 4 });
  const without = parseActivation({ ...environment, LISTEN_FDNAMES: "smtp:smtp" }, PID, "dotforward");
  assert.ok(without.kind === "wrong");
  assert.match(without.message, /named dotforward: .*FileDescriptorName=dotforward/);
});

for (const [what, environment, expected] of table) {
  test(`socket activation: ${what}`, () => {
    const activation = parseActivation(environment, PID);
    if (expected === "none") assert.deepEqual(activation, { kind: "none" });
    else if (typeof expected === "number") assert.deepEqual(activation, { kind: "socket", fd: expected });
    else {
      assert.ok(activation.kind === "wrong");
      assert.match(activation.message, expected);
    }
  });
}
