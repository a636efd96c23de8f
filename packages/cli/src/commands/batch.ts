// `homing batch`: JSON Lines in, JSON Lines out, in constant memory. For filters that keep one process, and for files.
import { once } from "node:events";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { createAnswerer, MAX_LINE_OCTETS } from "../batch/answer.ts";
import { createLineSplitter, type Line } from "../batch/line-splitter.ts";
import { EXIT } from "../failure.ts";
import { unixNow } from "../time.ts";

/** One write for many lines: a system call for each would cost more than its answer. */
const WRITE_CHARACTERS = 64 * 1024;

/** Answers until stdin ends. Returns the exit code. */
export async function batch(): Promise<number> {
  if (process.stdin.isTTY) {
    process.stderr.write("homing: type one JSON object a line (docs/cli.md); Ctrl-D ends\n");
  }
  // V8 doubles its young generation each time that as much has survived in it, though little does at any one time: after
  // millions of lines that was 100 MB. What it has after start-up is enough, and as fast.
  setFlagsFromString("--semi-space-growth-factor=1");
  const answerer = createAnswerer(unixNow);
  const splitter = createLineSplitter(MAX_LINE_OCTETS);
  let pending = "";

  const flush = async (): Promise<void> => {
    const text = pending;
    pending = "";
    if (text !== "" && !process.stdout.write(text)) await once(process.stdout, "drain");
  };
  const answerAll = async (lines: Iterable<Line>): Promise<void> => {
    for (const line of lines) {
      const answer = answerer.answer(line);
      if (answer !== undefined) pending += `${answer}\n`;
      if (pending.length >= WRITE_CHARACTERS) await flush();
    }
    // Whoever asks line by line waits for this.
    await flush();
  };

  for await (const chunk of process.stdin) await answerAll(splitter.push(chunk));
  await answerAll(splitter.end());
  return EXIT.ok;
}
