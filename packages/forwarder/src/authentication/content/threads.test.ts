import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import process from "node:process";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Content, memoryContent, withFields } from "@homing/mail";
import type { DnsAnswer } from "@homing/spf";
import { WorkRefused } from "../../threads/work-refused.ts";
import { type ContentCheckOptions, createContentChecks } from "./content-checks.ts";
import { signed, tableDns, testKey } from "./testing/signed-mail.ts";

const NOW = 1_800_000_000;
const NO_SPF = { result: "none", domain: "" } as const;
const RSA = testKey("rsa", "a.example");
const HEADER = "From: Ann <ann@a.example>\r\n\r\n";
const MAIL = memoryContent(Buffer.from(`${HEADER}hello\r\n`));
const RECORDS = Object.fromEntries([RSA.dns]);

function started(t: TestContext, options: Partial<ContentCheckOptions> = {}) {
  const checks = createContentChecks({
    ...{ dns: tableDns(RECORDS), now: () => NOW, authservId: "mx.ours.example", threads: 1 },
    ...options,
  });
  t.after(() => checks.close());
  return checks;
}

function refused(reason: WorkRefused["reason"], words: RegExp) {
  return (error: unknown) =>
    error instanceof WorkRefused && error.reason === reason && words.test(error.message);
}

test("those that wait are done when there is room", async (t) => {
  const checks = started(t);
  const all = await Promise.all(Array.from({ length: 200 }, () => checks.check(MAIL, NO_SPF)));
  assert.ok(all.every(({ headerFrom }) => headerFrom.kind === "domain"));
});

test("at the end of the service, what is under way is refused, and what comes then", async (t) => {
  const checks = started(t);
  const under = checks.check(MAIL, NO_SPF);
  await Promise.all([assert.rejects(under, refused("closed", /the service ends/)), checks.close()]);
  await assert.rejects(checks.check(MAIL, NO_SPF), refused("closed", /the service ends/));
});

test("a content that cannot be read to its end rejects with its own error", async (t) => {
  const start = Buffer.from(signed(`${HEADER}x\r\n`, RSA));
  const broken: Content = {
    ...{ octets: 10_000_000, start, hold() {}, release() {} },
    async *pieces() {
      yield start;
      throw new Error("the disk is gone");
    },
  };
  const checks = started(t);
  await assert.rejects(checks.check(broken, NO_SPF), /the disk is gone/);
  assert.equal((await checks.check(MAIL, NO_SPF)).headerFrom.kind, "domain");
});

const LINE = Buffer.from(`${"x".repeat(70)} y\r\n`);
const PIECE = Buffer.concat(Array.from({ length: 900 }, () => LINE));

/** Of a size that no memory is asked for: its pieces are made when they are read. */
function large(octets: number, piece = PIECE): Content {
  const count = Math.ceil(octets / piece.length);
  const hash = createHash("sha256");
  for (let at = 0; at < count; at++) hash.update(piece);
  const start = Buffer.from(signed(HEADER, RSA, { bodyHash: hash.digest("base64") }));
  return {
    ...{ octets: start.length + count * piece.length, start, hold() {}, release() {} },
    async *pieces() {
      yield start;
      for (let at = 0; at < count; at++) yield piece;
    },
  };
}

test("a message of 100 MB is read to its end, and never in memory as a whole", async (t) => {
  const checks = started(t);
  await checks.check(large(1_000_000), NO_SPF);
  const content = large(100_000_000);
  const before = process.memoryUsage().rss;
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 10);
  const { dkim } = await checks.check(content, NO_SPF);
  clearInterval(watch);
  const grownMB = (most - before) / 1e6;
  t.diagnostic(`memory grew by ${grownMB.toFixed(0)} MB`);
  assert.equal(dkim[0]?.result, "pass");
  assert.ok(grownMB < 80, `${grownMB} MB`);
});

const NO_CHAIN = { result: "none", seals: [], instance: 0 } as const;

test("a message that is not in memory is sealed, and the seal passes", async (t) => {
  const checks = started(t, { sealKey: RSA });
  const content = large(5_000_000);
  const sealing = await checks.seal?.(content, { arc: NO_CHAIN, results: "spf=none" });
  assert.ok(sealing?.kind === "sealed");
  const { arc, dkim } = await checks.check(withFields(content, [sealing.fields]), NO_SPF);
  assert.deepEqual([arc.result, arc.seals[0]?.found], ["pass", "mx.ours.example; spf=none"]);
  assert.equal(dkim[0]?.result, "pass");
});

test("a seal that cannot be made rejects", async (t) => {
  const checks = started(t, { sealKey: { ...RSA, privateKey: "no key" } });
  const seal = checks.seal?.(MAIL, { arc: NO_CHAIN, results: "spf=none" });
  await assert.rejects(seal ?? Promise.resolve(), refused("failed", /ARC: /));
  const withoutFrom = memoryContent(Buffer.from("To: <a@a.example>\r\n\r\nx\r\n"));
  const good = started(t, { sealKey: RSA });
  const other = good.seal?.(withoutFrom, { arc: NO_CHAIN, results: "spf=none" });
  await assert.rejects(other ?? Promise.resolve(), refused("failed", /ARC: .*From/));
});

test("a message with a line that is too long is not sealed, and without a key nothing is", async (t) => {
  const { seal } = started(t, { sealKey: RSA });
  const content = large(2_000_000, Buffer.alloc(65_536, "x"));
  const sealing = await seal?.(content, { arc: NO_CHAIN, results: "spf=none" });
  assert.deepEqual(sealing, { kind: "not-sealed", cause: "too-long" });
  assert.equal(started(t).seal, undefined);
});

test("a body of one line is not read to its end", async (t) => {
  const checks = started(t);
  const { dkim } = await checks.check(large(100_000_000, Buffer.alloc(65_536, "x")), NO_SPF);
  assert.deepEqual([dkim[0]?.result, dkim[0]?.reason], ["policy", "a line of the body is too long"]);
});

test("of a message that nobody signed, the body is not read", async (t) => {
  const start = Buffer.from(HEADER);
  const content: Content = {
    ...{ octets: 100_000_000, start, hold() {}, release() {} },
    pieces: () => assert.fail("the body was read"),
  };
  assert.equal((await started(t).check(content, NO_SPF)).headerFrom.kind, "domain");
});

test("a message may have no more look-ups than any honest one needs", async (t) => {
  let asked = 0;
  const txt = async (): Promise<DnsAnswer<string>> => {
    asked++;
    return { kind: "no-such-name" };
  };
  const from = Array.from({ length: 50 }, (_, at) => `a@${"x.".repeat(20)}d${at}.example`).join(", ");
  const { headerFrom } = await started(t, { dns: { txt } }).check(
    memoryContent(Buffer.from(`From: ${from}\r\n\r\n`)),
    NO_SPF,
  );
  assert.equal(headerFrom.kind, "several");
  assert.ok(asked <= 4 * 8, `${asked}`);
});

test("DNS that rejects is DNS that does not answer", async (t) => {
  const txt = () => Promise.reject(new Error("a bug of the resolver"));
  const { dmarc } = await started(t, { dns: { txt } }).check(MAIL, NO_SPF);
  assert.equal(dmarc.result, "temperror");
});

test("the service's own thread checks nothing, and threads do not keep it from ending", async (t) => {
  const script = fileURLToPath(import.meta.resolve("./testing/many-checks.ts"));
  const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 30_000 });
  const { p99, ...found } = JSON.parse(stdout) as { p99: number };
  t.diagnostic(`event loop delay, 50 checks at a time: p99 ${p99.toFixed(1)} ms`);
  assert.deepEqual(found, { passed: 1_001, isLoaded: false });
});
