import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const MODULE = JSON.stringify(new URL("./young-memory.ts", import.meta.url).href);

/** In a process of its own: what is set is set for good. */
function printed(script: string, ...options: readonly string[]): number {
  const args = [...options, "--input-type=module", "-e", script];
  return Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

function megabytesAfterWork(prepare: string, ...options: readonly string[]): number {
  const octets = printed(
    `
    import { growYoungMemory, youngOctets } from ${MODULE};
    ${prepare}
    let kept = [];
    for (let round = 0; round < 3000; round++) {
      kept.push(Array.from({ length: 1000 }, (_, at) => ({ at })));
      if (kept.length > 100) kept = [];
    }
    console.log(youngOctets());
  `,
    ...options,
  );
  return octets / 1024 / 1024;
}

for (const [from, megabytes] of [
  ["--semi-space-growth-factor=1", 16],
  ["--min-semi-space-size=1", 16],
  ["--min-semi-space-size=2", 16],
  ["--min-semi-space-size=3", 12],
  ["--min-semi-space-size=5", 20],
] as const) {
  test(`the young generation has ${megabytes} MB from ${from} on; left alone it grows further`, () => {
    const grown = megabytesAfterWork("growYoungMemory();", from);
    assert.equal(grown, megabytes);
    assert.ok(megabytesAfterWork("") > grown);
  });
}

test("one that V8 has shrunk in quiet times has its size again within two seconds of work", () => {
  const sizes = (seconds: number) => `
    import { keepYoungMemory, youngOctets } from ${MODULE};
    keepYoungMemory();
    gc({ flavor: "last-resort" });
    // Turns of work, as a busy service has them.
    const until = performance.now() + ${1000 * seconds};
    while (performance.now() < until) {
      Array.from({ length: 1000 }, (_, at) => ({ at }));
      await new Promise(setImmediate);
    }
    console.log(youngOctets());
  `;
  const megabytes = (seconds: number) => printed(sizes(seconds), "--expose-gc") / 1024 / 1024;
  assert.ok(megabytes(0) < 12);
  assert.ok(megabytes(2) >= 12);
});

test("one that cannot grow is not asked again and again", () => {
  const looks = `
    import { keepYoungMemory } from ${MODULE};
    let looks = 0;
    globalThis.setInterval = () => ({ unref: () => looks++ });
    keepYoungMemory();
    console.log(looks);
  `;
  assert.equal(printed(looks), 1);
  assert.equal(printed(looks, "--max-semi-space-size=1"), 0);
});
