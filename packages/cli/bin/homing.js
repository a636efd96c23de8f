#!/usr/bin/env node
// Starts the homing command. Plain JavaScript, so that an older Node can say what it lacks.
import process from "node:process";
import { setFlagsFromString } from "node:v8";

if (process.features.typescript) {
  // What is loaded at the start would make V8's young generation grow to 32 MB, which nothing that follows needs: a small
  // service stays some 12 MB smaller. `homing serve` chooses a size of its own.
  setFlagsFromString("--semi-space-growth-factor=1");
  // Not sooner: it needs what an older Node lacks.
  const { keepCode } = await import("./code-cache.js");
  keepCode();
  await import("../src/main.ts");
} else {
  const message = `homing needs Node 24, and this is ${process.version}: run it as: npm exec --no -- homing …\n`;
  process.stderr.write(message);
  process.exitCode = 69;
}
