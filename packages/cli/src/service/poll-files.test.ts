import assert from "node:assert/strict";
import { test } from "node:test";
import { pollFiles } from "./poll-files.ts";

test("each look that sees a difference asks for a reload, and looks never overlap", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const looks: PromiseWithResolvers<boolean>[] = [];
  let changes = 0;
  const look = (): Promise<boolean> => {
    const one = Promise.withResolvers<boolean>();
    looks.push(one);
    return one.promise;
  };
  const polling = pollFiles(look, () => changes++, 10);
  const answer = async (different: boolean): Promise<void> => {
    looks.at(-1)?.resolve(different);
    await polling.idle();
  };
  t.mock.timers.tick(9);
  assert.equal(looks.length, 0);
  t.mock.timers.tick(1);
  assert.equal(looks.length, 1);
  t.mock.timers.tick(1000);
  assert.equal(looks.length, 1, "a file system that does not answer is asked once");
  await answer(true);
  assert.equal(changes, 1);
  t.mock.timers.tick(10);
  await answer(false);
  assert.equal(changes, 1);
  t.mock.timers.tick(10);
  polling.close();
  await answer(true);
  t.mock.timers.tick(1000);
  assert.equal(changes, 1, "after the end nobody is asked, and nothing is told");
  assert.equal(looks.length, 3);
});

test("the poll does not hold the process", async () => {
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const polling = pollFiles(
    async () => true,
    () => {},
    3_600_000,
  );
  assert.equal(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length, before);
  polling.close();
});
