import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseConfig } from "../config/load-config.ts";
import { openServiceState } from "./service-state.ts";

const NOW = 1_700_000_000;

test("how many senders are kept, and for one network, the configuration says", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "homing.yaml");
  const config = parseConfig(
    `hostname: mx.ours.test
domains: [ours.test]
aliasesFile: aliases
srs: { domain: ours.test, secretsFile: secrets, keptSenders: 1000, keptSendersPerNetwork: 100 }
stateDirectory: state
`,
    path,
  );
  const alarms: unknown[] = [];
  const state = await openServiceState(config, path, { manyKeptSenders: (alarm) => alarms.push(alarm) });
  assert.ok(state);
  try {
    const { keptSenders } = state;
    const keep = (client: string | undefined, times: number): number => {
      let kept = 0;
      for (let nth = 0; nth < times; nth++) {
        const sender = { localPart: `${client}-${nth}`, domain: "bulk.test" };
        const work = (): boolean => keptSenders.store.keep(sender.localPart, sender);
        if (keptSenders.onBehalfOf(client, NOW, work) === true) kept++;
      }
      return kept;
    };
    assert.deepEqual([keep("192.0.2.1", 600), keep("198.51.100.1", 200)], [500, 100]);
    assert.deepEqual(alarms, []);
    assert.equal(keep(undefined, 500), 400);
    assert.deepEqual(alarms, [{ kept: 900, room: 1000 }]);
    assert.equal(await keptSenders.durable(), true);
  } finally {
    await state.close();
  }
});
