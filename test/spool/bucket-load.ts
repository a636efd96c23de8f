// A program under load for test/bucket-crash.test.ts: failures of a few keys, as DSNs or folded, and notices as soon as
// something is folded. It says a line for each failure once that is stored. It ends when it is killed.
//   node bucket-load.ts FOLDER PREFIX
import { setTimeout as wait } from "node:timers/promises";
import { memoryContent } from "@homing/mail";
import { createBuckets } from "../../packages/forwarder/src/spool/buckets.ts";
import { openSpool } from "../../packages/forwarder/src/spool/open-spool.ts";
import { message } from "../../packages/forwarder/src/spool/testing/messages.ts";
import { BUCKETS, noticeText } from "./bucket-account.ts";
import { say } from "./say.ts";

const [folder = "", prefix = ""] = process.argv.slice(2);
const CALLERS = 20;
const KEYS = 10;
const now = (): number => Math.floor(Date.now() / 1000);
const spool = await openSpool({ folder, minFreeOctets: 0 });
const buckets = createBuckets(spool.notes, BUCKETS);
let last = 0;

async function caller(): Promise<never> {
  for (;;) {
    const id = `${prefix}${++last}`;
    const failure = { key: `k${last % KEYS}`, about: "", messageId: id };
    const stored = await buckets.spend(failure, now(), async (decision, notes) =>
      decision === "fold"
        ? spool.notes.change(notes)
        : (await spool.put(message(id), { notes })).kind === "stored",
    );
    if (stored === true) say(`stored ${id}`);
    else await wait(1);
  }
}

async function teller(): Promise<never> {
  for (let nth = 0; ; ) {
    await buckets.tellDue(now(), async ({ messageIds }, notes) => {
      const content = memoryContent(Buffer.from(noticeText(messageIds)));
      const put = await spool.put(message(`notice-${prefix}${++nth}`, { content }), { notes, waits: true });
      return put.kind === "stored";
    });
    await wait(5);
  }
}

await Promise.all([teller(), ...Array.from({ length: CALLERS }, caller)]);
