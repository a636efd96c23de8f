// The commands that run a service, and those about where its mail goes. Called by program.ts.
import type { Command } from "commander";
import { type Choose, JSON_TEXT } from "./option-words.ts";

export function addServiceCommands(program: Command, choose: Choose): void {
  program
    .command("local")
    .description("everything on loopback with a built-in inbox: try it, no configuration")
    .option("--port <port>", "port of the forwarder on 127.0.0.1; 0 takes a free one", "2525")
    .option(
      "--http <port>",
      "the HTTP API for web sites, too, and the inbox as a page, on this port of 127.0.0.1",
    )
    .option(
      "--site-key-file <file>",
      "the key of the one web site that there is (default: made up, and shown)",
    )
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/local.ts")).local(options)));

  program
    .command("serve")
    .description("run the forwarder")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/serve.ts")).serve(options)));

  program
    .command("dotforward")
    .description("read users' .forward files for the forwarder, in a process of its own")
    .option("--home <pattern>", "where homes are: /home/{user}")
    .option("--passwd <file>", "users and their homes, as in /etc/passwd")
    .option("--socket <path>", "UNIX socket to listen on (default: the one of the socket unit)")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/dotforward.ts")).dotforward(options)));

  program
    .command("route")
    .description("show where a recipient's mail would go, and which line of which table decides")
    .argument("<address>", "the recipient")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((address, options) =>
      choose(async () => (await import("../commands/route.ts")).route(address, options)),
    );

  program
    .command("reload")
    .description("check the route tables, and tell the running service to read them anew")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/reload.ts")).reload(options)));

  program
    .command("send")
    .description("send one message through a server and show the dialogue")
    .argument("[file]", "the message, - for stdin; without it a short one is made up")
    .requiredOption("--to <address>", "recipient")
    .option("--from <address>", "envelope sender; '' is the null sender (default: you at this machine)")
    .option("--server <host:port>", "SMTP server", "127.0.0.1:2525")
    .option("--json", JSON_TEXT)
    .action((file, options) => choose(async () => (await import("../commands/send.ts")).send(file, options)));
}

export function addQueueCommands(program: Command, choose: Choose): void {
  const queue = program.command("queue").description("look after the mail that waits in the running service");
  queue
    .command("list")
    .description("show what waits, a line for each message, oldest first")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--limit <n>", "show no more messages than this (default: all)")
    .option("--recipient <text>", "only recipients with this in their address, or in the alias")
    .option("--sender <text>", "only messages with this in their sender; '<>' is the null sender")
    .option("--json", JSON_TEXT)
    .action((options) => choose(async () => (await import("../commands/queue.ts")).listQueue(options)));
  queue
    .command("show")
    .description("show everything about one message, and its header")
    .argument("<id>", "the queue id, as in the list and in the log")
    .option("--content", "print the message itself and nothing else")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((id, options) =>
      choose(async () => (await import("../commands/queue.ts")).showQueued(id, options)),
    );
  queue
    .command("retry")
    .description("try a message now that waits for its time")
    .argument("[id]", "the queue id")
    .option("--all", "try all that wait")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((id, options) =>
      choose(async () => (await import("../commands/queue.ts")).retryQueued(id, options)),
    );
  queue
    .command("drop")
    .description("remove a message for good: nobody is told")
    .argument("<id>", "the queue id, all of it")
    .option("--config <file>", "configuration file", "homing.yaml")
    .option("--json", JSON_TEXT)
    .action((id, options) =>
      choose(async () => (await import("../commands/queue.ts")).dropQueued(id, options)),
    );
}
