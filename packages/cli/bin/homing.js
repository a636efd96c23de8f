#!/usr/bin/env node
// Starts the homing command. Plain JavaScript, so that an older Node can say what it lacks.
import process from "node:process";

if (process.features.typescript) {
  // Not sooner: it needs what an older Node lacks.
  const { keepCode } = await import("./code-cache.js");
  keepCode();
  await import("../src/main.ts");
} else {
  const message = `homing needs Node 24, and this is ${process.version}: run it as: npm exec --no -- homing …\n`;
  process.stderr.write(message);
  process.exitCode = 69;
}
