// The contract of every spool, kept by the one on SQLite.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSpool } from "./open-spool.ts";
import { testSpool } from "./testing/spool-contract.ts";

testSpool(async () => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  return {
    open: () => openSpool({ folder, minFreeOctets: 0 }),
    remove: () => rm(folder, { recursive: true }),
  };
});
