// Messages that a next hop took after their client was told to come again, or went away (DESIGN: delivery by trust). The
// client's next try is answered with what is known, so that nobody gets two copies. Called by the files beside
// this one.
import { createHash } from "node:crypto";
import type { Content } from "@homing/mail";
import { type Mailbox, type ReversePath, renderMailbox, renderReversePath } from "@homing/srs-core";
import type { Delivery } from "../deliver.ts";

/** Which message, of whom, for whom: what a client's second try has in common with its first. */
export type LateKey = string;

/** Keeps keys over a restart. */
export interface LateRecords {
  /** Are there any? Most of the time there is none, and nothing is hashed. */
  readonly any: () => boolean;
  record(key: LateKey): Promise<void>;
  /** True once for each record. */
  consume(key: LateKey): Promise<boolean>;
}

export interface LateSuccesses {
  /** Is there anything to find? */
  any(): boolean;
  /** What became of an earlier try, or becomes of it now: undefined where there was none. */
  find(key: LateKey): Promise<Found | undefined>;
  /** An attempt whose final dot is sent, and whose client was told to come again. */
  watch(key: LateKey, attempt: Promise<Delivery>): void;
  /** A message that is delivered, and whose client went away without an answer. */
  record(key: LateKey): Promise<void>;
}

export type Found =
  | { readonly kind: "delivered" }
  /** It still runs. Whoever waits no longer says so, and the next one who asks may have it. */
  | { readonly kind: "running"; readonly attempt: Promise<Delivery>; readonly leave: () => void };

interface Watched {
  readonly attempt: Promise<Delivery>;
  /** A client waits for it now. */
  joined: boolean;
}

/** @param failed is told that a record could not be kept: a second copy may follow */
export function createLateSuccesses(records: LateRecords, failed: (error: unknown) => void): LateSuccesses {
  /** Equal messages may be under way at the same time. */
  const running = new Map<LateKey, Set<Watched>>();

  return {
    any: () => running.size > 0 || records.any(),

    async find(key) {
      const watched = [...(running.get(key) ?? [])].find(({ joined }) => !joined);
      if (watched) {
        watched.joined = true;
        const leave = (): void => {
          watched.joined = false;
        };
        return { kind: "running", attempt: watched.attempt, leave };
      }
      return (await records.consume(key)) ? { kind: "delivered" } : undefined;
    },

    watch(key, attempt) {
      const watched: Watched = { attempt, joined: false };
      const equal = running.get(key) ?? new Set();
      running.set(key, equal.add(watched));
      const settled = attempt.then(async (delivery) => {
        // Whoever waits for it hears it, and nobody comes again.
        if (delivery.kind === "delivered" && !watched.joined) await records.record(key);
      });
      void settled.catch(failed).finally(() => {
        equal.delete(watched);
        if (equal.size === 0) running.delete(key);
      });
    },

    record: (key) => records.record(key).catch(failed),
  };
}

/** @param network of the client: a second try may come from another machine of its site */
export async function lateKey(
  network: string,
  reversePath: ReversePath,
  target: Mailbox,
  content: Content,
): Promise<LateKey> {
  const hash = createHash("sha256");
  for (const field of [network, renderReversePath(reversePath), renderMailbox(target)]) {
    const octets = Buffer.from(field, "utf8");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(octets.length);
    hash.update(length).update(octets);
  }
  for await (const piece of content.pieces()) hash.update(piece);
  return hash.digest("hex");
}

/** Without a disk: as long as the process runs. */
export function memoryRecords(max: number): LateRecords {
  const keys: LateKey[] = [];
  return {
    any: () => keys.length > 0,
    async record(key) {
      if (keys.push(key) > max) keys.shift();
    },
    async consume(key) {
      const at = keys.indexOf(key);
      if (at >= 0) keys.splice(at, 1);
      return at >= 0;
    },
  };
}
