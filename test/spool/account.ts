// What load.ts was told against what the spool has: nothing acknowledged may be missing or torn. Called by
// spool-crash.test.ts.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSpool } from "../../packages/forwarder/src/spool/open-spool.ts";
import type { Spool } from "../../packages/forwarder/src/spool/spool.ts";

export interface Account {
  readonly stored: Set<string>;
  /** May be gone. */
  readonly finishing: Set<string>;
  /** Must be gone. */
  readonly finished: Set<string>;
  /** By its message: the DSN that may have taken its place. */
  readonly failing: Map<string, string>;
  /** Puts whose sender was told "no". */
  readonly refused: string[];
}

export function emptyAccount(): Account {
  return { stored: new Set(), finishing: new Set(), finished: new Set(), failing: new Map(), refused: [] };
}

/** Adds the lines of one run; the last one may be cut off. */
export function addLines(account: Account, output: string): void {
  for (const line of output.split("\n").slice(0, -1)) {
    const [word, id = "", dsn = ""] = line.split(" ");
    if (word === "stored") account.stored.add(id);
    else if (word === "finishing") account.finishing.add(id);
    else if (word === "finished") account.finished.add(id);
    else if (word === "failing") account.failing.set(id, dsn);
    else if (word === "failed") {
      account.finished.add(id);
      account.stored.add(dsn);
    } else if (word === "not-stored") account.refused.push(line);
  }
}

/** Opens the spool that was left behind and compares. @returns how many messages were acknowledged and are here */
export async function audit(folder: string, account: Account): Promise<number> {
  const spool = await openSpool({ folder, minFreeOctets: 0 });
  const here = new Set<string>();
  try {
    for await (const id of ids(spool)) {
      here.add(id);
      await assertWhole(spool, id);
    }
  } finally {
    await spool.close();
  }
  const lost = [...account.stored].filter((id) => !here.has(id) && !isExcused(account, id, here));
  assert.deepEqual(lost, [], "acknowledged and lost");
  const back = [...account.finished].filter((id) => here.has(id));
  assert.deepEqual(back, [], "finished, and here again");
  for (const [id, dsn] of account.failing)
    assert.ok(!(here.has(id) && here.has(dsn)), `${id} failed, and is here beside its DSN`);
  const db = new DatabaseSync(join(folder, "spool.db"));
  assert.deepEqual({ ...db.prepare("PRAGMA integrity_check").get() }, { integrity_check: "ok" });
  db.close();
  return [...account.stored].filter((id) => here.has(id)).length;
}

/** It was on its way out when the process ended; a DSN in its place must be here, or on its own way out. */
function isExcused(account: Account, id: string, here: ReadonlySet<string>): boolean {
  if (account.finishing.has(id)) return true;
  const dsn = account.failing.get(id);
  return dsn !== undefined && (here.has(dsn) || isExcused(account, dsn, here));
}

async function* ids(spool: Spool): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const page = await spool.list({ limit: 500, after });
    for (const { id } of page) yield id;
    const last = page.at(-1);
    if (!last) return;
    after = last.position;
  }
}

async function assertWhole(spool: Spool, id: string): Promise<void> {
  const content = await spool.content(id);
  assert.ok(content);
  const hash = createHash("sha256");
  for await (const piece of content.pieces()) hash.update(piece);
  assert.equal(hash.digest("hex").slice(0, 32), id.split("-")[1], `${id} is torn`);
}
