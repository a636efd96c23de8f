// A service with web sites, people and both kinds of submission, beside one server that plays all others in the world; and what a
// site and its users do: ask over HTTP, follow mailed links, press buttons. Called by the stories of mail on behalf of users.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDnsServer, type Zone } from "../../packages/forwarder/src/testing/dns-server.ts";
import type { RemoteBounce } from "./bounce-peers.ts";
import { type HomingProcess, startHoming } from "./homing.ts";
import { callsOf, peopleOf, waitsOf } from "./on-behalf-calls.ts";
import { newKey, writeFiles } from "./on-behalf-files.ts";
import { type Refusal, type ScriptedHop, startScriptedHop, type Taken } from "./scripted-hop.ts";

export const HOSTNAME = "mx.club.example";
export const PUBLIC_URL = "https://mail.site.example";
export const BOUNCES = "bounce.site.example";
/** Who may hand in mail as himself. Passwords are hashed slowly, as they should be: stories log in with few. */
export const CAROL = { name: "carol", password: "correct horse battery", address: "carol@club.example" };

/** Two sites that know nothing of each other. */
const SITES: Readonly<Record<string, object>> = {
  cards: {
    title: "Example Cards",
    from: "cards@site.example",
    bounceDomain: BOUNCES,
    returnTo: "bounces@site.example",
    returnUrls: ["https://site.example/cards/"],
    profiles: ["on-behalf", "unimportant", "transactional"],
  },
  forum: { title: "Town Forum", from: "forum@town.example", bounceDomain: "bounce.town.example" },
};

export interface OnBehalfSiteOptions {
  /** Beside `cards` and `forum`, or in place of them. */
  readonly sites?: Readonly<Record<string, object>>;
  /** Settings of homing.yaml, in place of the scene's. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Beside Carol: name and password, addresses at club.example. */
  readonly users?: readonly { readonly name: string; readonly password: string }[];
  /** What the next hop says to RCPT. */
  readonly refusal?: Refusal;
  /** DNS; what is not in it is not there. */
  readonly zone?: Zone;
  /** Makes further files before the start. */
  readonly prepare?: (folder: string) => Promise<void>;
}

export interface Ports {
  readonly smtp: number;
  readonly http: number;
  /** STARTTLS. */
  readonly submission: number;
  /** TLS from the first octet. */
  readonly submissionTls: number;
}

/** A JSON answer of any kind; what is not in it is undefined. */
export interface AnswerBody {
  readonly id?: string;
  readonly status?: string | number;
  readonly address?: string;
  readonly proof?: string;
  readonly type?: string;
  readonly field?: string;
  readonly detail?: string;
  readonly next?: string;
  readonly from?: { readonly address: string; readonly mode: string };
  readonly recipients?: readonly {
    readonly address: string;
    readonly status: string;
    readonly enhanced?: string;
  }[];
  readonly events?: readonly SeenEvent[];
  readonly suppressions?: readonly { readonly address: string; readonly reason: string }[];
  readonly keys?: readonly { readonly x: string }[];
}

export interface SeenEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** `{}` of what is no JSON. */
  readonly body: AnswerBody;
}

export interface Asking {
  /** Name of the site whose key goes along; default `cards`; undefined: none. */
  readonly site?: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface OnBehalfSite extends AsyncDisposable {
  readonly folder: string;
  readonly hop: ScriptedHop;
  /** Of the process that runs now. */
  readonly ports: Ports;
  readonly keyOf: (site: string) => string;
  /** Without a warning. */
  kill(): Promise<void>;
  /** Again, on the same state, behind `kill`. */
  start(): Promise<void>;
  /** To the API; a body that is a string goes as it is. */
  api(method: string, path: string, asking?: Asking): Promise<Answer>;
  /** To the pages: a form, where there is one. */
  page(method: string, path: string, form?: Readonly<Record<string, string>>): Promise<Answer>;
  /** All mail to the address, once there is so much of it. */
  mailTo(address: string, count?: number): Promise<readonly Taken[]>;
  /** Asks for the address, and gives the token of the mailed link. */
  asked(address: string, site?: string, more?: Readonly<Record<string, string>>): Promise<string>;
  /** All of it, with the button pressed. @returns the identity's id */
  confirmed(address: string, site?: string, scope?: "user" | "visitor"): Promise<string>;
  eventsOf(site: string, type: string): Promise<readonly SeenEvent[]>;
  /** Events of the site, once there are so many of this type. */
  waitForEvents(type: string, count: number, site?: string): Promise<readonly SeenEvent[]>;
  /** As another server brings it, to the return path. @returns the last reply */
  bounce(to: string, bounce: RemoteBounce): Promise<string>;
  /** Waits until nothing is in the queue. */
  settled(): Promise<void>;
  /** All that the service has logged, every process of it. */
  log(): string;
}

export async function startOnBehalfSite(options: OnBehalfSiteOptions = {}): Promise<OnBehalfSite> {
  await using stack = new AsyncDisposableStack();
  const hop = stack.use(await startScriptedHop(options.refusal));
  const folder = await mkdtemp(join(tmpdir(), "homing-on-behalf-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const after = (closed: () => void): void => stack.defer(closed);
  const { place: dns } = await startDnsServer(
    { after } as Parameters<typeof startDnsServer>[0],
    options.zone ?? {},
  );
  const sites = { ...SITES, ...options.sites };
  const keys = new Map(Object.keys(sites).map((name) => [name, newKey()]));
  await writeFiles(folder, { ...options, sites, keys, hopPort: hop.port, dnsPort: dns.port });
  let service = await start(folder);
  stack.defer(() => service.process[Symbol.asyncDispose]());
  let earlier = "";

  const keyOf = (site: string): string => keys.get(site) ?? assert.fail(`no site ${site}`);
  const base = { folder, hop, keyOf, get: () => service };
  const calls = { ...callsOf(base), ...waitsOf(base) };
  const kept = stack.move();
  return {
    folder,
    hop,
    keyOf,
    get ports() {
      return service.ports;
    },
    async kill() {
      await service.process.stop("SIGKILL");
    },
    async start() {
      earlier += service.process.stdout();
      service = await start(folder);
    },
    ...calls,
    ...peopleOf(calls),
    log: () => earlier + service.process.stdout(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export interface Running {
  readonly process: HomingProcess;
  readonly ports: Ports;
}

async function start(folder: string): Promise<Running> {
  const process = startHoming(["serve", "--config", join(folder, "homing.yaml")]);
  try {
    const portIn = async (pattern: RegExp): Promise<number> => {
      const [, port] = await process.waitForOutput(pattern);
      return Number(port);
    };
    return {
      process,
      ports: {
        smtp: await portIn(/"event":"listening".*"port":(\d+)/),
        http: await portIn(/"event":"http-listening".*"port":(\d+)/),
        submission: await portIn(/"event":"submission-listening".*"port":(\d+),"tls":false/),
        submissionTls: await portIn(/"event":"submission-listening".*"port":(\d+),"tls":true/),
      },
    };
  } catch (error) {
    await process[Symbol.asyncDispose]();
    throw error;
  }
}
