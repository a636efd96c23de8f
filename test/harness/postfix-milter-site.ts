// A site with Postfix and Homing as its milter, by the files of deploy/postfix-milter, and one server that stands for all others.
// Called by postfix-milter.test.ts.
import { chmod, chown, mkdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { startDnsServer, type Zone } from "../../packages/forwarder/src/testing/dns-server.ts";
import { stuffed } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { clientOf, texts } from "./authentication-scene.ts";
import { freePort } from "./free-port.ts";
import { type HomingService, startHomingService } from "./homing.ts";
import { type Postfix, startPostfix } from "./postfix.ts";
import { type ScriptedHop, startScriptedHop, type Taken } from "./scripted-hop.ts";
import { waitFor } from "./wait.ts";

const RECIPE = resolve(import.meta.dirname, "../../deploy/postfix-milter");
/** Of the sender's own server, and of anybody else's. */
export const BOBS_SERVER = "127.0.0.5";
export const STRANGER = "127.0.0.9";
export const BOB = "bob@origin.example";

const ZONE: Zone = {
  "origin.example": texts(`v=spf1 ip4:${BOBS_SERVER} exp=why.origin.example -all`),
  "why.origin.example": texts("100%% of our mail comes from elsewhere"),
  "club.example": texts("v=spf1 -all"),
};

export interface SiteOptions {
  /** Behind the alias ann. */
  readonly target: string;
  /** Of main.cf and homing.yaml: text that is replaced, as README.md says. */
  readonly replaced?: readonly (readonly [text: string, by: string])[];
  /** Of main.cf, beside the recipe. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What the server elsewhere says to RCPT; undefined to take it. */
  readonly refusal?: (recipient: string) => string | undefined;
  /** In place of a server that has no DSN. */
  readonly elsewhere?: number;
  /** A second milter behind the first. */
  readonly twice?: true;
}

export interface Sending {
  readonly from: string;
  /** Behind MAIL FROM:<…>. */
  readonly parameters?: string;
  readonly to: readonly string[];
  readonly message?: string;
  /** Default: the sender's own server. */
  readonly client?: string;
}

export interface StartedSite {
  readonly postfix: Postfix;
  readonly homing: readonly HomingService[];
  readonly elsewhere: ScriptedHop;
  /** Replies to RCPT, and of DATA's end the last word, where it came to that. */
  send(sending: Sending): Promise<readonly string[]>;
  /** The first message that went to such an address. */
  sentTo(recipient: string): Promise<Taken>;
}

export async function startMilterSite(t: TestContext, options: SiteOptions): Promise<StartedSite> {
  const elsewhere = await startScriptedHop(options.refusal);
  t.after(() => elsewhere[Symbol.asyncDispose]());
  const [smtp, ...services] = await Promise.all([freePort(), freePort(), freePort()]);
  const [first = 0] = services;
  const main = replaced(await recipe("main.cf"), [
    ["2525", String(first)],
    ...(options.twice ? ([["unix:homing/milter", "unix:homing/milter, unix:homing/second"]] as const) : []),
    ...(options.replaced ?? []),
  ]);
  const postfix = await startPostfix({
    hostname: "mx.home.example",
    destinations: ["home.example"],
    mailboxes: ["joe"],
    aliases: { ann: options.target },
    relayHost: `[127.0.0.1]:${options.elsewhere ?? elsewhere.port}`,
    port: smtp ?? 0,
    settings: { mynetworks: "127.0.0.1/32", ...settingsIn(main), ...options.settings },
  });
  t.after(() => postfix.stop());
  const homing: HomingService[] = [];
  const places = ["milter", ...(options.twice ? ["second"] : [])];
  for (const [index, name] of places.entries())
    homing.push(await startBeside(t, postfix, { options, port: services[index] ?? 0, name }));
  return {
    postfix,
    homing,
    elsewhere,
    send: (sending) => send(postfix.port, sending),
    sentTo: (recipient) =>
      waitFor(() => elsewhere.taken.find((taken) => taken.recipient === recipient), {
        seconds: 15,
        otherwise: async () => `nothing came for ${recipient}${await postfix.tail()}\n${homing[0]?.stdout()}`,
      }),
  };
}

async function startBeside(
  t: TestContext,
  postfix: Postfix,
  { options, port, name }: { readonly options: SiteOptions; readonly port: number; readonly name: string },
): Promise<HomingService> {
  const sockets = join(postfix.folder, "var/spool/postfix/homing");
  await mkdir(sockets, { recursive: true });
  const { gid } = await stat(join(postfix.folder, "var/lib/postfix"));
  // install -d -o root -g postfix -m 2770, with the group of the instance
  await chown(sockets, 0, gid);
  await chmod(sockets, 0o2770);
  const { place } = await startDnsServer(t, ZONE);
  const service = await startHomingService({
    config: replaced(await recipe("homing.yaml"), [
      ["127.0.0.1:2525", `127.0.0.1:${port}`],
      ["127.0.0.1:25", `127.0.0.1:${postfix.port}`],
      ["127.0.0.1:53", `127.0.0.1:${place.port}`],
      ["/var/lib/homing", "state"],
      ["unix:/var/spool/postfix/homing/milter", `unix:${join(sockets, name)}`],
      ...(options.replaced ?? []),
    ]),
    aliases: `ann: ${options.target}\npostmaster: joe@home.example\n`,
    secret: "a secret of the stories, and long enough",
  });
  t.after(() => service[Symbol.asyncDispose]());
  return service;
}

async function recipe(name: string): Promise<string> {
  return await readFile(join(RECIPE, name), "utf8");
}

function replaced(text: string, pairs: readonly (readonly [text: string, by: string])[]): string {
  return pairs.reduce((all, [old, by]) => all.replaceAll(old, by), text);
}

function settingsIn(main: string): Record<string, string> {
  const lines = main.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
    }),
  );
}

async function send(port: number, sending: Sending): Promise<readonly string[]> {
  const { from, parameters = "", to, client = BOBS_SERVER } = sending;
  const { message = `From: ${from}\r\nTo: ${to[0]}\r\nSubject: Lunch\r\n\r\nHello!\r\n` } = sending;
  using wire = await clientOf(port, client);
  await wire.ask("EHLO mail.origin.example");
  const replies = [await wire.ask(`MAIL FROM:<${from}>${parameters}`)];
  if (!replies[0]?.startsWith("250")) return replies;
  replies.pop();
  for (const recipient of to) replies.push(await wire.ask(`RCPT TO:<${recipient}>`));
  if (!replies.some((reply) => reply.startsWith("250"))) return replies;
  const go = await wire.ask("DATA");
  if (!go.startsWith("354")) return [...replies, go];
  wire.send(stuffed(message));
  return [...replies, await wire.reply()];
}
