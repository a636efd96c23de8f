// `homing adapters`, and `homing socketmap`, `policy`, `milter` and their like: all adapters for another mail server or one of
// them, without the SMTP service. One JSON object a line on stdout for everything that happens.
import process from "node:process";
import type { AdapterName } from "@homing/mta-adapters";
import { ADAPTER_NAMES } from "../config/adapter-places.ts";
import type { AdapterSettings } from "../config/adapter-settings.ts";
import { adapterWarnings } from "../config/adapter-warnings.ts";
import { loadConfigApart } from "../config/load-apart.ts";
import type { Config } from "../config/schema.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput, whenOutputIsLost } from "../output.ts";
import { rereadTrust } from "../read-authentication.ts";
import { readTables } from "../route-tables.ts";
import { startAdapters } from "../service/adapters/adapters.ts";
import { fileReload } from "../service/file-reload.ts";
import { createLogWriter } from "../service/log-writer.ts";
import { createMasking } from "../service/mask-events.ts";
import { createNotify, ready, stopping } from "../service/notify.ts";
import { startTableReload } from "../service/table-reload.ts";
import { systemDns } from "../system-dns.ts";
import { randomKey } from "../system-world.ts";
import { unixMilliseconds } from "../time.ts";
import { createTimeLimits } from "../time-limits.ts";
import { alsoHeardBy, hangups, untilSignal } from "../until-signal.ts";

export interface AdapterCommandOptions {
  readonly config: string;
  readonly json?: true;
}

/** Answers until a signal comes. Returns the exit code. @param name one alone; undefined: all that are configured */
export async function runAdapters(
  name: AdapterName | undefined,
  options: AdapterCommandOptions,
): Promise<number> {
  const heard = hangups();
  const output = createOutput(options.json === true);
  const config = await loadConfigApart(options.config);
  const adapters = adaptersOf(config, name, options.config);
  const names = name === undefined ? ADAPTER_NAMES : [name];
  for (const warning of adapterWarnings(adapters, names)) output.talk(`homing: ${warning}`);
  const mask = createMasking(config.log.addresses, randomKey());
  const writer = createLogWriter({
    write: (lines) => void process.stdout.write(lines),
    now: () => new Date(),
  });
  process.on("exit", writer.flush);
  const log = (event: object): void => writer.log(mask(event));
  const outputLost = new Promise<Error>((resolve) => whenOutputIsLost(resolve));
  const readSince = unixMilliseconds();
  const { tables, files } = await readTables(config, options.config);
  const dns = systemDns(config.dns.servers);
  const stopped = new AbortController();
  const running = await startAdapters({
    config,
    configPath: options.config,
    adapters,
    tables,
    names,
    keptSenders: undefined,
    dns,
    timeLimit: createTimeLimits(() => performance.now(), stopped.signal),
    log,
    warn: (message) => output.talk(`homing: ${message}`),
  });
  const reload = await startTableReload({
    forwarder: running,
    files,
    readSince,
    read: (opened) => readTables(config, options.config, { opened }),
    hangups: alsoHeardBy(
      heard,
      () => void running.reread(),
      fileReload({
        what: "trusted-forwarders",
        read: () => rereadTrust(config, options.config, log),
        replace: running.replaceTrusted,
        log,
      }),
    ),
    log,
  });
  const notify = createNotify(process.env);
  await notify(ready(`${name ?? "adapters"} for another mail server`));
  const lost = await Promise.race([untilSignal(), outputLost]);
  await notify(stopping("closing connections"));
  stopped.abort();
  reload.close();
  await running.close();
  dns.close();
  if (lost) throw new CommandFailure("unavailable", `the log cannot be written: ${lost.message}: stopped`);
  return EXIT.ok;
}

function adaptersOf(
  { adapters }: Pick<Config, "adapters">,
  name: AdapterName | undefined,
  path: string,
): AdapterSettings {
  const isSet = name === undefined ? ADAPTER_NAMES.some((one) => adapters?.[one]) : adapters?.[name];
  if (adapters && isSet) return adapters;
  const what =
    name === undefined
      ? `adapters ${adapters ? "names none" : "is not set"}: set adapters.policy, adapters.milter or another of them`
      : `adapters.${name} is not set: write where it listens`;
  throw new CommandFailure("config", `${path}: ${what}`);
}
