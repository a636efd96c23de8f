// `homing batch` as a process: a filter that answers at once, in constant memory, and that no line and no reader ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { run } from "./harness/command.ts";
import { homing, plainEnvironment } from "./harness/homing.ts";

const MAIN = resolve(import.meta.dirname, "../packages/cli/bin/homing.js");
const SECRETS = ["a long random secret"];

function request(id: number): string {
  const address = `user${id}@origin.example`;
  const fields = {
    id,
    op: "forge",
    address,
    domain: "forwarder.example",
    secrets: SECRETS,
    now: 1_700_000_000,
  };
  return `${JSON.stringify(fields)}\n`;
}

test("every line has one answer in its turn, whatever is on it, and the run ends with 0", async () => {
  const long = `{"id":3,"address":"${"l".repeat(70_000)}"}\n`;
  const input = `${request(1)}not JSON\n\n${long}{"id":4,"op":"reverse"}\n${request(5).trimEnd()}`;
  const { code, stdout, stderr } = await homing(["batch"], { input });
  assert.equal(code, 0);
  assert.equal(stderr, "");
  const answers = String(stdout)
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { id?: number; ok: boolean; reason?: string });
  assert.deepEqual(
    answers.map(({ id, ok, reason }) => [id, ok, reason]),
    [
      [1, true, undefined],
      [undefined, false, "bad-request"],
      [undefined, false, "bad-request"],
      [4, false, "bad-request"],
      [5, true, undefined],
    ],
  );
});

test("nothing in, nothing out; octets that are no UTF-8 are a bad address", async () => {
  assert.equal(String((await homing(["batch"], { input: "" })).stdout), "");
  const input = Buffer.concat([
    Buffer.from('{"op":"forge","domain":"f.example","secrets":["s"],"address":"'),
    Buffer.from([0xff, 0xfe]),
    Buffer.from('@o.example"}\n'),
  ]);
  assert.match(String((await homing(["batch"], { input })).stdout), /^\{"ok":false,"reason":"bad-address"/);
});

test("a byte order mark at the beginning of the input, or where files were joined, is skipped", async () => {
  const { stdout } = await homing(["batch"], { input: `\ufeff${request(1)}\ufeff${request(2)}` });
  const answers = String(stdout).trimEnd().split("\n");
  assert.deepEqual(
    answers.map((line) => JSON.parse(line) as { id: number; ok: boolean }).map(({ id, ok }) => [id, ok]),
    [
      [1, true],
      [2, true],
    ],
  );
});

test("each request is answered before the next is asked: a filter can keep one process", async () => {
  const child = spawn(process.execPath, [MAIN, "batch"], { env: plainEnvironment() });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  for (const id of [1, 2, 3]) {
    child.stdin.write(request(id));
    const { value } = await answers.next();
    assert.equal((JSON.parse(String(value)) as { id: number }).id, id);
  }
  child.stdin.end();
  assert.deepEqual(await once(child, "close"), [0, null]);
});

test("memory does not grow: 40 MB of heap for 60 MB of requests, then one line of 300 MB", async () => {
  const env = { ...plainEnvironment(), NODE_OPTIONS: "--max-old-space-size=40" };
  const child = spawn(process.execPath, [MAIN, "batch"], { env });
  const thousand = Array.from({ length: 1000 }, (_, id) => request(id)).join("");
  const thousands = Math.ceil(60e6 / thousand.length);
  const megabyte = "x".repeat(1_000_000);
  const input = function* (): Generator<string> {
    for (let n = 0; n < thousands; n++) yield thousand;
    for (let n = 0; n < 300; n++) yield megabyte;
    yield "\n";
  };
  const written = pipeline(Readable.from(input()), child.stdin, { end: false });
  let answers = 0;
  for await (const line of createInterface(child.stdout)) {
    answers++;
    if (!line.includes('"bad-request"')) continue;
    // The last one: it has seen everything, and is still there to be asked.
    assert.match(line, /more than 65536 octets/);
    const status = await readFile(`/proc/${child.pid}/status`, "utf8");
    const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
    assert.ok(peak < 250_000, `${peak} kB at its peak`);
    child.stdin.end();
  }
  await written;
  assert.equal(answers, thousands * 1000 + 1);
});

test("a reader that is slow makes it wait: it reads no further, and no answer is lost", async () => {
  const child = spawn(process.execPath, [MAIN, "batch"], { env: plainEnvironment() });
  const thousand = Array.from({ length: 1000 }, (_, id) => request(id)).join("");
  const thousands = 200;
  let taken = 0;
  const input = function* (): Generator<string> {
    for (; taken < thousands; taken++) yield thousand;
  };
  const written = pipeline(Readable.from(input()), child.stdin);
  let before = -1;
  while (taken === 0 || taken !== before) {
    before = taken;
    await setTimeout(500);
  }
  assert.ok(taken < thousands / 4, `took ${taken} of ${thousands} though nobody reads its answers`);
  let answers = 0;
  for await (const _ of createInterface(child.stdout)) answers++;
  await written;
  assert.equal(answers, thousands * 1000);
});

test("a reader that goes away ends it quietly", async () => {
  const lines = Array.from({ length: 20_000 }, (_, id) => request(id)).join("");
  const script = `"$0" "$1" batch | head -n 1; echo "\${PIPESTATUS[*]}"`;
  const { stdout, stderr } = await run(["/bin/bash", "-c", script, process.execPath, MAIN], {
    input: lines,
    env: plainEnvironment(),
  });
  assert.match(String(stdout), /^\{"id":0,"ok":true,.*\}\n0 0\n$/);
  assert.equal(stderr, "");
});
