// `homing serve`: the forwarder as a service. One JSON object a line on stdout for everything that happens.
import process from "node:process";
import { type Forwarder, type ForwarderSettings, renderHostPort, startForwarder } from "@homing/forwarder";
import { loadConfig } from "../config/load-config.ts";
import { srsDomainsOf } from "../config/srs-domains.ts";
import { CommandFailure, EXIT, listenFailure } from "../failure.ts";
import { readForwarderSettings } from "../forwarder-settings.ts";
import { createOutput, whenOutputIsLost } from "../output.ts";
import { readTables } from "../route-tables.ts";
import { type Activation, parseActivation } from "../service/activation.ts";
import { createMasking } from "../service/mask-events.ts";
import { type Assignment, createNotify, ready, stopping } from "../service/notify.ts";
import { pidPath, writePidFile } from "../service/pid-file.ts";
import { stopListener } from "../service/stop.ts";
import { startTableReload } from "../service/table-reload.ts";
import { randomKey, systemWorld } from "../system-world.ts";
import { untilSignal } from "../until-signal.ts";

export async function serve(options: { readonly config: string; readonly json?: true }): Promise<number> {
  const output = createOutput(options.json === true);
  const config = await loadConfig(options.config);
  const mask = createMasking(config.log.addresses, randomKey());
  const log = (event: object): void => output.document({ time: new Date().toISOString(), ...mask(event) });
  const settings = await readForwarderSettings(config, options.config, (message) =>
    output.talk(`homing: ${message}`),
  );
  // Mail that nobody can account for is not taken.
  const outputLost = new Promise<Error>((resolve) => whenOutputIsLost(resolve));
  const deliveries = new AbortController();
  const world = systemWorld(log, deliveries.signal);
  const listener = await listen(settings, world, parseActivation(process.env, process.pid), options.config);
  const stop = untilSignal();
  const reload = startTableReload({
    forwarder: listener,
    files: settings.tableFiles,
    read: () => readTables(config, options.config),
    log,
  });

  const removePidFile = await writePidFile(pidPath(config, options.config));
  log({ event: "listening", host: listener.host, port: listener.port });
  const place = renderHostPort(listener);
  output.talk(
    `homing: forwarding on ${place}, SRS domain ${srsDomainsOf(config).join(", ")} (pid ${process.pid})`,
  );
  const notify = createNotify(process.env);
  const tell = async (assignments: readonly Assignment[]): Promise<void> => {
    const told = await notify(assignments);
    if (told.kind === "failed") log({ event: "error", session: "", message: `sd_notify: ${told.cause}` });
  };
  const started = tell(ready(`forwarding on ${place}`));

  const lost = await Promise.race([stop, outputLost]);
  await started;
  await reload.close();
  await Promise.all([tell(stopping("finishing the mail in progress")), stopListener(listener, deliveries)]);
  await removePidFile();
  if (lost) throw new CommandFailure("unavailable", `the log cannot be written: ${lost.message}: stopped`);
  return EXIT.ok;
}

function listen(
  settings: ForwarderSettings,
  world: Parameters<typeof startForwarder>[1],
  activation: Activation,
  configPath: string,
): Promise<Forwarder> {
  switch (activation.kind) {
    case "wrong":
      throw new CommandFailure("config", activation.message);
    case "socket":
      return startForwarder({ ...settings, listen: { fd: activation.fd } }, world).catch((error: unknown) => {
        const place = `file descriptor ${activation.fd} of the service manager`;
        throw listenFailure(error, place, "write ListenStream=25 into the socket unit");
      });
    case "none":
      return startForwarder(settings, world).catch((error: unknown) => {
        const { listen } = settings;
        const place = "fd" in listen ? `file descriptor ${listen.fd}` : renderHostPort(listen);
        throw listenFailure(error, place, `change listen in ${configPath}`);
      });
  }
}
