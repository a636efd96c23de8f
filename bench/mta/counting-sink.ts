// smtp-sink as the next hop of one peer, for as long as the peer runs: a sink that comes and goes makes senders wait.
// Called by main.ts, and read by throughput.ts.
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Account } from "./account.ts";
import { LONGEST_UPDATE, messagesCounted } from "./counters.ts";
import { OwnProcess } from "./own-process.ts";
import { waitForGreeting } from "./peer.ts";
import { postfixTool } from "./postfix-tools.ts";

const MOST_SESSIONS = 1000;
const BACKLOG = 1024;

export interface CountingSink {
  /** Whole messages that have come since it started. */
  count(): number;
  stop(): Promise<void>;
}

/** @param folder its own, existing and empty */
export async function startCountingSink(port: number, folder: string, load: Account): Promise<CountingSink> {
  // A FIFO that is read when somebody asks: a pipe of Node would wake this process for each message.
  const fifo = join(folder, "counters");
  execFileSync("mkfifo", [fifo]);
  const reader = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  const { program, env } = await postfixTool("smtp-sink");
  const sink = new OwnProcess({
    argv: [program, "-u", "nobody", "-c", "-m", `${MOST_SESSIONS}`, `127.0.0.1:${port}`, `${BACKLOG}`],
    account: load,
    folder,
    stdout: fifo,
    env,
  });
  await waitForGreeting(port, sink);
  const part = Buffer.alloc(65_536);
  let printed = "";
  let messages = 0;
  return {
    count() {
      for (let octets = readNow(reader, part); octets > 0; octets = readNow(reader, part)) {
        printed = `${printed}${part.toString("latin1", 0, octets)}`.slice(-2 * LONGEST_UPDATE);
      }
      messages = messagesCounted(printed) ?? messages;
      return messages;
    },
    async stop() {
      await sink.stop();
      closeSync(reader);
    },
  };
}

/** What is there now, without waiting. */
function readNow(file: number, into: Buffer): number {
  try {
    return readSync(file, into);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
    throw error;
  }
}
