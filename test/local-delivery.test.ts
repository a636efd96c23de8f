// Maildirs on real disks: full, forbidden, and under a process that dies. What is acknowledged is there, and what is
// there is whole. Each case with an injected error instead: packages/forwarder/src/maildir.test.ts.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { memoryContent } from "@homing/mail";
import type { Delivery } from "../packages/forwarder/src/deliver.ts";
import { deliverLocally } from "../packages/forwarder/src/local-delivery.ts";
import { ownConnections } from "../packages/forwarder/src/testing/own-connections.ts";
import { storiesNeed } from "./harness/availability.ts";
import { run } from "./harness/command.ts";
import { createDkimKey, dkim } from "./harness/dkim.ts";

const MAIN = join(import.meta.dirname, "local-delivery/main.ts");

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** COUNT and OCTETS behind it are for the caller to add. */
function deliveringProcess(base: string): string[] {
  return [process.execPath, MAIN, join(base, "{user}")];
}

function deliveries(lines: readonly string[]): Delivery[] {
  return lines.map((line) => JSON.parse(line) as Delivery);
}

const needsMount = (await storiesNeed()) ?? false;
test("a disk that fills up: 452 4.3.1 from then on, whole messages in new, nothing in tmp", {
  skip: needsMount,
}, async (t) => {
  const base = await temporaryFolder(t);
  // The disk goes with its namespace, so what is on it is listed inside.
  const script =
    'base=$1; shift; mount -t tmpfs -o size=64k tmpfs "$base"; "$@"; find "$base" -type f -printf "%s %P\\n"';
  const inside = ["sh", "-euc", script, "sh", base, ...deliveringProcess(base), "20", "8000"];
  const { code, stdout, stderr } = await run(["unshare", "--mount", "--propagation", "private", ...inside]);
  assert.equal(code, 0, stderr);

  const lines = stdout.toString().trimEnd().split("\n");
  const outcomes = deliveries(lines.filter((line) => line.startsWith("{")));
  const stored = outcomes.filter((outcome) => outcome.kind === "delivered");
  const failures = outcomes.filter((outcome) => outcome.kind === "failed");
  assert.equal(outcomes.length, 20);
  assert.ok(stored.length > 0 && failures.length > 0);
  for (const { code, enhanced, detail } of failures) {
    assert.deepEqual([code, enhanced], [452, "4.3.1"]);
    assert.match(detail, /^ENOSPC: /);
  }
  const size =
    "Return-Path: <bob@source.example>\nDelivered-To: alice@home.example\nSubject: x\n\n\n".length + 8000;
  assert.deepEqual(
    lines.filter((line) => !line.startsWith("{")).sort(),
    stored.map(({ detail }) => `${size} alice/new/${detail}`).sort(),
  );
});

test("a folder without rights: 451 4.3.0, and the log says which", async (t) => {
  const base = await temporaryFolder(t);
  await chmod(base, 0o500);
  // Root may write everywhere, unless it gives that up.
  const giveUp = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
  const { stdout } = await run([...giveUp, ...deliveringProcess(base), "1", "10"]);
  const [failure] = deliveries(stdout.toString().trimEnd().split("\n"));
  assert.ok(failure?.kind === "failed");
  assert.deepEqual([failure.code, failure.enhanced], [451, "4.3.0"]);
  assert.equal(failure.detail, `EACCES: permission denied, mkdir '${base}/alice'`);
});

test("a process that is killed among its deliveries: all acknowledged messages are there, and none is half", async (t) => {
  const base = await temporaryFolder(t);
  const acknowledged: string[] = [];
  for (const enough of [1, 2, 3, 5, 8, 13]) {
    const [program = "", ...args] = [...deliveringProcess(base), "1000000", "200000"];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    let seen = 0;
    for await (const line of createInterface(child.stdout)) {
      acknowledged.push(
        ...deliveries([line]).map(({ kind, detail }) => (kind === "delivered" ? detail : kind)),
      );
      if (++seen === enough) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    assert.equal(child.signalCode, "SIGKILL");
  }

  const names = await readdir(join(base, "alice/new"));
  assert.deepEqual(
    acknowledged.filter((name) => !names.includes(name)),
    [],
  );
  for (const name of names) {
    const stored = await readFile(join(base, "alice/new", name), "latin1");
    assert.ok(stored.startsWith("Return-Path: ") && stored.endsWith(`\n\n${"x".repeat(200_000)}\n`), name);
  }
});

test("four processes that deliver 100 messages into one mailbox: all of them are there", async (t) => {
  const base = await temporaryFolder(t);
  const processes = Array.from({ length: 4 }, () => run([...deliveringProcess(base), "25", "100"]));
  const lines = (await Promise.all(processes)).flatMap(({ stdout }) =>
    stdout.toString().trimEnd().split("\n"),
  );
  const names = deliveries(lines).map(({ kind, detail }) => (kind === "delivered" ? detail : kind));
  assert.equal(names.length, 100);
  assert.deepEqual((await readdir(join(base, "alice/new"))).sort(), names.sort());
  assert.deepEqual(await readdir(join(base, "alice/tmp")), []);
});

const needsDkim = (await storiesNeed("python3-dkim")) ?? false;
test("a DKIM signature verifies over the message in the maildir, as it lies there and with its CRs put back", {
  skip: needsDkim,
}, async (t) => {
  await using peer = await dkim();
  const base = await temporaryFolder(t);
  const { signer, dns } = createDkimKey("source.example", "s1");
  const header = "From: bob@source.example\r\nSubject: octets\r\n\r\n";
  const body = "\x80\xff.\r\n.\r\ntext  \t\r\n\r\n \r\nend\r\n\r\n\r\n";
  const message = await peer.sign(Buffer.from(header + body, "latin1"), signer);
  const delivery = await deliverLocally(
    { kind: "maildir", pattern: join(base, "{user}") },
    {
      hostname: "mx.home.example",
      ...ownConnections("mx.home.example"),
      newId: () => "id1",
      now: () => 1_800_000_000,
    },
    {
      reversePath: { localPart: "bob", domain: "source.example" },
      recipient: { localPart: "alice", domain: "home.example" },
      eightBit: true,
      smtpUtf8: false,
    },
    memoryContent(message),
  );
  assert.ok(delivery.kind === "delivered");
  const stored = await readFile(join(base, "alice/new", delivery.detail), "latin1");
  assert.ok(!stored.includes("\r"));
  const whole = stored.replaceAll("\n", "\r\n");
  assert.ok(whole.endsWith(message.toString("latin1")));
  assert.equal(await peer.verify(Buffer.from(whole, "latin1"), { dns }), true);
  assert.equal(await peer.verify(Buffer.from(stored, "latin1"), { dns }), true);
  assert.equal(await peer.verify(Buffer.from(whole.replace("octets", "0ctets"), "latin1"), { dns }), false);
});
