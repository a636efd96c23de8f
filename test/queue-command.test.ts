// `homing queue` beside a running service: what waits is seen, tried at once, and removed; and what is said where that
// cannot be.
import assert from "node:assert/strict";
import { chmod, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { connectClient, KEPT, sendOne } from "./faults/harness/client.ts";
import { letter } from "./faults/harness/letters.ts";
import { type Sink, startSink } from "./faults/harness/sink.ts";
import { createSite, type Service, type Site } from "./faults/harness/site.ts";
import type { CommandResult } from "./harness/command.ts";
import { homing, homingUnprivileged, startHoming, writeServiceFiles } from "./harness/homing.ts";
import { waitFor } from "./harness/wait.ts";

const TARGET = "alice@home.example";
/** With an escape sequence that clears a terminal. */
const GREYLISTED = "450 4.2.1 greylisted \x1b[2J, come again";
const SECONDS = 15;

interface Scene {
  readonly site: Site;
  readonly service: Service;
  readonly hop: Sink;
  readonly config: string;
  /** `homing queue ARGS --config …`. */
  queue(...args: string[]): Promise<CommandResult>;
  /** Sent, kept, and deferred by the next hop; gives its id. */
  deferred(name: string): Promise<string>;
}

async function scene(t: TestContext): Promise<Scene> {
  const hop = await startSink({ rcpt: () => GREYLISTED });
  t.after(() => hop[Symbol.asyncDispose]());
  const site = await createSite({ routes: { "home.example": hop.port } });
  t.after(() => site[Symbol.asyncDispose]());
  const service = await site.start();
  const config = join(dirname(site.stateFolder), "homing.yaml");
  return {
    site,
    service,
    hop,
    config,
    queue: (...args) => homing(["queue", ...args, "--config", config]),
    async deferred(name) {
      const before = idsOf(service, "deferred").length;
      assert.equal(await sendOne(service.port, letter(name)), KEPT);
      return await eventually(() => idsOf(service, "deferred")[before], `${name} is deferred`, service);
    },
  };
}

function idsOf(service: Service, event: string): string[] {
  return service
    .events()
    .filter((one) => one.event === event)
    .map((one) => ("id" in one ? String(one.id) : ""));
}

function eventually<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  what: string,
  service: Service,
): Promise<T> {
  return waitFor(probe, {
    seconds: SECONDS,
    otherwise: () => `waited in vain until ${what}:\n${service.stdout()}`,
  });
}

function documents({ stdout }: CommandResult): Record<string, unknown>[] {
  return String(stdout)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The ids in the list, and its last line. */
async function listed({ queue }: Scene, ...more: string[]): Promise<[string[], Record<string, unknown>]> {
  const result = await queue("list", "--json", ...more);
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stderr, "");
  const lines = documents(result);
  const last = lines.pop() ?? {};
  assert.equal(last.ok, true);
  return [lines.map(({ id }) => String(id)), last];
}

test("what waits is listed and shown: who, where to, when, and why", async (t) => {
  const one = await scene(t);
  const { queue } = one;
  const empty = await queue("list");
  assert.deepEqual([String(empty.stdout), empty.stderr, empty.code], ["", "homing: no messages\n", 0]);
  const id = await one.deferred("first");

  const list = await queue("list");
  assert.match(
    String(list.stdout),
    new RegExp(
      `^${id} +\\d+ s +\\d+ B  first@source\\.example  →  ${TARGET} \\(due in \\d+ min, 1 try, 450 4\\.2\\.1\\)\\n$`,
    ),
  );
  assert.match(list.stderr, /^homing: 1 message, \d+ B, 1 recipient: 0 being tried, 0 due, 1 waiting\n$/);
  const [entry = {}, last] = documents(await queue("list", "--json"));
  assert.deepEqual(
    [entry.id, entry.sender, entry.counts],
    [id, "first@source.example", { due: 0, waiting: 1, leased: 0 }],
  );
  assert.deepEqual(
    { ...last, octets: 0 },
    { ok: true, messages: 1, octets: 0, due: 0, waiting: 1, leased: 0, more: false },
  );
  assert.deepEqual((await listed(one, "--sender", "second"))[0], []);
  assert.deepEqual((await listed(one, "--recipient", "HOME.example"))[0], [id]);

  const show = await queue("show", id);
  assert.match(String(show.stdout), /\n {2}alias {4}alice@forwarder\.example\n/);
  assert.match(String(show.stdout), /\n {2}answer {3}450 4\.2\.1 greylisted \?\[2J, come again\n/);
  assert.match(String(show.stdout), /\nheader\n {2}From: first@source\.example\n/);
  const [shown = {}] = documents(await queue("show", id, "--json"));
  assert.deepEqual([shown.ok, shown.id], [true, id]);
  assert.match(String(shown.header), /^From: first@source\.example\r\n/);
  assert.equal(Array.isArray(shown.recipients) && shown.recipients.length, 1);
  const { stdout, code } = await queue("show", id, "--content");
  assert.ok(stdout.equals(letter("first").message));
  assert.equal(code, 0);
});

test("retry: the next hop takes it by now, and it is delivered at once, not after five minutes", async (t) => {
  const one = await scene(t);
  const { queue, hop, service } = one;
  const id = await one.deferred("second");
  hop.behave({});
  const { stdout, code } = await queue("retry", id);
  assert.deepEqual([String(stdout), code], [`${id}: 1 recipient made due now\n`, 0]);
  await eventually(() => hop.copies.get("second"), "it is delivered", service);
  await eventually(
    async () => (await listed(one))[0].length === 0 || undefined,
    "the queue is empty",
    service,
  );
  assert.deepEqual(idsOf(service, "queue-retried"), [id]);
  assert.equal(hop.copies.get("second"), 1);
});

test("drop: it is gone, nobody is told, and it is never delivered", async (t) => {
  const one = await scene(t);
  const { queue, hop, service } = one;
  const dropped = await one.deferred("unwanted");
  const kept = await one.deferred("wanted");
  const { stdout, code } = await queue("drop", dropped);
  assert.deepEqual(
    [String(stdout), code],
    [`${dropped}: dropped, from unwanted@source.example to ${TARGET}\n`, 0],
  );
  assert.deepEqual((await listed(one))[0], [kept]);
  hop.behave({});
  const [retried] = documents(await queue("retry", "--all", "--json"));
  assert.deepEqual(retried, { ok: true, messages: 1, retried: 1 });
  await eventually(() => hop.copies.get("wanted"), "the other one is delivered", service);
  assert.equal(hop.copies.get("unwanted"), undefined);
  const [event] = service.events().filter((each) => String(each.event) === "queue-dropped");
  const { time: _, ...facts } = event as unknown as Record<string, unknown>;
  assert.deepEqual(facts, {
    event: "queue-dropped",
    id: dropped,
    reversePath: "unwanted@source.example",
    targets: [TARGET],
  });
  // No notification either.
  assert.equal(hop.arrived.length, 1);
});

test("drop while an attempt runs: its next hop has the message, and the queue has not", async (t) => {
  const one = await scene(t);
  const { queue, hop, service } = one;
  const id = await one.deferred("third");
  const { promise: answer, resolve } = Promise.withResolvers<string>();
  let asked = false;
  hop.behave({
    dot() {
      asked = true;
      return answer;
    },
  });
  await queue("retry", id);
  await eventually(() => asked || undefined, "the next hop has the final dot", service);
  const again = await queue("retry", id);
  assert.match(String(again.stdout), /: 0 recipients made due now, 1 being tried already\n$/);
  const { stdout } = await queue("drop", id);
  assert.match(String(stdout), /; 1 being tried just now, whose next hop may get it all the same\n$/);
  assert.deepEqual((await listed(one))[0], []);
  resolve("250 2.0.0 ok");
  await eventually(() => idsOf(service, "lease-lost")[0], "the attempt is over", service);
  assert.deepEqual((await listed(one))[0], []);
  assert.equal(hop.copies.get("third"), 1);
});

test("an id that there is not is exit code 1, half a command is 2, and nothing is done", async (t) => {
  const one = await scene(t);
  const id = await one.deferred("fourth");
  // The exact id: a part of one, or a pattern, is none.
  for (const wrong of [id.slice(0, 10), "%", "none"]) {
    for (const what of ["show", "retry", "drop"]) {
      const { code, stderr, stdout } = await one.queue(what, wrong);
      assert.equal(code, 1);
      assert.equal(
        stderr,
        `homing: no-message: there is no message ${wrong} in the queue: see homing queue list\n`,
      );
      assert.equal(String(stdout), "");
    }
  }
  const [none] = documents(await one.queue("drop", "none", "--json"));
  assert.deepEqual([none?.ok, none?.reason], [false, "no-message"]);
  for (const wrong of [
    ["retry"],
    ["retry", id, "--all"],
    ["drop"],
    ["show", id, "--content", "--json"],
    ["list", "--limit", "0"],
    ["drop", "x".repeat(201)],
    ["frobnicate"],
  ]) {
    assert.equal((await one.queue(...wrong)).code, 2, wrong.join(" "));
  }
  assert.deepEqual((await listed(one))[0], [id]);
});

const MANY = 120;

test(`${MANY} messages come page by page, and no more than are asked for`, async (t) => {
  const one = await scene(t);
  using client = await connectClient(one.service.port);
  const names = Array.from({ length: MANY }, (_, at) => `many-${at}`);
  for (const name of names) assert.equal(await client.send(letter(name)), KEPT);
  const [all, total] = await listed(one);
  assert.equal(new Set(all).size, MANY);
  assert.deepEqual([total.messages, total.more], [MANY, false]);
  const [some, part] = await listed(one, "--limit", "110");
  assert.deepEqual(some, all.slice(0, 110));
  assert.deepEqual([part.messages, part.more], [110, true]);
  assert.equal((await listed(one, "--limit", String(MANY)))[1].more, false);
  assert.deepEqual((await listed(one, "--sender", "<many-117@source.example>"))[0], [all[117]]);
  const { stdout, stderr } = await one.queue("list", "--limit", "3");
  assert.equal(String(stdout).split("\n").length, 4);
  assert.match(stderr, /; there are more, beyond --limit\n$/);
});

test("after kill -9 the next service answers on the same socket, and after a good end there is none", async (t) => {
  const one = await scene(t);
  const { site, queue } = one;
  const id = await one.deferred("fifth");
  const socket = join(site.stateFolder, "control");
  assert.equal((await stat(socket)).mode & 0o777, 0o600);
  await one.service.stop("SIGKILL");
  assert.ok((await stat(socket)).isSocket());
  const killed = await queue("list");
  assert.equal(killed.code, 69);
  assert.match(
    killed.stderr,
    /^homing: control socket \S+\/control: no service answers there: start homing serve, or name its --config\n$/,
  );
  const second = await site.start();
  assert.deepEqual((await listed(one))[0], [id]);
  assert.equal(await second.stop(), 0);
  await assert.rejects(stat(socket), { code: "ENOENT" });
  const stopped = await queue("drop", id, "--json");
  assert.equal(stopped.code, 69);
  const [document] = documents(stopped);
  assert.deepEqual([document?.ok, document?.reason], [false, "unavailable"]);
});

test("a user who may not use the state directory hears it: exit code 77", async (t) => {
  const { site, config } = await scene(t);
  await chmod(site.stateFolder, 0o000);
  t.after(() => chmod(site.stateFolder, 0o700).catch(() => {}));
  const { code, stderr } = await homingUnprivileged(["queue", "list", "--config", config]);
  assert.match(
    stderr,
    /^homing: control socket \S+: not allowed to this user: run this as the service's user/,
  );
  assert.equal(code, 77);
});

const CONFIG = `hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
srs: { domain: forwarder.example, secretsFile: secrets }
`;

async function configured(t: TestContext, more: string): Promise<string> {
  const path = await writeServiceFiles({
    config: CONFIG + more,
    aliases: "alice: alice@home.example\n",
    secret: "a secret of the stories, long enough",
  });
  t.after(() => rm(dirname(path), { recursive: true, force: true }));
  return path;
}

test("without a stateDirectory there is no queue, and the configuration is the reason: 78", async (t) => {
  const config = await configured(t, "");
  const { code, stderr } = await homing(["queue", "list", "--config", config]);
  assert.equal(code, 78);
  assert.match(stderr, /: stateDirectory is not set, so nothing is queued: set it\n$/);
  assert.equal((await homing(["queue", "list", "--config", `${config}.none`])).code, 78);
});

test("a state directory with too long a path for a socket: the service runs, and both say why", async (t) => {
  const config = await configured(t, `stateDirectory: ${"d".repeat(110)}\n`);
  await using service = startHoming(["serve", "--config", config]);
  await service.waitForOutput(/"event":"no-control","message":"control socket \S+: \d+ octets/);
  await service.waitForOutput(/"event":"listening"/);
  assert.match(
    service.stderr(),
    /^homing: warning: control socket .*: choose a stateDirectory with a shorter path/m,
  );
  const { code, stderr } = await homing(["queue", "list", "--config", config]);
  assert.equal(code, 78);
  assert.match(stderr, /: choose a stateDirectory with a shorter path\n$/);
  assert.equal(await service.stop(), 0);
});
