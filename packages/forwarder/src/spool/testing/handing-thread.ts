// The writer thread, if it hands over the octets that it answers with: one that clones them dies instead of answering. Called by
// writer.test.ts.
import { parentPort, type Transferable } from "node:worker_threads";
import { memoryOf } from "../answer-memory.ts";
import type { FromThread } from "../operations.ts";

const post = parentPort?.postMessage.bind(parentPort);
if (parentPort && post)
  parentPort.postMessage = (message: FromThread, handed: readonly Transferable[] = []) => {
    const isCloned =
      message.kind === "answers" && memoryOf(message.answers).some((one) => !handed.includes(one));
    if (isCloned) process.exit(1);
    post(message, [...handed]);
  };
await import("../writer-thread.ts");
