import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";

/** In a process of its own: what is set is set for good. */
function octetsAfterWork(prepare: string): number {
  const script = `
    import { growYoungMemory, youngOctets } from ${JSON.stringify(new URL("./young-memory.ts", import.meta.url).href)};
    ${prepare}
    let kept = [];
    for (let round = 0; round < 3000; round++) {
      kept.push(Array.from({ length: 1000 }, (_, at) => ({ at })));
      if (kept.length > 100) kept = [];
    }
    console.log(youngOctets());
  `;
  return Number(execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" }));
}

test("the young generation stays small; left alone it grows", () => {
  const small = octetsAfterWork("growYoungMemory();");
  // A scavenge that comes between two looks may double it once more.
  assert.ok(small <= 16 * 1024 * 1024, `${small} octets`);
  assert.ok(octetsAfterWork("") > small);
});
