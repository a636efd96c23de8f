// The commands and options of `homing`. Commands are loaded when they are called, so that `homing forge` does not wait
// for a mail server to load. Called by main.ts; the completion scripts are made from it.
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addAdapterCommands, addImportCommands, addPipeCommand } from "./program/adapter-commands.ts";
import { addAddressCommands } from "./program/address-commands.ts";
import { addBounceCommands } from "./program/bounce-commands.ts";
import { addConfigCommands, addDkimCommands, addSecretsCommands } from "./program/config-commands.ts";
import { type Choose, JSON_TEXT } from "./program/option-words.ts";
import { addSendmailCommand, addUsersCommands } from "./program/sendmail-commands.ts";
import { addQueueCommands, addServiceCommands } from "./program/service-commands.ts";
import { addSpfCommands, addSpfqueryCommand } from "./program/spf-commands.ts";

/** @param choose is told what the command line asks for */
export function createProgram(choose: Choose): Command {
  const program = new Command("homing")
    .description("Mail forwarding that survives SPF, and brings the bounces home.")
    .version(version(), "--version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "homing: ")) })
    .showHelpAfterError("(homing --help, or homing COMMAND --help, shows what there is)");
  addServiceCommands(program, choose);
  addAdapterCommands(program, choose);
  addQueueCommands(program, choose);
  addConfigCommands(program, choose);
  addAddressCommands(program, choose);
  addSpfCommands(program, choose);
  addBounceCommands(program, choose);
  addSecretsCommands(program, choose);
  addDkimCommands(program, choose);
  addUsersCommands(program, choose);
  addImportCommands(program, choose);
  addCompletionCommand(program, choose);
  inherit(program);
  // Behind that: sendmail's -h is a number of hops, and help in place of a delivery would lose the mail.
  addPipeCommand(program, choose);
  addSendmailCommand(program, choose);
  addSpfqueryCommand(program, choose);
  return program;
}

function addCompletionCommand(program: Command, choose: Choose): void {
  program
    .command("completion")
    .description("print a script that lets a shell complete this command")
    .addArgument(program.createArgument("<shell>", "the shell").choices(["bash", "zsh", "fish"]))
    .option("--json", JSON_TEXT)
    .action((shell, options) =>
      choose(async () => (await import("./commands/completion.ts")).completion(shell, program, options)),
    );
}

function inherit(command: Command, name = command.name()): void {
  for (const child of command.commands) {
    const whole = `${name} ${child.name()}`;
    child
      .exitOverride()
      .copyInheritedSettings(command)
      .showHelpAfterError(`(${whole} --help shows what there is)`);
    inherit(child, whole);
  }
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest === "object" && manifest && "version" in manifest ? String(manifest.version) : "";
}
