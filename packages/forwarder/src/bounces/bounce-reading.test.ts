import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type BounceReport, isFieldOfInterest, readBounce, reissue } from "@homing/bounce-handler";
import { type Content, memoryContent } from "@homing/mail";
import { WorkRefused } from "../threads/work-refused.ts";
import { type BounceReadingOptions, readHere, startBounceReading } from "./bounce-reading.ts";

const SAMPLES = join(import.meta.dirname, "../../../bounce-handler/testdata/dsn");
const samples = globSync("*.eml", { cwd: SAMPLES }).map((name) => readFileSync(join(SAMPLES, name)));
const POSTFIX = readFileSync(join(SAMPLES, "postfix-rcpt550.eml"));

function started(t: TestContext, options: Partial<BounceReadingOptions> = {}) {
  const lost: string[] = [];
  const reading = startBounceReading({ lost: (message) => lost.push(message), ...options });
  t.after(() => reading.close());
  return { ...reading, lost };
}

/** With a thread that ends or hangs over bounces that say so. */
function fragile(t: TestContext, options: Partial<BounceReadingOptions> = {}) {
  return started(t, { code: new URL("./testing/fragile-thread.ts", import.meta.url), ...options });
}

function marked(field: string): Content {
  return memoryContent(Buffer.concat([Buffer.from(`${field}\r\n`), POSTFIX]));
}

/** As it comes out of the thread. */
function travelled(report: BounceReport): unknown {
  const returned = report.returned?.filter(({ name }) => isFieldOfInterest(name));
  return JSON.parse(JSON.stringify({ ...report, returned }));
}

function isLost(error: unknown): boolean {
  return error instanceof WorkRefused && error.reason === "lost";
}

test("a thread reads each bounce as it is read here, whichever others it has", async (t) => {
  assert.ok(samples.length > 50);
  const { read } = started(t);
  const reports = await Promise.all(samples.map((octets) => read(memoryContent(octets))));
  for (const [at, octets] of samples.entries()) assert.deepEqual(reports[at], travelled(readBounce(octets)));
});

test("what does not come out of the thread, no DSN of ours is made of", async (t) => {
  const { read } = started(t);
  const to = { localPart: "bob", domain: "source.example" };
  const alias = { localPart: "alice", domain: "forwarder.example" };
  for (const octets of samples) {
    const dsns = [await read(memoryContent(octets)), readBounce(octets)].map((report) =>
      reissue({
        ...{ report, to, alias },
        hostname: "mx.forwarder.example",
        id: "x1",
        now: 1,
        diagnostic: "redacted",
      }),
    );
    assert.deepEqual(dsns[0], dsns[1]);
  }
});

/** Of a size that no memory is asked for: its text is made when it is read. */
function large(octets: number): Content {
  const at = POSTFIX.indexOf("\n", POSTFIX.indexOf("Content-Description: Notification")) + 1;
  const line = Buffer.from(`${"text of no meaning ".repeat(4)}\n`);
  const piece = Buffer.concat(Array.from({ length: 4000 }, () => line));
  const count = Math.ceil(octets / piece.length);
  const start = POSTFIX.subarray(0, at);
  return {
    ...{ octets: POSTFIX.length + count * piece.length, start, hold() {}, release() {} },
    async *pieces() {
      // The text ends with the part's own, behind 100 MB that nobody keeps.
      yield Buffer.concat([start, Buffer.from("Content-Type: text/plain\n\n")]);
      for (let nth = 0; nth < count; nth++) yield piece;
      yield POSTFIX.subarray(at);
    },
  };
}

test("a bounce of 100 MB is read to its end, never in memory as a whole, and others are read meanwhile", async (t) => {
  const { read } = started(t);
  const here = await readHere.read(large(1_000_000));
  await read(large(1_000_000));
  const before = process.memoryUsage().rss;
  let most = 0;
  let isOver = false;
  const reading = read(large(100_000_000)).finally(() => {
    isOver = true;
  });
  let meanwhile = 0;
  while (!isOver) {
    await read(memoryContent(POSTFIX));
    meanwhile++;
    most = Math.max(most, process.memoryUsage().rss);
  }
  const { recipients, truncated } = await reading;
  assert.deepEqual([recipients[0]?.effectiveStatus, truncated], [here.recipients[0]?.effectiveStatus, true]);
  assert.ok(recipients[0]?.effectiveStatus);
  const grownMB = (most - before) / 1e6;
  t.diagnostic(`${meanwhile} others meanwhile; memory grew by ${grownMB.toFixed(0)} MB`);
  assert.ok(meanwhile > 10, `${meanwhile}`);
  assert.ok(grownMB < 60, `${grownMB} MB`);
});

test("a bounce that ends its reader is not read again, and another thread reads the next", async (t) => {
  const { read, lost } = fragile(t);
  await Promise.all([
    assert.rejects(read(marked("X-Deadly: 1")), isLost),
    assert.rejects(read(memoryContent(POSTFIX)), isLost, "one that the same thread had"),
  ]);
  assert.equal((await read(memoryContent(POSTFIX))).kind, "dsn");
  assert.deepEqual(lost, ["the thread that reads bounces is gone: it ended"], "told once");
  await assert.rejects(read(marked("X-Deadly: 1")), isLost);
  assert.equal(lost.length, 2);
});

test("a reader that says nothing any more is ended", async (t) => {
  const { read, lost } = fragile(t, { silenceMs: 1500 });
  await assert.rejects(read(marked("X-Endless: 1")), isLost);
  assert.equal((await read(memoryContent(POSTFIX))).kind, "dsn");
  assert.deepEqual(lost, ["the thread that reads bounces is gone: it said nothing any more"]);
});

test("after the end nothing is read, and nothing is lost", async (t) => {
  const { read, close, lost } = started(t);
  const under = read(memoryContent(POSTFIX));
  await Promise.all([assert.rejects(under, WorkRefused), close()]);
  await assert.rejects(read(memoryContent(POSTFIX)), WorkRefused);
  assert.deepEqual(lost, []);
});
