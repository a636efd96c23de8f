// A program under load for the stories of spool-crash.test.ts: puts, settles and claims as fast as the disk lets it, and
// says a line for everything that it was told is done, after it was told. It ends when it is killed, or after SECONDS.
//   node load.ts FOLDER PREFIX CALLERS SECONDS [LARGE]     LARGE: every hundredth message has several chunks
import { createHash } from "node:crypto";
import { memoryContent } from "@homing/mail";
import { openSpool } from "../../packages/forwarder/src/spool/open-spool.ts";
import type { Lease } from "../../packages/forwarder/src/spool/spool.ts";
import { message, recipient } from "../../packages/forwarder/src/spool/testing/messages.ts";
import { say } from "./say.ts";

const [folder = "", prefix = "", callers = "1", seconds = "1", large = ""] = process.argv.slice(2);
const NOW = Math.floor(Date.now() / 1000);
const end = Date.now() + 1000 * Number(seconds);
const spool = await openSpool({ folder, minFreeOctets: 0 });
let last = 0;

/** Named by its hash, so that whoever reads it later knows whether it is whole. */
function newMessage(at: number) {
  const octets = large !== "" && at % 100 === 0 ? 700_000 : 100 + ((at * 7919) % 6000);
  const body = Buffer.alloc(octets, `${prefix}${at} text of no meaning\r\n`);
  const id = `${prefix}${at}-${createHash("sha256").update(body).digest("hex").slice(0, 32)}`;
  const recipients = [recipient(`a@home${at % 7}.example`, { due: NOW, leasedUntil: NOW + 3600 })];
  return message(id, { content: memoryContent(body), recipients });
}

async function settle(lease: Lease, at: number): Promise<void> {
  const { messageId } = lease;
  if (at % 3 === 0) {
    say(`finishing ${messageId}`);
    if (await spool.done(lease)) say(`finished ${messageId}`);
  } else if (at % 3 === 1) {
    // With its DSN, in one transaction: one of the two is there at any time.
    const dsn = newMessage(++last);
    say(`failing ${messageId} ${dsn.id}`);
    const recipients = dsn.recipients.map(({ leasedUntil: _, ...rest }) => rest);
    if (await spool.fail(lease, { ...dsn, recipients })) say(`failed ${messageId} ${dsn.id}`);
  } else await spool.retry(lease, { due: NOW + 3600, code: 451, enhanced: "4.0.0", detail: "later" });
}

async function caller(): Promise<void> {
  while (Date.now() < end) {
    const at = ++last;
    const one = newMessage(at);
    const outcome = await spool.put(one);
    if (outcome.kind !== "stored") {
      say(`not-stored ${one.id} ${outcome.kind} ${outcome.cause}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    say(`stored ${one.id}`);
    const [lease] = outcome.leases;
    if (lease && at % 2 === 0) await settle(lease, at / 2);
    if (at % 500 === 0) for (const job of await claimSome()) await settle(job.lease, at);
  }
}

function claimSome() {
  return spool.claim({ now: NOW, leaseUntil: NOW + 3600, limit: 5 });
}

say("open");
const working = Promise.all(Array.from({ length: Number(callers) }, caller));
// Where the disk is broken, some wait for it until the spool is closed.
await Promise.race([working, new Promise((resolve) => setTimeout(resolve, 1000 * Number(seconds) + 500))]);
await spool.close();
await working;
say("closed");
