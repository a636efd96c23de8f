// What together-load.ts posted against what the spool has: the messages and the note of a key, or nothing of it. Called by
// spool-crash.test.ts.
import assert from "node:assert/strict";
import type { Note, NoteChanges } from "../../packages/forwarder/src/spool/notes.ts";
import { type OpenSpool, openSpool } from "../../packages/forwarder/src/spool/open-spool.ts";
import { message } from "../../packages/forwarder/src/spool/testing/messages.ts";

const NOW = 1_800_000_000;
const SORT = "key";

/** As somebody who comes again with the same key. */
export function keyNote(key: string): NoteChanges {
  const name = { of: SORT, key };
  const note: Note = { ...name, value: "", expires: NOW + 86_400 };
  return { now: NOW, write: [note], remove: [], absent: [name] };
}

export function messagesOf(key: string, nth: number): readonly string[] {
  return Array.from({ length: (nth % 4) + 1 }, (_, at) => `${key}-${at}`);
}

export interface Compared {
  /** Whose poster heard that they are stored. */
  readonly acknowledged: number;
  /** Who heard nothing, and whose post is there. */
  readonly unheard: number;
}

/** Compares, comes again with every key, and compares again. */
export async function compare(folder: string, output: string): Promise<Compared> {
  const posts = new Map<string, { readonly count: number; readonly acknowledged: boolean }>();
  // The last line may be cut off.
  for (const line of output.split("\n").slice(0, -1)) {
    const [word, key = "", count = ""] = line.split(" ");
    assert.ok(word === "posting" || word === "stored", line);
    posts.set(key, { count: Number(count), acknowledged: word === "stored" });
  }
  const spool = await openSpool({ folder, minFreeOctets: 0 });
  try {
    let [acknowledgedCount, unheard] = [0, 0];
    const before = await counts(spool);
    const missing: string[] = [];
    for (const [key, { count, acknowledged }] of posts) {
      const found = before.get(key) ?? 0;
      const note = await spool.notes.find(SORT, key, NOW);
      assert.equal(note !== undefined, found > 0, `${key}: ${found} messages, and its note`);
      assert.ok(found === 0 || found === count, `${key}: ${found} of ${count} messages`);
      if (acknowledged) assert.equal(found, count, `${key} was acknowledged, and is lost`);
      if (found === 0) missing.push(key);
      if (acknowledged) acknowledgedCount++;
      else if (found > 0) unheard++;
    }
    for (const [key, { count }] of posts) {
      const again = Array.from({ length: count }, (_, at) => message(`${key}-again-${at}`));
      const { kind } = await spool.putAll(again, keyNote(key));
      assert.equal(kind, missing.includes(key) ? "stored" : "conflict", key);
    }
    const after = await counts(spool);
    for (const [key, { count }] of posts) assert.equal(after.get(key), count, `${key}: once, and whole`);
    return { acknowledged: acknowledgedCount, unheard };
  } finally {
    await spool.close();
  }
}

/** Messages by key. */
async function counts(spool: OpenSpool): Promise<ReadonlyMap<string, number>> {
  const byKey = new Map<string, number>();
  for (let after = 0; ; ) {
    const page = await spool.list({ limit: 500, after });
    for (const { id } of page) {
      const key = id.split("-").slice(0, 2).join("-");
      byKey.set(key, (byKey.get(key) ?? 0) + 1);
    }
    const last = page.at(-1);
    if (!last) return byKey;
    after = last.position;
  }
}
