import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

const MODULE = JSON.stringify(new URL("./young-memory.ts", import.meta.url).href);

/** In a process of its own: what is set is set for good. */
function printed(script: string, ...options: readonly string[]): number {
  const args = [...options, "--input-type=module", "-e", script];
  return Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
}

function octetsAfterWork(prepare: string): number {
  return printed(`
    import { growYoungMemory, youngOctets } from ${MODULE};
    ${prepare}
    let kept = [];
    for (let round = 0; round < 3000; round++) {
      kept.push(Array.from({ length: 1000 }, (_, at) => ({ at })));
      if (kept.length > 100) kept = [];
    }
    console.log(youngOctets());
  `);
}

test("the young generation stays small; left alone it grows", () => {
  const small = octetsAfterWork("growYoungMemory();");
  assert.equal(small, 16 * 1024 * 1024);
  assert.ok(octetsAfterWork("") > small);
});

test("one that cannot grow is not asked again every few seconds", () => {
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
