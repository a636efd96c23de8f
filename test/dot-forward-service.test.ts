// .forward files through the whole service: `homing serve` asks `homing dotforward`, and mail goes where users say.
import assert from "node:assert/strict";
import { access, chmod, mkdir, mkdtemp, readdir, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { greeted, type Hop, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { type HomingProcess, type HomingService, startHoming, startHomingService } from "./harness/homing.ts";
import { waitFor } from "./harness/wait.ts";

const MESSAGE = "From: bob@source.example\r\n\r\nHello!\r\n";

interface Scene extends AsyncDisposable {
  readonly folder: string;
  readonly hop: Hop;
  readonly reader: HomingProcess;
  readonly service: HomingService;
  forward(user: string, text?: string, mode?: number): Promise<void>;
  /** Nobody has written to the user's file for an hour. */
  age(user: string): Promise<void>;
  send(to: string): Promise<string>;
  /** Recipients at the next hop, and the mailboxes here that have mail. */
  arrived(): Promise<string[]>;
}

async function scene(): Promise<Scene> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "homing-")));
  await Promise.all(["home", "mail"].map((name) => mkdir(join(folder, name))));
  const socket = join(folder, "socket");
  const reader = startHoming(["dotforward", "--home", `${folder}/home/{user}`, "--socket", socket]);
  await waitFor(
    async () =>
      (await access(socket).then(
        () => true,
        () => undefined,
      )) ?? undefined,
    {
      seconds: 10,
      otherwise: () => reader.stderr(),
    },
  );
  const hop = await startHop();
  const service = await startHomingService({
    config: `hostname: mx.home.example
listen: 127.0.0.1:0
domains: [home.example]
recipientDelimiter: "+"
aliasesFile: aliases
srs: { domain: home.example, secretsFile: secrets }
localDelivery: { store: "maildir:${folder}/mail/{domain}/{user}" }
dotForward: { socket: ${socket} }
delivery: { smartHost: "127.0.0.1:${hop.port}" }
`,
    aliases: "staff: alice, dave\npostmaster: alice\n",
    secret: "a secret of the stories, long enough",
  });
  return {
    folder,
    hop,
    reader,
    service,
    async forward(user, text, mode = 0o600) {
      const home = join(folder, "home", user);
      await mkdir(home, { mode: 0o700 });
      if (text === undefined) return;
      await writeFile(join(home, ".forward"), text);
      await chmod(join(home, ".forward"), mode);
    },
    async age(user) {
      const hourAgo = Date.now() / 1000 - 3600;
      await utimes(join(folder, "home", user, ".forward"), hourAgo, hourAgo);
    },
    async send(to) {
      using client = await greeted({ port: service.port });
      return await transact(client, { from: "bob@source.example", to, message: MESSAGE });
    },
    async arrived() {
      const remote = hop.commands.flatMap((command) => /^RCPT TO:<(.*)>/.exec(command)?.[1] ?? []);
      const local = await readdir(join(folder, "mail/home.example")).catch(() => []);
      return [...remote, ...local].sort();
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await reader[Symbol.asyncDispose]();
      await hop[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

test("users' files lead away, to other users and into their own mailboxes, through aliases too", async () => {
  await using mail = await scene();
  await mail.forward("alice", "alice@away.example\n");
  await mail.forward("carol", "alice\n");
  await mail.forward("dave", "\\dave, dave@away.example\n");
  assert.match(await mail.send("carol+tag@home.example"), /^250 /);
  assert.deepEqual(await mail.arrived(), ["alice@away.example"]);
  assert.match(await mail.send("staff@home.example"), /^250 /);
  assert.deepEqual(await mail.arrived(), [
    "alice@away.example",
    "alice@away.example",
    "dave",
    "dave@away.example",
  ]);
  assert.match(mail.hop.commands.join("\n"), /^MAIL FROM:<SRS0=.*=source\.example=bob@home\.example>/m);
});

test("a user without a file, or with an empty one, keeps the mail; who is no user is unknown", async () => {
  await using mail = await scene();
  await mail.forward("erin");
  await mail.forward("frank", "");
  assert.match(await mail.send("frank@home.example"), /^451 4\.3\.0 /, "he may be writing it right now");
  await mail.age("frank");
  for (const user of ["erin", "frank"]) assert.match(await mail.send(`${user}@home.example`), /^250 /);
  assert.deepEqual(await mail.arrived(), ["erin", "frank"]);
  for (const address of ["nobody", '"../../etc"'])
    assert.match(await mail.send(`${address}@home.example`), /^550 5\.1\.1 /);
});

test("a file that others can write defers the mail, with an event; so does one with mistakes", async () => {
  await using mail = await scene();
  await mail.forward("alice", "alice@away.example\n", 0o622);
  await mail.forward("dave", "|/usr/bin/vacation\n");
  assert.match(await mail.send("alice@home.example"), /^451 4\.3\.5 /);
  assert.match(await mail.send("dave@home.example"), /^451 4\.3\.5 /);
  assert.match(await mail.send("staff@home.example"), /^451 4\.3\.5 /, "no copy of a list is lost");
  const events = (await mail.service.events()).filter(({ event }) => event === "forward-file");
  assert.match(JSON.stringify(events), /"user":"alice","faults":\["~\/\.forward: /);
  assert.match(JSON.stringify(events), /"user":"dave","faults":\["~\/\.forward:1:1: /);
  assert.deepEqual(await mail.arrived(), []);
});

test("users who forward to each other end nowhere, and nobody hangs", async () => {
  await using mail = await scene();
  await mail.forward("alice", "carol\n");
  await mail.forward("carol", "alice\n");
  assert.match(await mail.send("alice@home.example"), /^451 4\.3\.5 /);
});

test("without its reader every user's mail waits", async () => {
  await using mail = await scene();
  await mail.forward("alice", "alice@away.example\n");
  assert.match(await mail.send("alice@home.example"), /^250 /);
  await mail.reader.stop();
  assert.match(await mail.send("alice@home.example"), /^451 4\.3\.0 /);
  assert.ok((await mail.service.events()).some(({ event }) => event === "forward-unavailable"));
  assert.equal(await mail.service.stop(), 0);
});
