// Messages that a next hop took after their client was told to come again, or went away (DESIGN: delivery by trust). The
// client's next try is answered with what is known, so that nobody gets two copies. Called by the files beside
// this one.
import { createHash } from "node:crypto";
import type { Content } from "@homing/mail";
import { type Mailbox, type ReversePath, renderMailbox, renderReversePath } from "@homing/srs-core";
import type { Outcome } from "../queue/next-step.ts";

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
  /** An attempt that goes on, and nobody waits for it. Settles, and never rejects, when the next try would find it. */
  watch(key: Promise<LateKey>, attempt: Promise<Outcome>): Promise<void>;
  /**
   * A message that is delivered or kept, and whose client does not hear of it. Never rejects.
   * @param isTold a sender who wants to hear of success is told already, or will be
   */
  record(key: Promise<LateKey>, isTold?: boolean): Promise<void>;
}

export type Found =
  | { readonly kind: "delivered"; readonly isTold?: true }
  /** It still runs, and whoever found it waits for it. */
  | { readonly kind: "running"; readonly attempt: Promise<Outcome>; readonly hold: Hold };

/** Of the one who waits for an attempt. */
export interface Hold {
  /** Waits no longer, and heard nothing: the next one who asks may have it, or what became of it. */
  release(): void;
}

interface Watched {
  readonly attempt: Promise<Outcome>;
  holder: Hold | undefined;
  /** It is over, and its next hop has the message. */
  isDelivered: boolean;
}

/** @param failed is told that a record could not be kept: a second copy may follow */
export function createLateSuccesses(records: LateRecords, failed: (error: unknown) => void): LateSuccesses {
  /** Equal messages may be under way at the same time. */
  const running = new Map<LateKey, Set<Watched>>();

  const forget = (key: LateKey, watched: Watched): void => {
    const equal = running.get(key);
    equal?.delete(watched);
    if (equal?.size === 0) running.delete(key);
  };
  const untilOver = async (key: LateKey, watched: Watched): Promise<void> => {
    const outcome = await watched.attempt.finally(() => forget(key, watched));
    watched.isDelivered = outcome.kind === "delivered";
    // Whoever waits for it hears it, and nobody comes again.
    if (watched.isDelivered && !watched.holder) await records.record(key);
  };

  return {
    any: () => running.size > 0 || records.any(),

    async find(key) {
      const watched = [...(running.get(key) ?? [])].find(({ holder }) => !holder);
      if (!watched) {
        if (await records.consume(key)) return { kind: "delivered" };
        return (await records.consume(toldKey(key))) ? { kind: "delivered", isTold: true } : undefined;
      }
      const hold: Hold = {
        release() {
          if (watched.holder !== hold) return;
          watched.holder = undefined;
          if (watched.isDelivered) void records.record(key).catch(failed);
        },
      };
      watched.holder = hold;
      return { kind: "running", attempt: watched.attempt, hold };
    },

    async watch(soon, attempt) {
      const watched: Watched = { attempt, holder: undefined, isDelivered: false };
      try {
        const key = await soon;
        running.set(key, (running.get(key) ?? new Set()).add(watched));
        void untilOver(key, watched).catch(failed);
      } catch (error) {
        failed(error);
      }
    },

    async record(soon, isTold = false) {
      try {
        const key = await soon;
        await records.record(isTold ? toldKey(key) : key);
      } catch (error) {
        failed(error);
      }
    },
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
  content.hold();
  try {
    for await (const piece of content.pieces()) hash.update(piece);
  } finally {
    content.release();
  }
  return hash.digest("hex");
}

function toldKey(key: LateKey): LateKey {
  return `${key} told`;
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
