import assert from "node:assert/strict";
import { test } from "node:test";
import { DUNNO, renderPolicyAction } from "./policy-action.ts";

const REPLY = { code: 550, enhanced: "5.7.23", text: "no" } as const;

test("an action is a line and an empty one", () => {
  assert.equal(renderPolicyAction(DUNNO), "action=DUNNO\n\n");
  assert.equal(renderPolicyAction({ kind: "prepend", field: "X: y" }), "action=PREPEND X: y\n\n");
  assert.equal(renderPolicyAction({ kind: "reply", reply: REPLY }), "action=550 5.7.23 no\n\n");
});

test("no text makes a second line, or one that no server takes whole", () => {
  const text = `a\r\nb\n\nc\0d\u2028${"x".repeat(2000)}`;
  assert.match(
    renderPolicyAction({ kind: "reply", reply: { ...REPLY, text } }),
    /^action=550 5\.7\.23 a\?\?b\?\?c\?d\?x{900,}\n\n$/,
  );
  assert.ok(renderPolicyAction({ kind: "prepend", field: text }).length < 1010);
});
