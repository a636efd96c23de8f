// `homing serve`: the forwarder as a service. One JSON object a line on stdout for everything that happens.
import process from "node:process";
import {
  type Forwarder,
  type ForwarderSettings,
  renderHostPort,
  type State,
  startForwarder,
} from "@homing/forwarder";
import { adapterWarnings } from "../config/adapter-warnings.ts";
import { unsignedProblem } from "../config/dkim-keys.ts";
import { loadConfig } from "../config/load-config.ts";
import { stateWarnings } from "../config/place-warnings.ts";
import type { Config } from "../config/schema.ts";
import { siteWarnings } from "../config/site-warnings.ts";
import { srsDomainsOf } from "../config/srs-domains.ts";
import { CommandFailure, EXIT, listenFailure } from "../failure.ts";
import { readForwarderSettings } from "../forwarder-settings.ts";
import { readSites } from "../on-behalf/read-sites.ts";
import { createOutput, type Output, whenOutputIsLost } from "../output.ts";
import { rereadTrust } from "../read-authentication.ts";
import { readTables } from "../route-tables.ts";
import { type Activation, parseActivation } from "../service/activation.ts";
import type { RunningAdapters } from "../service/adapters/adapters.ts";
import { savesCompilerMemory } from "../service/compiler-memory.ts";
import { type ServiceControl, startServiceControl } from "../service/control/service-control.ts";
import { fileReload } from "../service/file-reload.ts";
import { type HttpListener, startHttp } from "../service/http-listener.ts";
import { createLogWriter } from "../service/log-writer.ts";
import { createMasking } from "../service/mask-events.ts";
import { type Assignment, createNotify, ready, stopping } from "../service/notify.ts";
import { type PidFile, pidPath, preparePidFile } from "../service/pid-file.ts";
import { openServiceState } from "../service/service-state.ts";
import { givesBackSpentMemory } from "../service/spent-memory.ts";
import { stopListener } from "../service/stop.ts";
import { startTableReload, type TableReload } from "../service/table-reload.ts";
import { readTls } from "../service/tls-files.ts";
import { keepYoungMemory } from "../service/young-memory.ts";
import { createSubmission, submissionFailure, submissionPlaces } from "../submission.ts";
import { systemDns } from "../system-dns.ts";
import { randomKey, systemWorld } from "../system-world.ts";
import { unixMilliseconds } from "../time.ts";
import { alsoHeardBy, endUnless, type Hangups, hangups, untilSignal } from "../until-signal.ts";
import { readUsers, rereadUsers } from "../users/read-users.ts";

export async function serve(options: Options): Promise<number> {
  savesCompilerMemory();
  keepYoungMemory();
  givesBackSpentMemory();
  const heard = hangups();
  const output = createOutput(options.json === true);
  const config = await loadConfig(options.config);
  const mask = createMasking(config.log.addresses, randomKey());
  const writer = createLogWriter({
    write: (lines) => void process.stdout.write(lines),
    now: () => new Date(),
  });
  process.on("exit", writer.flush);
  const log = (event: object): void => writer.log(mask(event));
  const state = await openServiceState(config, options.config, {
    trouble: (cause) => log(cause === undefined ? { event: "state-back" } : { event: "state-away", cause }),
    manyKeptSenders: (alarm) => log({ event: "many-kept-senders", ...alarm }),
  });
  try {
    return await serveUntilStopped({ options, heard, output, config, state, log, flush: writer.flush });
  } finally {
    await state?.close();
  }
}

interface Options {
  readonly config: string;
  readonly json?: true;
}

interface Serving {
  readonly options: Options;
  readonly heard: Hangups;
  readonly output: Output;
  readonly config: Config;
  readonly state: State | undefined;
  readonly log: (event: object) => void;
  readonly flush: () => void;
}

async function serveUntilStopped({
  options,
  heard,
  output,
  config,
  state,
  log,
  flush,
}: Serving): Promise<number> {
  const readSince = unixMilliseconds();
  const warn = (message: string): void => output.talk(`homing: ${message}`);
  const settings = await readForwarderSettings(config, options.config, warn, state);
  for (const warning of await stateWarnings(state?.folder)) warn(warning);
  for (const warning of [...adapterWarnings(config.adapters), ...siteWarnings(config)]) warn(warning);
  const unsigned = unsignedProblem(config);
  if (unsigned !== undefined) warn(`warning: ${unsigned}`);
  // Mail that nobody can account for is not taken.
  const outputLost = new Promise<Error>((resolve) => whenOutputIsLost(resolve));
  const deliveries = new AbortController();
  const dns = systemDns(config.dns.servers);
  const world = systemWorld(log, deliveries.signal, dns);
  // What few sites have is loaded where it is used: a start takes some 100 modules less.
  const read = await readSites(config, options.config);
  const { dkimKeys } = settings;
  const sites =
    read && (await import("../on-behalf/sites.ts")).sitesOf(read, config, state, { dkimKeys, world });
  const users = await readUsers(config, options.config);
  const submission = createSubmission({ config, users, sites, dkimKeys });
  const activation = parseActivation(process.env, process.pid);
  const pidFile = await preparePidFile(pidPath(config, options.config));
  const { adapters } = config;
  const service = await start(pidFile, {
    log,
    flush,
    deliveries,
    startAdapters: async () =>
      adapters &&
      (await import("../service/adapters/adapters.ts")).startAdapters({
        config,
        configPath: options.config,
        adapters,
        tables: settings.tables,
        keptSenders: state?.keptSenders,
        dns,
        timeLimit: world.timeLimit,
        log,
        warn,
      }),
    listen: async () => {
      const forwarder = await listen(
        {
          ...settings,
          outboundThread: true,
          bounceThread: true,
          sentMail: sites?.sentMail,
          submission: submission?.settings,
        },
        world,
        activation,
        options.config,
      );
      sites?.connect(forwarder);
      return forwarder;
    },
    startReload: (forwarder, adapters) =>
      startTableReload({
        forwarder: {
          replaceTables(tables) {
            forwarder.replaceTables(tables);
            adapters?.replaceTables(tables);
          },
        },
        files: settings.tableFiles,
        readSince,
        read: (opened) => readTables(config, options.config, { opened }),
        hangups: alsoHeardBy(
          heard,
          () => void adapters?.reread(),
          fileReload({
            what: "users",
            read: () => rereadUsers(config, options.config),
            replace: (fresh) => submission?.replaceUsers(fresh),
            log,
          }),
          fileReload({
            what: "certificate",
            read: () => readTls(config, options.config),
            replace: forwarder.replaceTls,
            log,
          }),
          fileReload({
            what: "trusted-forwarders",
            read: () => rereadTrust(config, options.config, log),
            replace(entries) {
              forwarder.replaceTrusted(entries);
              adapters?.replaceTrusted(entries);
            },
            log,
          }),
        ),
        log,
      }),
    startControl: (forwarder) => startServiceControl({ state, forwarder, log, warn }),
    startHttp: () =>
      startHttp({
        ...{ config, configPath: options.config, log },
        secrets: settings.loopSecrets,
        onBehalf: sites?.onBehalf,
      }),
  });

  const { host, port } = service.listener;
  log({ event: "listening", host, port });
  for (const { place, listener } of submissionPlaces(service.listener))
    log({
      event: "submission-listening",
      host: listener.host,
      port: listener.port,
      tls: place === "listenTls",
    });
  if (service.http) log({ event: "http-listening", host: service.http.host, port: service.http.port });
  const place = renderHostPort({ host, port });
  output.talk(
    `homing: forwarding on ${place}, SRS domain ${srsDomainsOf(config).join(", ")} (pid ${process.pid})`,
  );
  const tell = notifier(log);
  const started = tell(ready(`forwarding on ${place}`));
  const lost = await Promise.race([service.stop, outputLost]);
  const told = started.then(() => tell(stopping("finishing the mail in progress")));
  await Promise.all([told, end(service)]);
  submission?.close();
  dns.close();
  if (lost) throw new CommandFailure("unavailable", `the log cannot be written: ${lost.message}: stopped`);
  return EXIT.ok;
}

interface Service {
  readonly log: (event: object) => void;
  /** Writes what the log holds. */
  readonly flush: () => void;
  readonly deliveries: AbortController;
  readonly pidFile: PidFile;
  readonly listener: Forwarder;
  readonly reload: TableReload;
  readonly control: ServiceControl;
  /** The page that says why mail was refused. */
  readonly http: HttpListener | undefined;
  /** For other mail servers. */
  readonly adapters: RunningAdapters | undefined;
  /** Resolves when the service is told to end. */
  readonly stop: Promise<void>;
}

interface Start extends Pick<Service, "log" | "flush" | "deliveries"> {
  readonly listen: () => Promise<Forwarder>;
  readonly startAdapters: () => Promise<RunningAdapters | undefined>;
  readonly startReload: (forwarder: Forwarder, adapters: RunningAdapters | undefined) => Promise<TableReload>;
  readonly startControl: (forwarder: Forwarder) => Promise<ServiceControl>;
  readonly startHttp: () => Promise<HttpListener | undefined>;
}

/** A service that is whole, or no open port. */
async function start(
  pidFile: PidFile,
  { log, flush, deliveries, listen, startAdapters, startReload, startControl, startHttp }: Start,
): Promise<Service> {
  let listener: Forwarder | undefined;
  let http: HttpListener | undefined;
  let adapters: RunningAdapters | undefined;
  try {
    // First: mail that comes before it is there would be refused with a link that leads nowhere.
    http = await startHttp();
    listener = await listen();
    adapters = await startAdapters();
    const stop = untilSignal();
    const reload = await startReload(listener, adapters);
    await pidFile.publish();
    const control = await startControl(listener);
    return { log, flush, deliveries, pidFile, listener, reload, control, http, adapters, stop };
  } catch (error) {
    await Promise.all([http?.close(), adapters?.close()]);
    if (listener) await stopListener(listener, deliveries);
    await pidFile.remove().catch(() => {});
    throw error;
  }
}

/** Nothing is waited for but the mail in progress. */
async function end(service: Service): Promise<void> {
  const { log, flush, deliveries, pidFile, listener, reload, control, http, adapters } = service;
  const failed = (message: string): void => log(errorEvent(message));
  // From here on `homing reload` and `homing queue` find nobody.
  const removed = pidFile.remove().catch((error: unknown) => failed(String(error)));
  reload.close();
  await control.close();
  await Promise.all([stopListener(listener, deliveries), http?.close(), adapters?.close()]);
  endUnless(Promise.all([reload.idle(), removed]), () => {
    failed("a file does not answer: ended by SIGTERM, without waiting for it");
    // No "exit" comes after a signal.
    flush();
  });
}

function notifier(log: Service["log"]): (assignments: readonly Assignment[]) => Promise<void> {
  const notify = createNotify(process.env);
  return async (assignments) => {
    const told = await notify(assignments);
    if (told.kind === "failed") log(errorEvent(`sd_notify: ${told.cause}`));
  };
}

function errorEvent(message: string): object {
  return { event: "error", session: "", message };
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
        const other = submissionFailure(error, settings, configPath);
        const place = `file descriptor ${activation.fd} of the service manager`;
        throw other ?? listenFailure(error, place, "write ListenStream=25 into the socket unit");
      });
    case "none":
      return startForwarder(settings, world).catch((error: unknown) => {
        const { listen } = settings;
        const other = submissionFailure(error, settings, configPath);
        const place = "fd" in listen ? `file descriptor ${listen.fd}` : renderHostPort(listen);
        throw other ?? listenFailure(error, place, `change listen in ${configPath}`);
      });
  }
}
