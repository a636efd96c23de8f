// `homing serve` with times of seconds where its configuration has minutes. A process of its own, started by site.ts:
//   node server.ts CONFIG TIMES          TIMES as JSON, see ServerTimes
import { startForwarder } from "@homing/forwarder";
import { loadConfig } from "../../../packages/cli/src/config/load-config.ts";
import { readForwarderSettings } from "../../../packages/cli/src/forwarder-settings.ts";
import { openServiceState } from "../../../packages/cli/src/service/service-state.ts";
import { stopListener } from "../../../packages/cli/src/service/stop.ts";
import { systemDns } from "../../../packages/cli/src/system-dns.ts";
import { systemWorld } from "../../../packages/cli/src/system-world.ts";
import type { ServerTimes } from "./site.ts";

const [path = "", times = "{}"] = process.argv.slice(2);
const { queueTimes, waits }: ServerTimes = JSON.parse(times);
const say = (event: object): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

const config = await loadConfig(path);
const deliveries = new AbortController();
const state = await openServiceState(config, path, {
  trouble: (cause) => say({ event: cause === undefined ? "state-back" : "state-away", cause }),
});
const settings = await readForwarderSettings(
  config,
  path,
  (text) => process.stderr.write(`${text}\n`),
  state,
);
const forwarder = await startForwarder(
  {
    ...settings,
    // As `homing serve` has them.
    outboundThread: true,
    bounceThread: true,
    queueTimes: { ...settings.queueTimes, ...queueTimes },
    waits: { ...settings.waits, ...waits },
  },
  systemWorld(say, deliveries.signal, systemDns(config.dns.servers)),
);
process.once("SIGTERM", async () => {
  await stopListener(forwarder, deliveries);
  await state?.close();
});
say({ event: "listening", port: forwarder.port });
