import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdapterEvent } from "../adapter-events.ts";
import type { MapAnswer } from "./map-answer.ts";
import { tellingRefusals } from "./told-look-up.ts";

function told(map: string, key: string, answer: MapAnswer | Promise<MapAnswer>): readonly AdapterEvent[] {
  const events: AdapterEvent[] = [];
  const report = (event: AdapterEvent): void => void events.push(event);
  const lookUp = tellingRefusals(() => answer, { adapter: "tcpTables", report });
  assert.equal(lookUp(map, key), answer);
  return events;
}

const refusals: readonly [map: string, reply: string, reason: string][] = [
  ["reject", "550 5.7.1 no", "bad-srs-address"],
  ["reject", "550 5.1.1 nobody", "unknown-address"],
  ["reject", "451 4.7.1 later", "too-many-guesses"],
  ["reject-sender", "550 5.7.1 no", "bad-srs-address"],
];
for (const [map, reply, reason] of refusals) {
  test(`${map} that says ${reply} is told, with the adapter`, () => {
    const isRecipient = map === "reject";
    assert.deepEqual(told(map, "SRS0=x@us.example", { kind: "found", value: reply }), [
      {
        ...{ event: "adapter-refused", adapter: "tcpTables", client: "", reason, reply },
        reversePath: isRecipient ? "" : "SRS0=x@us.example",
        recipient: isRecipient ? "SRS0=x@us.example" : "",
      },
    ]);
  });
}

test("what is found in another map is no refusal, nor is what is not found", () => {
  const found: MapAnswer = { kind: "found", value: "x" };
  for (const map of ["forward", "forward-alias", "reverse"]) assert.deepEqual(told(map, "x", found), []);
  assert.deepEqual(told("forward", "x", Promise.resolve(found)), []);
  assert.deepEqual(told("reject", "x", { kind: "not-found", why: "" }), []);
});
