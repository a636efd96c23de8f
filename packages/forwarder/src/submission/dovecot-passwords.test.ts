import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createFakeClock } from "../testing/fake-clock.ts";
import { Wire, within } from "../testing/wire.ts";
import { parseAnswer } from "./dovecot-lines.ts";
import { createDovecotPasswords } from "./dovecot-passwords.ts";
import { LogInUnavailable } from "./unavailable.ts";

const HELLO =
  "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t7\nCUID\t1\nCOOKIE\tab\nDONE\n";
const login = (name: string, password = "secret") => ({ name, password, clientAddress: "192.0.2.1" });

/** A Dovecot of the test's own, which says what it is told. */
async function startServer(t: TestContext, hello = HELLO) {
  const folder = mkdtempSync(join(tmpdir(), "homing-dovecot-"));
  const path = join(folder, "auth-client");
  const connections: Wire[] = [];
  const sockets: Socket[] = [];
  let came = Promise.withResolvers<Wire>();
  const server = createServer((socket) => {
    const wire = new Wire(socket);
    sockets.push(socket);
    connections.push(wire);
    wire.send(hello);
    came.resolve(wire);
    came = Promise.withResolvers();
  }).listen(path);
  await once(server, "listening");
  const clock = createFakeClock();
  const passwords = createDovecotPasswords({ path, clock, random: () => 0.5 });
  t.after(() => {
    passwords.close();
    for (const socket of sockets) socket.destroy();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { passwords, clock, connections, next: () => within(came.promise, "a connection") };
}

/** The id of the next request, whose fields are as they should be. */
async function request(wire: Wire, name: string, password = "secret"): Promise<string> {
  for (;;) {
    const line = (await wire.until("\n"))?.trimEnd() ?? "";
    const [verb, id = "", ...fields] = line.split("\t");
    if (verb !== "AUTH") continue;
    const response = Buffer.from(`\0${name}\0${password}`).toString("base64");
    assert.deepEqual(fields, [
      "PLAIN",
      "service=smtp",
      "secured",
      "nologin",
      "rip=192.0.2.1",
      `resp=${response}`,
    ]);
    return id;
  }
}

test("a log-in is one request, its answer one name or none, whatever the order of answers", async (t) => {
  const { passwords, next } = await startServer(t);
  const coming = next();
  const alice = passwords.check(login("Alice"));
  const bob = passwords.check(login("bob"));
  const wire = await coming;
  assert.match((await wire.until("\n")) ?? "", /^VERSION\t1\t1\n$/);
  assert.equal(await wire.until("\n"), `CPID\t${1 + Math.floor(0.5 * 0x7ffffffe)}\n`);
  const ids = [await request(wire, "Alice"), await request(wire, "bob")];
  wire.send(`FAIL\t${ids[1]}\tuser=bob\n`);
  wire.send(`OK\t${ids[0]}\tuser=al`);
  wire.send("ice\tpass=x\n");
  assert.equal(await alice, "alice", "the name as Dovecot has it");
  assert.equal(await bob, undefined);
  const again = passwords.check(login("carol"));
  wire.send(`OK\t${await request(wire, "carol")}\n`);
  assert.equal(await again, "carol");
});

const unclear: [what: string, answer: string, cause: RegExp][] = [
  ["a failure of Dovecot's own", "FAIL\tID\ttemp\n", /cannot say just now/],
  ["a further step", "CONT\tID\tYQ==\n", /more than PLAIN/],
  ["another version", "VERSION\t2\t0\n", /version 2/],
  ["a line without an end", "x".repeat(100_000), /too long/],
];
for (const [what, answer, cause] of unclear) {
  test(`${what} is no answer`, async (t) => {
    const { passwords, next } = await startServer(t);
    const coming = next();
    const asked = passwords.check(login("alice"));
    const wire = await coming;
    wire.send(answer.replace("ID", await request(wire, "alice")));
    await assert.rejects(
      asked,
      (error: unknown) => error instanceof LogInUnavailable && cause.test(error.message),
    );
  });
}

test("answers to what nobody asked, and lines that nobody knows, are passed over", async (t) => {
  const { passwords, next } = await startServer(t);
  const coming = next();
  const asked = passwords.check(login("alice"));
  const wire = await coming;
  const id = await request(wire, "alice");
  wire.send(`OK\t99\tuser=mallory\nFAIL\tx\nNEW\t1\n\nOK\t\tuser=mallory\nOK\t${id}\tuser=alice\n`);
  assert.equal(await asked, "alice");
});

test("a lost connection is made anew, and who waited hears that it cannot be known now", async (t) => {
  const { passwords, next } = await startServer(t);
  let coming = next();
  const lost = passwords.check(login("alice"));
  const first = await coming;
  await request(first, "alice");
  coming = next();
  first.socket.destroy();
  await assert.rejects(lost, LogInUnavailable);
  const asked = passwords.check(login("alice"));
  const second = await coming;
  second.send(`OK\t${await request(second, "alice")}\tuser=alice\n`);
  assert.equal(await asked, "alice");
});

test("a Dovecot that says nothing is waited for 30 s, and one that is not there not at all", async (t) => {
  const { passwords, next, clock } = await startServer(t, "VERSION\t1\t2\n");
  const coming = next();
  const asked = passwords.check(login("alice"));
  await coming;
  clock.advance(30_000);
  await assert.rejects(asked, /no answer/);
  assert.equal(clock.timers, 0);
  const nobody = createDovecotPasswords({ path: "/nowhere/auth-client", clock, random: () => 0 });
  await assert.rejects(nobody.check(login("alice")), /Dovecot: ENOENT/);
  assert.equal(clock.timers, 0);
});

test("without PLAIN there is nothing to ask", async (t) => {
  const { passwords } = await startServer(t, "VERSION\t1\t2\nMECH\tCRAM-MD5\nDONE\n");
  await assert.rejects(passwords.check(login("alice")), /auth_mechanisms lack plain/);
});

test("so many wait and no more; a huge password is wrong and never sent; after the end nobody is asked", async (t) => {
  const { passwords, next, clock } = await startServer(t, "VERSION\t1\t2\n");
  const coming = next();
  const all = Array.from({ length: 101 }, (_, index) => passwords.check(login(`user${index}`)));
  const settled = Promise.allSettled(all);
  await assert.rejects(all[100] ?? Promise.resolve(), /too many/);
  assert.equal(await passwords.check(login("alice", "x".repeat(5000))), undefined);
  await coming;
  passwords.close();
  assert.equal((await settled).filter(({ status }) => status === "rejected").length, 101);
  assert.equal(clock.timers, 0);
  await assert.rejects(passwords.check(login("alice")), /service ends/);
});

test("what Dovecot escapes comes out as it was", () => {
  assert.deepEqual(parseAnswer("OK\t1\tuser=a\x01tb\x011c\x01nd"), {
    kind: "ok",
    id: 1,
    user: "a\tb\x01c\nd",
  });
});
