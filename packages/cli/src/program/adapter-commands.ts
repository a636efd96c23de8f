// The commands for another mail server: adapters, pipe, import. Called by program.ts.

import process from "node:process";
import type { AdapterName } from "@homing/mta-adapters";
import type { Command } from "commander";
import { type Choose, JSON_TEXT } from "./option-words.ts";

/** Each is also run by `homing serve`, where the configuration names it. */
const ADAPTERS: readonly [command: string, name: AdapterName | undefined, description: string][] = [
  ["adapters", undefined, "all adapters that the configuration names, without the SMTP service"],
  ["socketmap", "socketmap", "SRS maps for Postfix (socketmap_table) and Sendmail, without the SMTP service"],
  ["tcp-tables", "tcpTables", "SRS maps for tcp_table(5), as PostSRSd 1 has them, without the SMTP service"],
  ["policy", "policy", "SPF and SRS checks for Postfix (policy delegation), without the SMTP service"],
  ["milter", "milter", "SPF and SRS for Postfix and Sendmail (milter), without the SMTP service"],
  ["spfd", "spfd", "SPF for whoever speaks the protocol of Mail::SPF's spfd, without the SMTP service"],
  ["readsocket", "readsocket", "SRS and SPF for Exim, homing pipe and qpsmtpd, without the SMTP service"],
];

const MORE = `
SIGHUP reads own domains, trusted forwarders and tables anew. The log goes to stdout.
Which mail server asks what, and how it is set up: docs/mta.md. A systemd unit: deploy/systemd/README.md.`;

export function addAdapterCommands(program: Command, choose: Choose): void {
  for (const [command, name, description] of ADAPTERS)
    program
      .command(command)
      .description(description)
      .option("--config <file>", "configuration file, with the map adapters", "homing.yaml")
      .option("--json", JSON_TEXT)
      .addHelpText("after", MORE)
      .action((options) =>
        choose(async () => (await import("../commands/adapters.ts")).runAdapters(name, options)),
      );
}

export function addImportCommands(program: Command, choose: Choose): void {
  const imports = program.command("import").description("make a configuration from that of another program");
  imports
    .command("postsrsd")
    .description("print a homing.yaml that serves what PostSRSd served, from its configuration")
    .argument("<file>", "postsrsd.conf, or /etc/default/postsrsd of version 1")
    .option("--srs-domain <domain>", "the SRS domain, where the file leaves it to Postfix")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("../commands/import.ts")).importPostsrsd(file, options)),
    );
}

/** It reads its command line itself: these are for the help and for shells. None can be a mistake to commander. */
export function addPipeCommand(program: Command, choose: Choose): void {
  program
    .command("pipe")
    .description(
      "forward the message on stdin: from .forward, aliases, .qmail and procmail, or as their sendmail",
    )
    .argument("[recipient...]", "where the message goes")
    .option(
      "--socket [place]",
      "readsocket of the daemon: a path or HOST:PORT (default: /run/homing/readsocket)",
    )
    .option("--sendmail [file]", "sendmail program of the local mail server (default: the system's)")
    .option("--server [place]", "hand the message over by SMTP in its place: HOST:PORT")
    .option("--conventions [name]", "exit codes: qmail or sysexits (default: as the environment shows)")
    .option("--alias [address]", "whom the message came for (default: as the delivery tells)")
    .option(
      "--recipients [file]",
      "more recipients, one a line: what is on the command line stands in bounces",
    )
    .option("--stop", "under qmail: exit with 99, so that later lines of .qmail are not looked at")
    .option("-f [sender]", "envelope sender (default: SENDER, Return-Path, the From line)")
    .option("-t", "recipients are in the header: mail of this site, whose sender is not rewritten")
    .option("-i", "and other options of sendmail(1) are taken, and change nothing")
    .option("--json", JSON_TEXT)
    .helpOption("--help", "show what there is")
    .allowUnknownOption()
    .action(() => choose(async () => (await import("../commands/pipe.ts")).pipe(process.argv.slice(3))));
}
