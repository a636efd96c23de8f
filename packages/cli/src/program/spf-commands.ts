// The commands about SPF. Called by program.ts.
import { type Command, Option } from "commander";
import { type Choose, DNS_TEXT, JSON_TEXT, oneOf, repeated } from "./option-words.ts";

export function addSpfCommands(program: Command, choose: Choose): void {
  const spf = program.command("spf").description("check senders by SPF, and look after SPF records");
  spf
    .command("check")
    .description("say whether a client may send mail as a sender, and why")
    .requiredOption("--ip <address>", "IP address of the client")
    .option("--sender <address>", "envelope sender; '' is the null sender, which is checked by its HELO name")
    .option("--helo <name>", "what the client called itself")
    .addOption(
      oneOf("--identity <identity>", ["mailfrom", "helo"], "what is checked: the sender, or the HELO name"),
    )
    .option("--receiver <name>", "who asks, for explanations and Received-SPF (default: this machine)")
    .option("--dns <server>", DNS_TEXT, repeated)
    .option("--strict", "exit with 1 for fail")
    .option("--trace", "show every term that was looked at")
    .option("--spfquery", "print and exit as Debian's spfquery does")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/spf-check.ts")).checkSpfOf(options)));
  spf
    .command("lint")
    .description("show what a record costs in look-ups, and what is wrong with it")
    .argument("[domain]", "the domain whose record is looked at")
    .option("--record <text>", "look at this text in place of the record in DNS")
    .option("--domain <domain>", "where the text of --record will be published")
    .option("--dns <server>", DNS_TEXT, repeated)
    .option("--json", JSON_TEXT)
    .action((domain, options) =>
      choose(async () => (await import("../commands/spf-lint.ts")).lintSpfOf(domain, options)),
    );
  spf
    .command("wizard")
    .description("make the record of a domain: by questions at a terminal, or from options")
    .option("--domain <domain>", "the domain that the record is for")
    .option("--mx", "its MX hosts send")
    .option("--a [host...]", "these hosts send; without a name: the domain's own address")
    .option("--ip4 <network...>", "these addresses or networks send")
    .option("--ip6 <network...>", "these addresses or networks send")
    .option("--include <domain...>", "these providers send for it, by the name that they say to include")
    .addOption(
      new Option("--all <end>", "what receivers do with the rest (default: softfail)").choices([
        "softfail",
        "fail",
      ]),
    )
    .option("--nobody", "the domain sends no mail")
    .option("--dns <server>", "ask DNS about what is included, too: system, or IP[:PORT]", repeated)
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/spf-wizard.ts")).spfWizard(options)));
  spf
    .command("selftest")
    .description("send a legitimate and a forged message: does the server refuse the forged one?")
    .requiredOption("--to <alias>", "an address that the server forwards")
    .option("--server <host:port>", "SMTP server", "127.0.0.1:2525")
    .option("--from <address>", "sender of the legitimate message (default: you at this machine)")
    .option("--forged <address>", "sender at a domain that sends no mail and publishes v=spf1 -all")
    .option("--config <file>", "the server's configuration: tells why it takes a forged message")
    .option("--dns <server>", DNS_TEXT, repeated)
    .option("--json", JSON_TEXT)
    .action((options) =>
      choose(async () => (await import("../commands/spf-selftest.ts")).spfSelftest(options)),
    );
}

/** It, too, reads its command line itself: as Perl does, `--help` included. */
export function addSpfqueryCommand(program: Command, choose: Choose): void {
  program
    .command("spfquery")
    .description("Debian's spfquery, for scripts that call it: its options, its output, its exit codes")
    .usage("--id IDENTITY --ip ADDRESS ...")
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action((_options, { args }: Command) =>
      choose(async () => (await import("../commands/spfquery.ts")).spfquery(args)),
    );
}
