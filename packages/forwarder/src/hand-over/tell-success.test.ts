import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delivery } from "../deliver.ts";
import type { RcptDsn } from "../dsn-parameters.ts";
import type { Queue } from "../queue/queue.ts";
import type { Lead } from "./incoming.ts";
import { tellExpansions, tellHandOff } from "./tell-success.ts";
import { HAND_OVER, incoming, lead } from "./testing/mail.ts";

const SUCCESS: RcptDsn = { notify: ["success"], orcpt: "rfc822;x@y.test" };
const DELIVERED: Delivery = { kind: "delivered", hop: "hop", detail: "" };
const STORED: Delivery = { ...DELIVERED, stored: true };
const REFUSED: Delivery = { kind: "failed", code: 550, enhanced: "5.1.1", hop: "hop", detail: "" };

/** A queue that notes what it is to tell. */
function listening() {
  const told: unknown[] = [];
  const tell: Queue["tell"] = async (message, recipient, success) => {
    told.push([message.dsn?.envid, recipient, success]);
  };
  return { told, queue: { tell } as Queue };
}

/** Of its first copy the return path: it says whose mail it is. */
function aboutOf({ recipient, copies }: Lead): object {
  return { alias: recipient, reversePath: copies[0]?.reversePath, notify: { kind: "sender" } };
}

const handOffs: [what: string, dsn: RcptDsn | undefined, delivery: Delivery, told: string | undefined][] = [
  ["a next hop took it", SUCCESS, DELIVERED, "relayed"],
  ["our own mail store took it", SUCCESS, STORED, "delivered"],
  ["it was refused", SUCCESS, REFUSED, undefined],
  ["nobody asked", undefined, DELIVERED, undefined],
  ["nobody asked for success", { notify: ["failure", "delay"] }, DELIVERED, undefined],
  ["nothing is to be told", { notify: "never" }, DELIVERED, undefined],
];
for (const [what, dsn, delivery, expected] of handOffs) {
  test(`${what}: the sender is told ${expected ?? "nothing"}`, async () => {
    const { told, queue } = listening();
    const one = lead("alice@ours.test", 1, dsn);
    await tellHandOff(HAND_OVER, queue, incoming([one]), { lead: one, delivery });
    const about = { ...aboutOf(one), dsn };
    assert.deepEqual(told, expected === undefined ? [] : [["Q1", about, expected]]);
  });
}

test("of the aliases that were kept, those of several targets are told of as expanded, each once", async () => {
  const { told, queue } = listening();
  const single = lead("alice@ours.test", 1, SUCCESS);
  const list = lead("list@ours.test", 3, SUCCESS);
  const quiet = lead("other@ours.test", 3, undefined);
  await tellExpansions(
    HAND_OVER,
    queue,
    incoming([single, list, quiet]),
    new Set([single, list, list, quiet]),
  );
  assert.deepEqual(told, [["Q1", { ...aboutOf(list), dsn: SUCCESS }, "expanded"]]);
});
