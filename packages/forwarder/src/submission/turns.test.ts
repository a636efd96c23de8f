import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns } from "./turns.ts";

test("so many at once, so many wait in their order, and further ones are not taken", async () => {
  const turns = createTurns({ atOnce: 2, waiting: 2 });
  const began: number[] = [];
  const work = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const taken = work.map(({ promise }, index) =>
    turns.run(async () => {
      began.push(index);
      await promise;
      return index;
    }),
  );
  assert.equal(taken[4], undefined);
  assert.deepEqual(began, [0, 1]);
  work[1]?.resolve();
  assert.equal(await taken[1], 1);
  assert.deepEqual(began, [0, 1, 2]);
  work[0]?.reject(new Error("failed"));
  await assert.rejects(taken[0] ?? Promise.resolve(), /failed/);
  work[2]?.resolve();
  work[3]?.resolve();
  assert.deepEqual(await Promise.all([taken[2], taken[3]]), [2, 3]);
  assert.equal(await turns.run(async () => "free again"), "free again");
});
