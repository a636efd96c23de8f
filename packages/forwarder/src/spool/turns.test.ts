import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns } from "./turns.ts";

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("so many at a time, the others in the order of coming; one that fails gives its turn on", async () => {
  const turns = createTurns(2);
  const begun: number[] = [];
  const works = [0, 1, 2, 3, 4].map((index) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const outcome = turns(() => {
      begun.push(index);
      return promise;
    });
    return { outcome, resolve, reject };
  });
  await turnOfTheLoop();
  assert.deepEqual(begun, [0, 1]);
  works[1]?.reject(new Error("no"));
  await assert.rejects(works[1]?.outcome ?? Promise.resolve(), /no/);
  await turnOfTheLoop();
  assert.deepEqual(begun, [0, 1, 2]);
  for (const { resolve } of works) resolve(1);
  assert.deepEqual(
    (await Promise.allSettled(works.map(({ outcome }) => outcome))).map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "fulfilled", "fulfilled"],
  );
  assert.deepEqual(begun, [0, 1, 2, 3, 4]);
  assert.equal(await turns(async () => "again"), "again");
});
