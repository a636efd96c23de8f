// After the last kill: what is left in the state directory is told. Called by test/bounce-crash.test.ts.
import assert from "node:assert/strict";
import { failuresAfter, type KeptFailure, openState } from "@homing/forwarder";
import { inProcessForwarder, NOW } from "../../harness/in-process.ts";
import { waitFor } from "../../harness/wait.ts";
import { untilQueueIsEmpty } from "./left-behind.ts";
import { PATIENCE_SECONDS } from "./scale.ts";
import type { Sink } from "./sink.ts";
import type { Site } from "./site.ts";

/**
 * What is queued, by one more process; what is folded, by one whose clock is months ahead.
 * @param home the server of all senders
 * @returns the event log of failures, but what notices add to it
 */
export async function tellAll({ start, stateFolder }: Site, home: Sink): Promise<readonly KeptFailure[]> {
  home.behave({});
  const service = await start();
  await untilQueueIsEmpty(stateFolder);
  assert.equal(await service.stop(), 0);
  const log = await failureLog(stateFolder);
  await using forwarder = await inProcessForwarder({ aliases: "", nextHop: home.port, stateFolder });
  const { state } = forwarder;
  assert.ok(state);
  const { bounces, own } = state.failures;
  await waitFor(
    async () => {
      const due = [await bounces.nextDue(NOW), await own.nextDue(NOW)];
      if (due.some((one) => one !== undefined)) return undefined;
      return (await state.spool.list({ limit: 1 })).length === 0 || undefined;
    },
    { seconds: PATIENCE_SECONDS, otherwise: () => "notices are left" },
  );
  return log;
}

/** Events live for 30 days. */
async function failureLog(folder: string): Promise<readonly KeptFailure[]> {
  const now = (): number => Math.floor(Date.now() / 1000);
  const state = await openState({ folder, maxAgeDays: 21, now });
  const log: KeptFailure[] = [];
  for await (const failure of failuresAfter(state.failures.notes)) log.push(failure);
  await state.close();
  return log;
}
