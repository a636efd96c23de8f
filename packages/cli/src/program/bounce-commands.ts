// The commands about bounces. Called by program.ts.
import type { Command } from "commander";
import { type Choose, JSON_TEXT, oneOf } from "./option-words.ts";

export function addBounceCommands(program: Command, choose: Choose): void {
  const bounce = program.command("bounce").description("read bounces, and show what becomes of them");
  bounce
    .command("parse")
    .description("what a bounce says: which recipient, what became of it, and why")
    .argument("<file>", "the message as it came; - is stdin")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("../commands/bounce.ts")).parseBounce(file, options)),
    );
  bounce
    .command("reissue")
    .description("print the DSN that the original sender would get for a bounce")
    .argument("<file>", "the message as it came; - is stdin")
    .requiredOption("--to <address>", "the original sender")
    .option("--alias <address>", "the address that the sender used; without it: the form that names none")
    .addOption(
      oneOf("--diagnostic <policy>", ["code", "none", "redacted"], "how much of the remote's reply is shown"),
    )
    .option("--hostname <name>", "who reports (default: the alias's domain, or localhost)")
    .option("--at <time>", "write as of this time: Unix seconds or ISO 8601 (default: now)")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("../commands/bounce.ts")).reissueBounce(file, options)),
    );
}
