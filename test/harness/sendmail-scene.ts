// A Sendmail site with a recipe of deploy/sendmail, the Homing that the recipe names, a next hop that is everybody else, and
// clients from any loopback address. Called by sendmail-milter.test.ts and sendmail-socket-map.test.ts.

import { readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join, resolve } from "node:path";
import { transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { Wire } from "../../packages/forwarder/src/testing/wire.ts";
import { freePort } from "./free-port.ts";
import { type HomingProcess, plainEnvironment, startHoming, writeServiceFiles } from "./homing.ts";
import { type ScriptedHop, startScriptedHop, type Taken } from "./scripted-hop.ts";
import { type SendmailSite, startSendmailSite } from "./sendmail-site.ts";
import { waitFor } from "./wait.ts";

const RECIPES = resolve(import.meta.dirname, "../../deploy/sendmail");
const SECONDS = 15;
const DOMAIN = "club.example";

export interface SendmailSceneOptions {
  /** A folder in deploy/sendmail; "" is the recommended recipe. */
  readonly recipe: string;
  /** `homing serve` or `homing socketmap` */
  readonly command: string;
  /** Of the MAILER lines. */
  readonly side: "above" | "below";
  readonly aliases: string;
  readonly mailboxes: readonly string[];
  /** What the next hop says to RCPT; undefined to take it. */
  readonly refusal?: (recipient: string) => string | undefined;
  /** Lines that the story adds to homing.yaml. */
  readonly config?: string;
}

export interface Letter {
  readonly from: string;
  readonly to: string;
  /** Whole. Default: a short one. */
  readonly message?: string;
  /** On loopback. Default: one that may not relay. */
  readonly client?: string;
}

export interface SendmailScene extends AsyncDisposable {
  readonly site: SendmailSite;
  readonly hop: ScriptedHop;
  /** The reply that ended the transaction. */
  send(letter: Letter): Promise<string>;
  /** At the next hop, once it is there. */
  passedOn(is: (taken: Taken) => boolean): Promise<Taken>;
  startHoming(): Promise<void>;
  stopHoming(): Promise<void>;
  /** What Homing said until now. */
  log(): string;
}

export async function startSendmailScene(options: SendmailSceneOptions): Promise<SendmailScene> {
  const { recipe, command, side, aliases, mailboxes, refusal, config = "" } = options;
  await using stack = new AsyncDisposableStack();
  const hop = stack.use(await startScriptedHop(refusal));
  const [port, bouncePort] = [await freePort(), await freePort()];
  const file = (name: string): Promise<string> => readFile(join(RECIPES, recipe, name), "utf8");
  const text = (await file("homing.m4"))
    .replaceAll("/run/homing/", "/var/homing/")
    .replaceAll("/etc/mail/mailertable", "/var/mailertable")
    .replaceAll("TCP $h 2525", `TCP $h ${bouncePort}`);
  const site = stack.use(
    await startSendmailSite({
      ...{ port, aliases, mailboxes, hostname: `mail.${DOMAIN}`, domain: DOMAIN, nextHop: hop.port },
      recipe: { [side]: text },
      mailertable: recipe === "" ? await file("mailertable") : "",
    }),
  );
  const configured = await writeServiceFiles({
    config: `${(await file("homing.yaml"))
      .replaceAll("/run/homing/", `${site.folder}/var/homing/`)
      .replaceAll("/etc/mail/aliases", "aliases")
      .replaceAll("/etc/homing/secrets", "secrets")
      .replaceAll("/var/lib/homing", "state")
      .replaceAll("127.0.0.1:2525", `127.0.0.1:${bouncePort}`)
      .replaceAll("127.0.0.1:25\n", `127.0.0.1:${port}\n`)}${config}`,
    aliases,
    secret: "a secret of the stories, and long enough",
  });
  stack.defer(() => rm(dirname(configured), { recursive: true, force: true }));
  let homing: HomingProcess | undefined;
  let told = "";
  const stopHoming = async (): Promise<void> => {
    told += homing?.stdout() ?? "";
    await homing?.stop();
    homing = undefined;
  };
  stack.defer(stopHoming);
  const started = stack.move();
  return {
    site,
    hop,
    async send({ from, to, message = short(from, to), client = "127.0.0.9" }) {
      using wire = new Wire(connect({ host: "127.0.0.1", port, localAddress: client }));
      await wire.reply();
      return await transact(wire, { from, to, message });
    },
    passedOn: (is) =>
      waitFor(() => hop.taken.find(is), {
        seconds: SECONDS,
        otherwise: async () =>
          `not at the next hop, but ${JSON.stringify(hop.taken)}\n${homing?.stdout()}${homing?.stderr()}${await site.tail()}`,
      }),
    async startHoming() {
      homing = startHoming([command, "--config", configured], plainEnvironment());
      await homing.waitForOutput(/"event":"adapter-listening"/);
    },
    stopHoming,
    log: () => told + (homing?.stdout() ?? ""),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

function short(from: string, to: string): string {
  return `From: ${from || "MAILER-DAEMON"}\r\nTo: ${to}\r\nSubject: hello\r\n\r\nHello!\r\n`;
}
