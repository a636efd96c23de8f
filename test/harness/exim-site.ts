// A site with Exim and Homing, by the recipe of deploy/exim: its files as they are, but for ports and places. Behind the smart host,
// who is everybody else, a hop that keeps what it takes. Called by exim-readsocket.test.ts.
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { startDnsServer, type Zone } from "../../packages/forwarder/src/testing/dns-server.ts";
import { clientOf } from "./authentication-scene.ts";
import { freePort } from "./free-port.ts";
import { type HomingProcess, startHoming } from "./homing.ts";
import { type Instance, startInstance } from "./instance.ts";
import { untilItGreets } from "./relaying-mta.ts";
import { type ScriptedHop, startScriptedHop, type Taken } from "./scripted-hop.ts";
import { waitFor } from "./wait.ts";

const RECIPE = resolve(import.meta.dirname, "../../deploy/exim");
const HOST = "mx.forwarder.example";
/** Of everybody but this site: SPF knows it, and it may not relay. */
const ELSEWHERE = "127.0.0.9";
const SECONDS = 20;

export interface EximSite extends AsyncDisposable {
  readonly exim: Instance;
  readonly hop: ScriptedHop;
  /** As another server; the reply that ended the transaction. */
  send(sending: Sending): Promise<string>;
  /** The first at the hop for this recipient. */
  arrived(recipient: string): Promise<Taken>;
  /** A mailbox of this site. */
  mailbox(user: string): Promise<string>;
  /** `readsocket`: the adapter alone, which keeps nothing. Default: serve. */
  startHoming(command?: "serve" | "readsocket"): Promise<HomingProcess>;
}

export interface Sending {
  readonly from: string;
  readonly to: string | readonly string[];
  readonly message?: string;
  /** On loopback. */
  readonly client?: string;
  readonly helo?: string;
}

export interface EximSiteOptions {
  readonly aliases: string;
  readonly users: readonly string[];
  readonly zone: Zone;
  /** Files in place of the recipe's, by name: `homing/routers`. */
  readonly instead?: Readonly<Record<string, string>>;
  /** To RCPT at the hop. */
  readonly refusal?: (recipient: string) => string | undefined;
}

/** A file of the recipe, with other ports and places. */
export async function recipe(name: string, changes: readonly (readonly [from: string, to: string])[] = []) {
  let text = await readFile(join(RECIPE, name), "utf8");
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`deploy/exim/${name} has no ${from}`);
    text = text.replaceAll(from, to);
  }
  return text;
}

export async function startEximSite(t: TestContext, options: EximSiteOptions): Promise<EximSite> {
  const hop = await startScriptedHop(options.refusal);
  const { place: dns } = await startDnsServer(t, options.zone);
  const [port, homingPort] = [await freePort(), await freePort()];
  const started = await startInstance({
    packageName: "exim4-daemon-light",
    command: ["exim4", "-bdf", "-q1s"],
    users: ["Debian-exim", ...options.users],
    files: {
      "/etc/hosts": `127.0.0.1 localhost ${HOST}\n`,
      "/etc/aliases": options.aliases,
      ...(await eximFiles({ port, homingPort, hopPort: hop.port, instead: options.instead ?? {} })),
    },
    folders: {
      ...{ "/var/spool/exim4": "Debian-exim", "/var/log/exim4": "Debian-exim" },
      ...{ "/var/homing": "Debian-exim", "/var/mail": options.users[0] ?? "root" },
    },
    log: "var/log/exim4/mainlog",
  });
  const exim = await untilItGreets(started, { port, hostname: HOST });
  await chmod(join(exim.folder, "var/homing"), 0o2750);
  const config = await homingFiles(exim.folder, { port, homingPort, dnsPort: dns.port });
  let homing: HomingProcess | undefined;
  const otherwise = async (): Promise<string> =>
    `not arrived${await exim.tail()}\n${homing?.stdout()}${homing?.stderr()}`;
  return {
    exim,
    hop,
    send: (sending) => send(port, sending),
    arrived: (recipient) =>
      waitFor(() => hop.taken.find((taken) => taken.recipient === recipient), {
        seconds: SECONDS,
        otherwise,
      }),
    mailbox: (user) =>
      waitFor(() => readFile(join(exim.folder, "var/mail", user), "utf8").catch(() => undefined), {
        seconds: SECONDS,
        otherwise,
      }),
    async startHoming(command = "serve") {
      homing = startHoming([command, "--config", config]);
      await homing.waitForOutput(/"adapter-listening".*"readsocket"/);
      if (command === "serve") await homing.waitForOutput(/"event":"listening"/);
      return homing;
    },
    async [Symbol.asyncDispose]() {
      await homing?.[Symbol.asyncDispose]();
      await exim.stop();
      await hop[Symbol.asyncDispose]();
    },
  };
}

interface Ports {
  readonly port: number;
  readonly homingPort: number;
  readonly hopPort: number;
  readonly instead: Readonly<Record<string, string>>;
}

async function eximFiles({ port, homingPort, hopPort, instead }: Ports): Promise<Record<string, string>> {
  const names = ["srs-acl", "spf-acl", "routers", "forward-routers", "transports"].map(
    (name) => `homing/${name}`,
  );
  const files: Record<string, string> = {
    "/etc/exim4/exim4.conf": await recipe("exim4.conf", [
      ["local_interfaces = <; 0.0.0.0 ; ::0", "local_interfaces = 127.0.0.1"],
      ["daemon_smtp_ports = 25", `daemon_smtp_ports = ${port}`],
      ["smarthost.provider.example::25", `127.0.0.1::${hopPort}`],
      // Every second in place of every 15 minutes.
      ["F,2h,15m", "F,2h,1s"],
    ]),
    "/etc/exim4/homing/macros": await recipe("homing/macros", [
      ["/run/homing/", "/var/homing/"],
      ["127.0.0.1::2525", `127.0.0.1::${homingPort}`],
    ]),
  };
  for (const name of names) files[`/etc/exim4/${name}`] = instead[name] ?? (await recipe(name));
  return files;
}

async function homingFiles(
  folder: string,
  {
    port,
    homingPort,
    dnsPort,
  }: { readonly port: number; readonly homingPort: number; readonly dnsPort: number },
): Promise<string> {
  const place = join(folder, "homing");
  await mkdir(join(place, "state"), { recursive: true });
  await writeFile(join(place, "secrets"), "a secret of the stories, and long enough\n", { mode: 0o600 });
  const text = await recipe("homing.yaml", [
    ["127.0.0.1:2525", `127.0.0.1:${homingPort}`],
    ["/run/credentials/homing.service/secrets", join(place, "secrets")],
    ["/var/lib/homing", join(place, "state")],
    ["smartHost: 127.0.0.1:25", `smartHost: 127.0.0.1:${port}`],
    ["# dns: { servers: [127.0.0.1] }", `dns: { servers: ["127.0.0.1:${dnsPort}"] }`],
    ["/run/homing/", `${folder}/var/homing/`],
  ]);
  await writeFile(join(place, "homing.yaml"), text);
  return join(place, "homing.yaml");
}

async function send(port: number, sending: Sending): Promise<string> {
  const { from, to, client = ELSEWHERE, helo = "mx.origin.example" } = sending;
  const { message = `From: ${from}\r\nSubject: x\r\n\r\nHello!\r\n` } = sending;
  using wire = await clientOf(port, client);
  await wire.ask(`EHLO ${helo}`);
  await wire.ask(`MAIL FROM:<${from}>`);
  let taken = false;
  let reply = "";
  for (const recipient of [to].flat()) {
    reply = await wire.ask(`RCPT TO:<${recipient}>`);
    taken ||= reply.startsWith("250");
  }
  if (!taken) return reply;
  await wire.ask("DATA");
  return await wire.ask(`${message}.`);
}
