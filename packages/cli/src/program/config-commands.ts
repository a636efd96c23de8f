// The commands about files of the operator: the configuration, secrets, keys. Called by program.ts.
import type { Command } from "commander";
import { type Choose, JSON_TEXT, MAX_AGE_TEXT, oneOf, repeated, WEAK_TEXT } from "./option-words.ts";

export function addConfigCommands(program: Command, choose: Choose): void {
  const config = program.command("config").description("check a configuration, and show what holds");
  config
    .command("check")
    .description("say what is wrong with the configuration and the files that it names")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--dns <server>", "ask DNS, too, for what others find about us: system, or IP[:PORT]", repeated)
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/config.ts")).checkConfig(options)));
  config
    .command("show")
    .description("show every setting, its value and where that comes from")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/config.ts")).showConfig(options)));
}

export function addSecretsCommands(program: Command, choose: Choose): void {
  const secrets = program.command("secrets").description("make, rotate and check a file of secrets");
  secrets
    .command("new")
    .description("make a file with one random secret")
    .argument("<file>", "a name that is not taken")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("../commands/secrets.ts")).newSecrets(file, options)),
    );
  secrets
    .command("rotate")
    .description("put a new secret on top, and mark when the old ones may go")
    .argument("<file>", "the secrets file")
    .option("--max-age-days <n>", MAX_AGE_TEXT)
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("../commands/secrets.ts")).rotateSecrets(file, options)),
    );
  secrets
    .command("check")
    .description("say what is wrong with the secrets, and which of them may go")
    .argument("<file>", "the secrets file")
    .option("--weak-secret", WEAK_TEXT)
    .option("--at <time>", "check as of this time: Unix seconds or ISO 8601 (default: now)")
    .option("--json", JSON_TEXT)
    .action((file, options) =>
      choose(async () => (await import("../commands/secrets.ts")).checkSecrets(file, options)),
    );
}

export function addDkimCommands(program: Command, choose: Choose): void {
  const dkim = program.command("dkim").description("make keys that sign our own mail");
  dkim
    .command("new")
    .description("make a key, and print the TXT record to publish")
    .requiredOption("--domain <domain>", "the domain that signs: the hostname, or one that it is below")
    .requiredOption("--selector <selector>", "a name that this domain has for no other key")
    .requiredOption("--out <file>", "where the key goes: a name that is not taken")
    .addOption(oneOf("--type <type>", ["rsa", "ed25519"], "kind of key; not every receiver knows ed25519"))
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/dkim.ts")).newDkimKey(options)));
}
