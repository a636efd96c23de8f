// The service and its disk's syncs, as the kernel sees them: the spool's log is synced before each 250, and while syncs fail
// there is none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { storiesNeed } from "../harness/availability.ts";
import { waitFor } from "../harness/wait.ts";
import { connectClient, KEPT, sendOne } from "./harness/client.ts";
import { letter } from "./harness/letters.ts";
import { scale, timeout } from "./harness/scale.ts";
import { startSink } from "./harness/sink.ts";
import { createSite, type Service } from "./harness/site.ts";
import { acknowledgements, strace } from "./harness/strace.ts";

const skip = (await storiesNeed("strace")) ?? false;
const SESSIONS = 5;
const EACH = scale(20, 200);
/** More than the 20 errors that end a connection: what is our own trouble is no error of the client (front/conduct.ts). */
const EACH_BROKEN = 25;
const CALLS = ["-e", "trace=fsync,fdatasync,pwrite64,read,write,writev"];

/** @returns the replies, by their tokens */
async function sendMany(service: Service, prefix: string, each = EACH): Promise<Map<string, string>> {
  const replies = new Map<string, string>();
  const session = async (index: number): Promise<void> => {
    using client = await connectClient(service.port);
    for (let nth = 0; nth < each; nth++) {
      const one = letter(`${prefix}${index}n${nth}`, 100);
      replies.set(one.token, await client.send(one));
    }
  };
  await Promise.all(Array.from({ length: SESSIONS }, (_, index) => session(index)));
  return replies;
}

test("the log of the spool is synced before every 250 of the service", { timeout, skip }, async (t) => {
  await using hop = await startSink();
  await using site = await createSite({ routes: { "home.example": hop.port } });
  const service = await site.start();
  await using tracing = await strace(service.pid, CALLS);
  const replies = await sendMany(service, "s");
  assert.deepEqual(new Set(replies.values()), new Set([KEPT]));
  const lines = await tracing.stop();
  const { seen, early } = acknowledgements(lines);
  assert.deepEqual([...seen].sort(), [...replies.keys()].sort());
  assert.deepEqual(early, []);
  // And the reading of the trace can fail: without its syncs, everything is too early.
  const without = acknowledgements(lines.filter((line) => !line.includes("sync")));
  assert.equal(without.early.length, seen.length);
  t.diagnostic(`${seen.length} acknowledgements in ${lines.length} system calls`);
});

test("syncs that fail: 451 and no 250 from then on; the service goes on, and takes mail again with the disk", {
  timeout,
  skip,
}, async () => {
  await using hop = await startSink();
  await using site = await createSite({ routes: { "home.example": hop.port } });
  const service = await site.start();
  const before = await sendMany(service, "b");
  const broken = await (async () => {
    await using _tracing = await strace(service.pid, [
      ...["-e", "trace=fsync,fdatasync"],
      ...["-e", "inject=fsync,fdatasync:error=EIO"],
    ]);
    return await sendMany(service, "x", EACH_BROKEN);
  })();
  for (const reply of broken.values()) assert.match(reply, /^451 4\.3\.0 /);
  await waitFor(async () => ((await sendOne(service.port, letter("after"))) === KEPT ? true : undefined), {
    seconds: 30,
    otherwise: () => service.stdout(),
  });
  for (const reply of before.values()) assert.equal(reply, KEPT);
  await waitFor(
    () => ([...before.keys(), "after"].every((token) => hop.copies.has(token)) ? true : undefined),
    { seconds: 30, otherwise: () => `${hop.copies.size} messages are at the next hop` },
  );
  assert.equal([...hop.copies.keys()].filter((token) => broken.has(token)).length, 0, "451 is no 250");
  assert.deepEqual(
    service.events().filter(({ event }) => event === "error"),
    [],
  );
});
