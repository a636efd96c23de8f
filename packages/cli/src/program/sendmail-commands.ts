// The commands of mail that starts here: sendmail for the programs of a machine, users for the people who log in. Called by
// program.ts.
import process from "node:process";
import type { Command } from "commander";
import { type Choose, JSON_TEXT, repeated } from "./option-words.ts";

/** It reads its command line itself, as `homing pipe` does: these are for the help and for shells. */
export function addSendmailCommand(program: Command, choose: Choose): void {
  program
    .command("sendmail")
    .description("hand the message on stdin to a server, for PHP, cron and all that call sendmail")
    .argument("[recipient...]", "who gets it")
    .option("--config [file]", "settings (default: HOMING_SENDMAIL_CONFIG, or /etc/homing/sendmail.yaml)")
    .option("--final", "end with 69 where 75 would say later: for PHP, which takes 75 for sent")
    .option("--json", JSON_TEXT)
    .option("-t", "recipients are in To, Cc and Bcc, and on the command line")
    .option("-i", "a line that is a dot does not end the message")
    .option("-f [address]", "envelope sender")
    .option("-F [name]", "name in the From field, where the message has none")
    .option("-v", "show the dialogue with the server; other options of sendmail(1) change nothing")
    .helpOption(false)
    .allowUnknownOption()
    .action(() =>
      choose(async () => (await import("../commands/sendmail.ts")).sendmail(process.argv.slice(3))),
    );
}

export function addUsersCommands(program: Command, choose: Choose): void {
  const users = program.command("users").description("the people who may submit mail: a users file");
  users
    .command("set")
    .description("add a person, or give one a new password; read from stdin, or asked for at a terminal")
    .argument("<file>", "users file; made where there is none")
    .argument("<name>", "what the person logs in with")
    .option("--address <address>", "sender address of the person, as often as there are", repeated)
    .option("--json", JSON_TEXT)
    .action((file, name, options) =>
      choose(async () => (await import("../commands/users.ts")).setUser(file, name, options)),
    );
  users
    .command("list")
    .description("show names and addresses")
    .argument("<file>", "users file")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("../commands/users.ts")).listUsers(file, options)),
    );
  users
    .command("remove")
    .description("take a person out")
    .argument("<file>", "users file")
    .argument("<name>", "what the person logs in with")
    .option("--json", JSON_TEXT)
    .action((file, name, options) =>
      choose(async () => (await import("../commands/users.ts")).removeUser(file, name, options)),
    );
  users
    .command("check")
    .description("is this the person's password? Read from stdin, or asked for at a terminal")
    .argument("<file>", "users file")
    .argument("<name>", "what the person logs in with")
    .option("--json", JSON_TEXT)
    .action((file, name, options) =>
      choose(async () => (await import("../commands/users.ts")).checkUser(file, name, options)),
    );
}
