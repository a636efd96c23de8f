// The commands and options of `homing`. Commands are loaded when they are called, so that `homing forge` does not wait
// for a mail server to load. Called by main.ts; the completion scripts are made from it.
import { readFileSync } from "node:fs";
import process from "node:process";
import type { AdapterName } from "@homing/mta-adapters";
import { Command, Option } from "commander";

type Action = () => Promise<number>;
type Choose = (action: Action) => void;

const JSON_TEXT = "print JSON and nothing else";
const SECRETS_TEXT = "secrets, one a line, newest first";
const WEAK_TEXT = "take secrets under 22 characters, for classic tags that a site shares";
const DNS_TEXT = "DNS server to ask: IP[:PORT], as often as there are (default: the system's)";
const MAX_AGE_TEXT = "days for which an address is good (default: 21)";

/** An option that may come more than once. */
function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

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
  addImportCommands(program, choose);
  addCompletionCommand(program, choose);
  inherit(program);
  // Behind that: sendmail's -h is a number of hops, and help in place of a delivery would lose the mail.
  addPipeCommand(program, choose);
  addSpfqueryCommand(program, choose);
  return program;
}

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

function addAdapterCommands(program: Command, choose: Choose): void {
  for (const [command, name, description] of ADAPTERS)
    program
      .command(command)
      .description(description)
      .option("--config <file>", "configuration file, with the map adapters", "homing.yaml")
      .option("--json", JSON_TEXT)
      .action((options) =>
        choose(async () => (await import("./commands/adapters.ts")).runAdapters(name, options)),
      );
}

/** It reads its command line itself: these are for the help and for shells. None can be a mistake to commander. */
function addPipeCommand(program: Command, choose: Choose): void {
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
    .action(() => choose(async () => (await import("./commands/pipe.ts")).pipe(process.argv.slice(3))));
}

function addServiceCommands(program: Command, choose: Choose): void {
  program
    .command("local")
    .description("everything on loopback with a built-in inbox: try it, no configuration")
    .option("--port <port>", "port of the forwarder on 127.0.0.1; 0 takes a free one", "2525")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("./commands/local.ts")).local(options)));

  program
    .command("serve")
    .description("run the forwarder")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("./commands/serve.ts")).serve(options)));

  program
    .command("dotforward")
    .description("read users' .forward files for the forwarder, in a process of its own")
    .option("--home <pattern>", "where homes are: /home/{user}")
    .option("--passwd <file>", "users and their homes, as in /etc/passwd")
    .option("--socket <path>", "UNIX socket to listen on (default: the one of the socket unit)")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("./commands/dotforward.ts")).dotforward(options)));

  program
    .command("route")
    .description("show where a recipient's mail would go, and which line of which table decides")
    .argument("<address>", "the recipient")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((address, options) =>
      choose(async () => (await import("./commands/route.ts")).route(address, options)),
    );

  program
    .command("reload")
    .description("check the route tables, and tell the running service to read them anew")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("./commands/reload.ts")).reload(options)));

  program
    .command("send")
    .description("send one message through a server and show the dialogue")
    .argument("[file]", "the message, - for stdin; without it a short one is made up")
    .requiredOption("--to <address>", "recipient")
    .option("--from <address>", "envelope sender; '' is the null sender (default: you at this machine)")
    .option("--server <host:port>", "SMTP server", "127.0.0.1:2525")
    .option("--json", JSON_TEXT)
    .action((file, options) => choose(async () => (await import("./commands/send.ts")).send(file, options)));
}

function addQueueCommands(program: Command, choose: Choose): void {
  const queue = program.command("queue").description("look after the mail that waits in the running service");
  queue
    .command("list")
    .description("show what waits, a line for each message, oldest first")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--limit <n>", "show no more messages than this (default: all)")
    .option("--recipient <text>", "only recipients with this in their address, or in the alias")
    .option("--sender <text>", "only messages with this in their sender; '<>' is the null sender")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("./commands/queue.ts")).listQueue(options)));
  queue
    .command("show")
    .description("show everything about one message, and its header")
    .argument("<id>", "the queue id, as in the list and in the log")
    .option("--content", "print the message itself and nothing else")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((id, options) =>
      choose(async () => (await import("./commands/queue.ts")).showQueued(id, options)),
    );
  queue
    .command("retry")
    .description("try a message now that waits for its time")
    .argument("[id]", "the queue id")
    .option("--all", "try all that wait")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((id, options) =>
      choose(async () => (await import("./commands/queue.ts")).retryQueued(id, options)),
    );
  queue
    .command("drop")
    .description("remove a message for good: nobody is told")
    .argument("<id>", "the queue id, all of it")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((id, options) =>
      choose(async () => (await import("./commands/queue.ts")).dropQueued(id, options)),
    );
}

function addConfigCommands(program: Command, choose: Choose): void {
  const config = program.command("config").description("check a configuration, and show what holds");
  config
    .command("check")
    .description("say what is wrong with the configuration and the files that it names")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--dns <server>", "ask DNS, too, for what others find about us: system, or IP[:PORT]", repeated)
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("./commands/config.ts")).checkConfig(options)));
  config
    .command("show")
    .description("show every setting, its value and where that comes from")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("./commands/config.ts")).showConfig(options)));
}

function addAddressCommands(program: Command, choose: Choose): void {
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
      choose(async () => (await import("./commands/rewriting.ts")).forge(address, options)),
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
      choose(async () => (await import("./commands/rewriting.ts")).reverse(address, options)),
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
      choose(async () => (await import("./commands/inspect.ts")).inspect(address, options)),
    );

  program
    .command("batch")
    .description("forge, reverse and inspect many addresses: JSON Lines on stdin, JSON Lines on stdout")
    .option("--json", "changes nothing: the answers are JSON Lines")
    .action(() => choose(async () => (await import("./commands/batch.ts")).batch()));
}

function addSpfCommands(program: Command, choose: Choose): void {
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
    .action((options) => choose(async () => (await import("./commands/spf-check.ts")).checkSpfOf(options)));
  spf
    .command("lint")
    .description("show what a record costs in look-ups, and what is wrong with it")
    .argument("[domain]", "the domain whose record is looked at")
    .option("--record <text>", "look at this text in place of the record in DNS")
    .option("--domain <domain>", "where the text of --record will be published")
    .option("--dns <server>", DNS_TEXT, repeated)
    .option("--json", JSON_TEXT)
    .action((domain, options) =>
      choose(async () => (await import("./commands/spf-lint.ts")).lintSpfOf(domain, options)),
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
    .action((options) => choose(async () => (await import("./commands/spf-wizard.ts")).spfWizard(options)));
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
      choose(async () => (await import("./commands/spf-selftest.ts")).spfSelftest(options)),
    );
}

/** It, too, reads its command line itself: as Perl does, `--help` included. */
function addSpfqueryCommand(program: Command, choose: Choose): void {
  program
    .command("spfquery")
    .description("Debian's spfquery, for scripts that call it: its options, its output, its exit codes")
    .usage("--id IDENTITY --ip ADDRESS ...")
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments()
    .action((_options, { args }: Command) =>
      choose(async () => (await import("./commands/spfquery.ts")).spfquery(args)),
    );
}

function addBounceCommands(program: Command, choose: Choose): void {
  const bounce = program.command("bounce").description("read bounces, and show what becomes of them");
  bounce
    .command("parse")
    .description("what a bounce says: which recipient, what became of it, and why")
    .argument("<file>", "the message as it came; - is stdin")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("./commands/bounce.ts")).parseBounce(file, options)),
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
      choose(async () => (await import("./commands/bounce.ts")).reissueBounce(file, options)),
    );
}

function addSecretsCommands(program: Command, choose: Choose): void {
  const secrets = program.command("secrets").description("make, rotate and check a file of secrets");
  secrets
    .command("new")
    .description("make a file with one random secret")
    .argument("<file>", "a name that is not taken")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("./commands/secrets.ts")).newSecrets(file, options)),
    );
  secrets
    .command("rotate")
    .description("put a new secret on top, and mark when the old ones may go")
    .argument("<file>", "the secrets file")
    .option("--max-age-days <n>", MAX_AGE_TEXT)
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("./commands/secrets.ts")).rotateSecrets(file, options)),
    );
  secrets
    .command("check")
    .description("say what is wrong with the secrets, and which of them may go")
    .argument("<file>", "the secrets file")
    .option("--weak-secret", WEAK_TEXT)
    .option("--at <time>", "check as of this time: Unix seconds or ISO 8601 (default: now)")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("./commands/secrets.ts")).checkSecrets(file, options)),
    );
}

function addDkimCommands(program: Command, choose: Choose): void {
  const dkim = program.command("dkim").description("make keys that sign our own mail");
  dkim
    .command("new")
    .description("make a key, and print the TXT record to publish")
    .requiredOption("--domain <domain>", "the domain that signs: the hostname, or one that it is below")
    .requiredOption("--selector <selector>", "a name that this domain has for no other key")
    .requiredOption("--out <file>", "where the key goes: a name that is not taken")
    .addOption(oneOf("--type <type>", ["rsa", "ed25519"], "kind of key; not every receiver knows ed25519"))
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("./commands/dkim.ts")).newDkimKey(options)));
}

function addImportCommands(program: Command, choose: Choose): void {
  const imports = program.command("import").description("make a configuration from that of another program");
  imports
    .command("postsrsd")
    .description("print a homing.yaml that serves what PostSRSd served, from its configuration")
    .argument("<file>", "postsrsd.conf, or /etc/default/postsrsd of version 1")
    .option("--srs-domain <domain>", "the SRS domain, where the file leaves it to Postfix")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("./commands/import.ts")).importPostsrsd(file, options)),
    );
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

/** The first choice is the default. */
function oneOf(flags: string, choices: readonly [string, ...string[]], description: string): Option {
  return new Option(flags, description).choices(choices).default(choices[0]);
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
