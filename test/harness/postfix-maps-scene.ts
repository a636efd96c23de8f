// A Postfix that asks Homing's maps, with a recipe's own files; what it sends on; and clients from elsewhere. Called by the
// stories of the maps.
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { Wire } from "../../packages/forwarder/src/testing/wire.ts";
import { freePort } from "./free-port.ts";
import { type HomingProcess, startHoming } from "./homing.ts";
import { type Postfix, startPostfix } from "./postfix.ts";
import { type ScriptedHop, startScriptedHop, type Taken } from "./scripted-hop.ts";
import { waitFor } from "./wait.ts";

const RECIPES = join(import.meta.dirname, "../../deploy");
const SECONDS = 20;
/** No address of this one is in mynetworks. */
const ELSEWHERE = "127.0.0.2";
export const SECRET = "a secret of the map stories, long enough";

/** What differs from the recipe: ports, paths. The first must be in the text, or the recipe has changed. */
export type Replacements = readonly (readonly [text: string, by: string])[];

export async function recipe(file: string, replacements: Replacements = []): Promise<string> {
  let text = await readFile(join(RECIPES, file), "utf8");
  for (const [old, by] of replacements) {
    if (!text.includes(old)) throw new Error(`${file} has no ${old}`);
    text = text.replaceAll(old, by);
  }
  return text;
}

/** Parameters of a main.cf: a line that begins with white space goes on with the one before (postconf(5)). */
export function parametersOf(mainCf: string): Record<string, string> {
  const lines = mainCf.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  const joined = lines.join("\n").replace(/\n\s+/g, " ");
  return Object.fromEntries(
    joined.split("\n").map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
    }),
  );
}

/** By the server there. */
export const REFUSED = "hidden-refused@home.example";
export const PRIVATE = "hidden-alice@home.example";

export interface MapsScene extends AsyncDisposable {
  readonly postfix: Postfix;
  readonly hop: ScriptedHop;
  /** Where Homing's files are. */
  readonly folder: string;
  /** For the service: mail for the SRS domain. */
  readonly servicePort: number;
  /** The reply that ended the transaction of a client from elsewhere. */
  send(sending: { from: string; to: string; client?: string; message?: string }): Promise<string>;
  /** What Postfix sent on, to this recipient. */
  sentOn(recipient: string): Promise<Taken>;
  /** Homing, by its files in `folder`, until all of its listeners are there. */
  start(command: string, config: string, listeners: number): Promise<HomingProcess>;
  /** All of Homing. */
  stop(): Promise<void>;
}

export interface MapsSceneOptions {
  readonly ports: { readonly postfix: number; readonly service: number };
  readonly settings: Readonly<Record<string, string>>;
  /** In /etc/postfix: read when the first mail comes. */
  readonly files?: Readonly<Record<string, string>>;
}

/** forwarder.example is ours: alice is elsewhere, keeper is here. */
export async function startMapsScene({ ports, settings, files = {} }: MapsSceneOptions): Promise<MapsScene> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "secrets"), `${SECRET}\n`, { mode: 0o600 });
  const hop = stack.use(
    await startScriptedHop((recipient) =>
      recipient === REFUSED ? `550 5.1.1 <${recipient}>: no such user` : undefined,
    ),
  );
  const postfix = stack.use(
    await startPostfix({
      hostname: "mx.forwarder.example",
      destinations: ["forwarder.example"],
      relayHost: `[127.0.0.1]:${hop.port}`,
      mailboxes: ["keeper"],
      aliases: { alice: PRIVATE, refused: REFUSED },
      port: ports.postfix,
      settings: { mynetworks: "127.0.0.1/32", mydestination: "forwarder.example", ...settings },
    }),
  );
  for (const [name, text] of Object.entries(files))
    await writeFile(join(postfix.folder, "etc/postfix", name), text);
  await makeSocketFolder(postfix);
  const started = stack.move();
  const running: HomingProcess[] = [];
  const sentOn = (recipient: string): Promise<Taken> =>
    waitFor(() => hop.taken.find((taken) => taken.recipient === recipient), {
      seconds: SECONDS,
      otherwise: async () => `nothing was sent to ${recipient}${await postfix.tail()}`,
    });
  return {
    ...{ postfix, hop, folder, sentOn, servicePort: ports.service },
    async send({ from, to, client = ELSEWHERE, message = letter(from, to) }) {
      using wire = new Wire(connect({ host: "127.0.0.1", port: postfix.port, localAddress: client }));
      await wire.reply();
      return await transact(wire, { from, to, message });
    },
    async start(command, config, listeners) {
      await writeFile(join(folder, "homing.yaml"), config);
      const homing = started.use(startHoming([command, "--config", join(folder, "homing.yaml")]));
      running.push(homing);
      const said = new RegExp(`(?:"event":"adapter-listening"[\\s\\S]*?){${listeners}}`);
      await homing.waitForOutput(said);
      if (command === "serve") await homing.waitForOutput(/"event":"listening"/);
      return homing;
    },
    async stop() {
      for (const homing of running.splice(0)) await homing.stop();
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

export async function freePorts(): Promise<MapsSceneOptions["ports"]> {
  return { postfix: await freePort(), service: await freePort() };
}

/** As README.md says: `install -d -g postfix -m 2770`. */
async function makeSocketFolder({ folder }: Postfix): Promise<void> {
  const sockets = socketFolder(folder);
  const { gid } = await stat(join(folder, "var/lib/postfix"));
  await mkdir(sockets);
  await chown(sockets, 0, gid);
  await chmod(sockets, 0o2770);
}

/** @param folder of the instance */
export function socketFolder(folder: string): string {
  return join(folder, "var/spool/postfix/homing");
}

export function letter(from: string, to: string): string {
  const fields = [`From: ${from}`, `To: ${to}`, "Subject: hello", "Message-ID: <letter@source.example>"];
  return `${fields.join("\r\n")}\r\n\r\nHello!\r\n`;
}
