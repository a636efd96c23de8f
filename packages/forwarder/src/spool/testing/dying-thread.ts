// The writer thread with a button: it dies at once when somebody asks for the message "die". Called by writer.test.ts.
import { parentPort } from "node:worker_threads";
import type { ToThread } from "../operations.ts";

// Before the thread's own listener, which would do the batch first.
parentPort?.on("message", (message: ToThread) => {
  if (message !== "close" && message.operations.some((one) => one.kind === "show" && one.id === "die"))
    process.exit(1);
});
await import("../writer-thread.ts");
