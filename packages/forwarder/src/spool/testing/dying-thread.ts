// The writer thread with two buttons: it dies at once when somebody asks for the message "die", and, for "die-later", when the
// batch is done, before it answers. Called by writer.test.ts.
import { parentPort } from "node:worker_threads";
import type { ToThread } from "../operations.ts";

const isAsked = (message: ToThread, id: string): boolean =>
  message !== "close" && message.operations.some((one) => one.kind === "show" && one.id === id);

// Before the thread's own listener, which would do the batch first.
parentPort?.on("message", (message: ToThread) => {
  if (isAsked(message, "die")) process.exit(1);
  if (!isAsked(message, "die-later") || !parentPort) return;
  // What the batch is answered with is never sent.
  parentPort.postMessage = () => process.exit(1);
});
await import("../writer-thread.ts");
