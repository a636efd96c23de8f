// Octets of messages in the answers of the writer thread. They change hands: cloned, each message that is read back would lie in
// that thread a second time until the engine looks, 20 MB with 100 KB each. Called by writer-thread.ts.
import type { Answer, Value } from "./operations.ts";

/** What is handed over with the answers. */
export function memoryOf(answers: readonly Answer[]): ArrayBuffer[] {
  return answers
    .flatMap((answer) => (answer.kind === "done" ? octetsIn(answer.value) : []))
    .map(({ buffer }) => buffer);
}

function octetsIn(value: Value): readonly Uint8Array<ArrayBuffer>[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== "object") return [];
  if ("messages" in value) return value.messages.map(({ start }) => start);
  return "start" in value ? [value.start] : [];
}
