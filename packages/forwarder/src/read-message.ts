// Collects the content of one DATA command in memory, within the message's limit and the budget of all clients.
// Called by smtp-in.ts. What does not fit is read to its end and thrown away, so that the client gets its reply.
import type { Readable } from "node:stream";

/** Octets that all messages in memory may have together. */
export interface BufferBudget {
  /** False if they cannot be had. */
  take(octets: number): boolean;
  give(octets: number): void;
}

export function createBufferBudget(octets: number): BufferBudget {
  let left = octets;
  return {
    take(wanted) {
      if (wanted > left) return false;
      left -= wanted;
      return true;
    },
    give(back) {
      left += back;
    },
  };
}

export type ReadMessage =
  /** Its octets stay taken from the budget until the caller gives them back. */
  | { readonly kind: "message"; readonly message: Buffer }
  | { readonly kind: "too-big" }
  | { readonly kind: "no-memory" }
  /** The client went away before the final dot. */
  | { readonly kind: "lost" };

export async function readMessage(
  stream: Readable,
  maxOctets: number,
  budget: BufferBudget,
): Promise<ReadMessage> {
  let chunks: Buffer[] = [];
  let taken = 0;
  let refused: "too-big" | "no-memory" | undefined;
  const letGo = (): void => {
    budget.give(taken);
    chunks = [];
    taken = 0;
  };

  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (refused) continue;
      if (taken + chunk.length > maxOctets) refused = "too-big";
      else if (!budget.take(chunk.length)) refused = "no-memory";
      if (refused) {
        letGo();
        continue;
      }
      taken += chunk.length;
      chunks.push(chunk);
    }
  } catch {
    letGo();
    return { kind: "lost" };
  }
  return refused ? { kind: refused } : { kind: "message", message: Buffer.concat(chunks, taken) };
}
