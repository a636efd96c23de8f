// Fills a small disk through the spool, makes room again, and says as one JSON line what it saw.
//   node full-disk.ts FOLDER MIN-FREE-OCTETS     FOLDER/filler is what can be removed to make room
import { rmSync } from "node:fs";
import { join } from "node:path";
import { memoryContent } from "@homing/mail";
import { openSpool } from "../../packages/forwarder/src/spool/open-spool.ts";
import type { Lease } from "../../packages/forwarder/src/spool/spool.ts";
import { message, recipient, T0 } from "../../packages/forwarder/src/spool/testing/messages.ts";

const [folder = "", minFreeOctets = ""] = process.argv.slice(2);
const options = { folder, minFreeOctets: Number(minFreeOctets) };
const body = Buffer.alloc(100_000, "text ");
const MANY = 1000;

const spool = await openSpool(options);
const stored = new Set<string>();
const leases: Lease[] = [];
let last = 0;

async function put(): Promise<string> {
  const id = `m${++last}`;
  const recipients = [recipient("a@home.example", { leasedUntil: T0 + 3600 })];
  const outcome = await spool.put(message(id, { content: memoryContent(body), recipients }));
  if (outcome.kind !== "stored") return `${outcome.kind}: ${outcome.cause}`;
  stored.add(id);
  leases.push(...outcome.leases.filter((lease) => lease !== undefined));
  return "stored";
}

async function remove(): Promise<boolean> {
  const lease = leases.pop();
  if (!lease || !(await spool.done(lease))) return false;
  return stored.delete(lease.messageId);
}

let refusal = "stored";
while (refusal === "stored" && last < MANY) refusal = await put();
const storedWhenFull = stored.size;
// While the disk is full, too: at the latest when there is room.
const removing = Promise.all(Array.from({ length: 5 }, remove));
const removedWhileFull = await Promise.race([
  removing,
  new Promise<undefined>((resolve) => setTimeout(resolve, 500, undefined)),
]);

rmSync(join(folder, "filler"));
const start = performance.now();
while ((await put()) !== "stored" && performance.now() - start < 60_000)
  await new Promise((resolve) => setTimeout(resolve, 100));
const seconds = (performance.now() - start) / 1000;
const removed = (await removing).filter(Boolean).length;
await spool.close();

const again = await openSpool(options);
const here = new Set((await again.list({ limit: 2 * MANY })).map(({ id }) => id));
await again.close();
const lost = [...stored].filter((id) => !here.has(id)).length;
const saw = {
  refusal,
  storedWhenFull,
  removedWhileFull: removedWhileFull !== undefined,
  removed,
  seconds,
  lost,
};
process.stdout.write(`${JSON.stringify({ ...saw, tooMany: here.size - stored.size })}\n`);
