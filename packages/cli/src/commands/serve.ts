// `homing serve`: the forwarder as a service. One JSON object a line on stdout for everything that happens.
import process from "node:process";
import { type ForwarderEvent, renderHostPort, startForwarder } from "@homing/forwarder";
import { loadConfig } from "../config/load-config.ts";
import { CommandFailure, EXIT, listenFailure } from "../failure.ts";
import { readForwarderSettings } from "../forwarder-settings.ts";
import { createOutput, type Output, whenOutputIsLost } from "../output.ts";
import { systemWorld } from "../system-world.ts";
import { untilSignal } from "../until-signal.ts";

export async function serve(options: { readonly config: string; readonly json?: true }): Promise<number> {
  const output = createOutput(options.json === true);
  const config = await loadConfig(options.config);
  const settings = await readForwarderSettings(config, options.config, (message) =>
    output.talk(`homing: ${message}`),
  );
  const place = renderHostPort(config.listen);
  // Mail that nobody can account for is not taken.
  const outputLost = new Promise<Error>((resolve) => whenOutputIsLost(resolve));
  const listener = await startForwarder(
    settings,
    systemWorld((event) => logEvent(output, event)),
  ).catch((error) => {
    throw listenFailure(error, place, `change listen in ${options.config}`);
  });
  output.document({
    time: new Date().toISOString(),
    event: "listening",
    host: listener.host,
    port: listener.port,
  });
  output.talk(
    `homing: forwarding on ${renderHostPort(listener)}, SRS domain ${settings.rewriter.domain} (pid ${process.pid})`,
  );
  const lost = await Promise.race([untilSignal(), outputLost]);
  await listener.close();
  if (lost) throw new CommandFailure("unavailable", `the log cannot be written: ${lost.message}: stopped`);
  return EXIT.ok;
}

function logEvent(output: Output, event: ForwarderEvent): void {
  output.document({ time: new Date().toISOString(), ...event });
}
