// The `homing` command, started by bin/homing.js: the only composition root.
import process from "node:process";
import { CommanderError } from "commander";
import { CommandFailure, EXIT } from "./failure.ts";
import { createOutput, watchOutput } from "./output.ts";
import { createProgram } from "./program.ts";

async function main(argv: readonly string[]): Promise<number> {
  let chosen: (() => Promise<number>) | undefined;
  const program = createProgram((action) => {
    chosen = action;
  });
  await program.parseAsync(argv);
  return chosen ? await chosen() : EXIT.ok;
}

/** Every way a command can fail ends here: one message, one exit code, no stack trace but for a bug of ours. */
function failed(error: unknown): number {
  const json = process.argv.includes("--json");
  if (error instanceof CommanderError) {
    // Help is no error; commander has printed the others.
    if (error.exitCode === 0) return EXIT.ok;
    const message = error.message.replace(/^error: /, "");
    if (json) createOutput(true).document({ ok: false, reason: "usage", message });
    return EXIT.usage;
  }
  if (error instanceof CommandFailure) {
    if (json) createOutput(true).document({ ok: false, reason: error.reason, message: error.message });
    for (const line of error.message.split("\n")) process.stderr.write(`homing: ${line}\n`);
    return EXIT[error.reason];
  }
  const detail = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`homing: this is a bug in Homing, please report it:\n${detail}\n`);
  return EXIT.software;
}

watchOutput();
try {
  process.exitCode = await main(process.argv);
} catch (error) {
  process.exitCode = failed(error);
}
