// The commands about addresses, one or many. Called by program.ts.
import type { Command } from "commander";
import { type Choose, JSON_TEXT, MAX_AGE_TEXT, oneOf, SECRETS_TEXT, WEAK_TEXT } from "./option-words.ts";

export function addAddressCommands(program: Command, choose: Choose): void {
  program
    .command("forge")
    .description("rewrite an envelope sender to an SRS address")
    .argument("<address>", "the sender")
    .requiredOption("--domain <domain>", "SRS domain: where bounces go")
    .requiredOption("--secrets <file>", SECRETS_TEXT)
    .addOption(
      oneOf(
        "--scheme <scheme>",
        ["strong", "classic"],
        "strong, or classic for a secret shared with Mail::SRS or PostSRSd",
      ),
    )
    .addOption(oneOf("--separator <char>", ["=", "+", "-"], "the character after SRS0"))
    .option("--tag-length <n>", "characters of a classic tag, 4 to 27 (default: 4)")
    .option("--weak-secret", WEAK_TEXT)
    .option("--at <time>", "forge as of this time: Unix seconds or ISO 8601 (default: now)")
    .option("--json", JSON_TEXT)
    .action((address, options) =>
      choose(async () => (await import("../commands/rewriting.ts")).forge(address, options)),
    );

  program
    .command("reverse")
    .description("verify an SRS address and give back the address in it")
    .argument("<address>", "the SRS address")
    .requiredOption("--secrets <file>", SECRETS_TEXT)
    .option("--max-age-days <n>", MAX_AGE_TEXT)
    .option("--weak-secret", WEAK_TEXT)
    .option("--at <time>", "verify as of this time: Unix seconds or ISO 8601 (default: now)")
    .option("--json", JSON_TEXT)
    .action((address, options) =>
      choose(async () => (await import("../commands/rewriting.ts")).reverse(address, options)),
    );

  program
    .command("inspect")
    .description("explain an SRS address, hop by hop")
    .argument("<address>", "the SRS address")
    .option("--secrets <file>", `${SECRETS_TEXT}; without them no tag is verified`)
    .option("--max-age-days <n>", MAX_AGE_TEXT)
    .option("--at <time>", "explain as of this time: Unix seconds or ISO 8601 (default: now)")
    .option("--json", JSON_TEXT)
    .action((address, options) =>
      choose(async () => (await import("../commands/inspect.ts")).inspect(address, options)),
    );

  program
    .command("batch")
    .description("forge, reverse and inspect many addresses: JSON Lines on stdin, JSON Lines on stdout")
    .option("--json", "changes nothing: the answers are JSON Lines")
    .action(() => choose(async () => (await import("../commands/batch.ts")).batch()));
}
