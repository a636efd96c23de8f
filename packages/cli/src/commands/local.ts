// `homing local`: the main job on loopback, with no configuration. One message goes through by itself and its story is
// told; then every message that the person sends.
import type { InboxMail } from "@homing/http";
import { renderMailbox } from "@homing/srs-core";
import { CommandFailure, EXIT } from "../failure.ts";
import { ALICE, CAROL, type LoopbackListener, startLoopback } from "../local/loopback.ts";
import { createShownMails } from "../local/shown-mails.ts";
import type { LocalSite } from "../local/site.ts";
import { createStory, legend } from "../local/story.ts";
import { readKeyFile } from "../on-behalf/key-files.ts";
import { createOutput, paint } from "../output.ts";
import { randomSecret } from "../system-world.ts";
import { untilSignal } from "../until-signal.ts";

export const DEFAULT_PORT = 2525;

interface Options {
  readonly port: string;
  /** Port of the HTTP API. */
  readonly http?: string;
  readonly siteKeyFile?: string;
  readonly json?: true;
}

export async function local(options: Options): Promise<number> {
  const output = createOutput(options.json === true);
  const port = portOption("--port", options.port);
  const document = (fields: object): void => output.document({ time: new Date().toISOString(), ...fields });
  const print = (line: string): void => output.data(line);
  const story = createStory(print);

  const mails = createShownMails();
  const site = await siteOption(options, mails.list);
  const listener: LoopbackListener = {
    forwarder: (event) => (output.json ? document(event) : story.tell(event)),
    arrived(arrival) {
      mails.add(arrival);
      const { recipient, subject } = arrival;
      if (output.json) document({ event: "arrived", recipient: renderMailbox(recipient), subject });
      else story.tellArrival(renderMailbox(recipient), subject);
    },
    bounced: (by, to, why) =>
      output.json
        ? document({ event: "bounced", by, to, status: why.status })
        : story.tellBounce(by, to, why),
  };
  const loopback = await startLoopback(port, listener, site?.running).catch(async (error: unknown) => {
    await site?.running.close();
    throw error;
  });
  const { host, port: taken } = loopback.forwarder;

  if (output.json) document({ event: "listening", host, port: taken });
  else {
    print(`Homing forwards mail on ${host}:${taken}. The rest of the world is an inbox on this machine.`);
    print(`A rewritten sender reads ${legend()}.`);
  }
  if (site && output.json) {
    const { host, port } = site.running;
    document({ event: "http-listening", host, port, siteKey: site.key });
  }
  const stopped = untilSignal();
  await loopback.sendGreeting();
  if (!output.json) for (const line of invitation(taken)) print(line);
  if (site && !output.json) for (const line of siteInvitation(site)) print(line);
  await stopped;
  await loopback.close();
  await site?.running.close();
  if (!output.json) print("\nStopped.");
  return EXIT.ok;
}

function invitation(port: number): string[] {
  const server = port === DEFAULT_PORT ? "" : ` --server 127.0.0.1:${port}`;
  return [
    "",
    "The bounce is home. Homing keeps running: send a message of your own from another terminal in this folder:",
    "",
    paint("bold", `  npm exec --no -- homing send${server} --to ${renderMailbox(CAROL)}`),
    "",
    `(to ${renderMailbox(ALICE)} it will bounce, as above). Ctrl-C ends Homing.`,
  ];
}

function siteInvitation({ running: { host, port }, key }: ChosenSite): string[] {
  const url = `http://${host}:${port}`;
  return [
    "",
    `The HTTP API for web sites is at ${url}/v1, and what arrives is shown at ${url}/inbox.`,
    "",
    paint("bold", `  curl ${url}/v1/events -H 'Authorization: Bearer ${key}'`),
  ];
}

interface ChosenSite {
  readonly running: LocalSite;
  readonly key: string;
}

async function siteOption(
  { http, siteKeyFile }: Options,
  inbox: () => readonly InboxMail[],
): Promise<ChosenSite | undefined> {
  if (http === undefined) {
    if (siteKeyFile === undefined) return undefined;
    throw new CommandFailure(
      "usage",
      "--site-key-file is for a web site: give a port for it with --http, such as --http 8025",
    );
  }
  const port = portOption("--http", http);
  const key = siteKeyFile === undefined ? randomSecret() : await readSiteKey(siteKeyFile);
  const { openLocalSite } = await import("../local/site.ts");
  return { key, running: await openLocalSite({ port, key, inbox }) };
}

async function readSiteKey(path: string): Promise<string> {
  const { secrets } = await readKeyFile(path, { setting: "--site-key-file", use: "site demo" });
  return secrets[0] ?? "";
}

function portOption(name: string, text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new CommandFailure("usage", `${name} ${text}: write a number from 0 to 65535 (0 takes a free port)`);
}
