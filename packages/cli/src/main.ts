// The `homing` command, started by bin/homing.js: the only composition root. Commands are loaded when they are called, so that `homing forge`
// does not wait for a mail server to load.
import { readFileSync } from "node:fs";
import process from "node:process";
import { Command, CommanderError } from "commander";
import { CommandFailure, EXIT } from "./failure.ts";
import { createOutput, endWithReader } from "./output.ts";

type Action = () => Promise<number>;

async function main(argv: readonly string[]): Promise<number> {
  let chosen: Action | undefined;
  const program = createProgram((action) => {
    chosen = action;
  });
  await program.parseAsync(argv);
  return chosen ? await chosen() : EXIT.ok;
}

function createProgram(choose: (action: Action) => void): Command {
  const program = new Command("homing")
    .description("Mail forwarding that survives SPF, and brings the bounces home.")
    .version(version(), "--version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "homing: ")) })
    .showHelpAfterError("(homing --help, or homing COMMAND --help, shows what there is)");
  const jsonText = "print JSON and nothing else";

  program
    .command("local")
    .description("everything on loopback with a built-in inbox: try it, no configuration")
    .option("--port <port>", "port of the forwarder on 127.0.0.1; 0 takes a free one", "2525")
    .option("--json", jsonText)
    .action((options) => choose(async () => (await import("./commands/local.ts")).local(options)));

  program
    .command("serve")
    .description("run the forwarder")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", jsonText)
    .action((options) => choose(async () => (await import("./commands/serve.ts")).serve(options)));

  program
    .command("send")
    .description("send one message through a server and show the dialogue")
    .argument("[file]", "the message, - for stdin; without it a short one is made up")
    .requiredOption("--to <address>", "recipient")
    .option("--from <address>", "envelope sender; '' is the null sender (default: you at this machine)")
    .option("--server <host:port>", "SMTP server", "127.0.0.1:2525")
    .option("--json", jsonText)
    .action((file, options) => choose(async () => (await import("./commands/send.ts")).send(file, options)));

  program
    .command("forge")
    .description("rewrite an envelope sender to an SRS address")
    .argument("<address>", "the sender")
    .requiredOption("--domain <domain>", "SRS domain: where bounces go")
    .requiredOption("--secrets <file>", "secrets, one a line, newest first")
    .option(
      "--scheme <scheme>",
      "strong, or classic for sites that share a secret with Mail::SRS or PostSRSd",
      "strong",
    )
    .option("--separator <char>", "the character after SRS0: = + or -", "=")
    .option("--tag-length <n>", "characters of a classic tag, 4 to 27 (default: 4)")
    .option("--at <time>", "forge as of this time: Unix seconds or ISO 8601 (default: now)")
    .option("--json", jsonText)
    .action((address, options) =>
      choose(async () => (await import("./commands/rewriting.ts")).forge(address, options)),
    );

  program
    .command("reverse")
    .description("verify an SRS address and give back the address in it")
    .argument("<address>", "the SRS address")
    .requiredOption("--secrets <file>", "secrets, one a line, newest first")
    .option("--at <time>", "verify as of this time: Unix seconds or ISO 8601 (default: now)")
    .option("--json", jsonText)
    .action((address, options) =>
      choose(async () => (await import("./commands/rewriting.ts")).reverse(address, options)),
    );

  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  return program;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest && "version" in manifest ? String(manifest.version) : "";
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

endWithReader();
try {
  process.exitCode = await main(process.argv);
} catch (error) {
  process.exitCode = failed(error);
}
