// A program under load for spool-crash.test.ts: posts of one to four messages under a key, each with a note that must be absent, as
// fast as the disk lets it. It says a line before each post, and one when it was told what became of it. It ends when it is killed.
//   node together-load.ts FOLDER PREFIX
import { memoryContent } from "@homing/mail";
import { openSpool } from "../../packages/forwarder/src/spool/open-spool.ts";
import { message } from "../../packages/forwarder/src/spool/testing/messages.ts";
import { say } from "./say.ts";
import { keyNote, messagesOf } from "./together-account.ts";

const [folder = "", prefix = ""] = process.argv.slice(2);
const CALLERS = 30;
const LARGE = 300_000;
const spool = await openSpool({ folder, minFreeOctets: 0 });
let last = 0;

async function caller(): Promise<never> {
  for (;;) {
    const nth = ++last;
    const key = `${prefix}-${nth}`;
    const content = memoryContent(Buffer.alloc(nth % 100 === 0 ? LARGE : 500, `${key}\r\n`));
    const messages = messagesOf(key, nth).map((id) => message(id, { content }));
    say(`posting ${key} ${messages.length}`);
    const { kind } = await spool.putAll(messages, keyNote(key));
    say(`${kind} ${key} ${messages.length}`);
  }
}

await Promise.all(Array.from({ length: CALLERS }, caller));
