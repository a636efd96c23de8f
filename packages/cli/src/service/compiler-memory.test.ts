import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const MODULE = JSON.stringify(new URL("./compiler-memory.ts", import.meta.url).href);

test("V8 knows the flag: it says so of one that it does not know, and goes on", () => {
  const script = (flag: string) => `
    import { setFlagsFromString } from "node:v8";
    import { savesCompilerMemory } from ${MODULE};
    savesCompilerMemory();
    ${flag}
  `;
  const said = (flag: string) =>
    spawnSync(process.execPath, ["--input-type=module", "-e", script(flag)], { encoding: "utf8" }).stderr;
  assert.equal(said(""), "");
  assert.match(said('setFlagsFromString("--no-such-inlining");'), /unrecognized flag/);
});
