// A service with web sites, people and both kinds of submission, beside one server that plays all others in the world; and what a
// site and its users do: ask over HTTP, follow mailed links, press buttons. Called by the stories of mail on behalf of users.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashPassword } from "@homing/forwarder";
import { CERTIFICATE, CERTIFICATE_KEY } from "../../packages/forwarder/src/testing/certificate.ts";
import { startDnsServer, type Zone } from "../../packages/forwarder/src/testing/dns-server.ts";
import { greeted, transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { type ReadMail, readMail } from "../../packages/on-behalf/src/testing/read-mail.ts";
import { type RemoteBounce, remoteBounce } from "./bounce-peers.ts";
import { type HomingProcess, homing, startHoming } from "./homing.ts";
import { type Refusal, type ScriptedHop, startScriptedHop, type Taken } from "./scripted-hop.ts";
import { waitFor } from "./wait.ts";

export const HOSTNAME = "mx.club.example";
export const PUBLIC_URL = "https://mail.site.example";
export const BOUNCES = "bounce.site.example";
/** Who may hand in mail as himself. Passwords are hashed slowly, as they should be: stories log in with few. */
export const CAROL = { name: "carol", password: "correct horse battery", address: "carol@club.example" };

const SECONDS = 20;

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
  /** On the same state. */
  restart(signal: NodeJS.Signals): Promise<void>;
  kill(): Promise<void>;
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

  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    await service.process.stop(signal);
    earlier += service.process.stdout();
  };
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
    kill: () => kill("SIGKILL"),
    async restart(signal) {
      await kill(signal);
      service = await start(folder);
    },
    ...calls,
    ...peopleOf(calls),
    log: () => earlier + service.process.stdout(),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

// --- what a site and its users do -----------------------------------------------------------------------------------------------

interface Base {
  readonly folder: string;
  readonly hop: ScriptedHop;
  readonly keyOf: (site: string) => string;
  readonly get: () => Running;
}

type Calls = Pick<OnBehalfSite, "api" | "page" | "bounce">;
type Waits = Pick<OnBehalfSite, "mailTo" | "eventsOf" | "waitForEvents" | "settled">;

function callsOf({ keyOf, get }: Base): Calls {
  const http = (path: string): string => `http://127.0.0.1:${get().ports.http}${path}`;
  return {
    async api(method, path, { body, headers = {}, ...asking } = {}) {
      const site = "site" in asking ? asking.site : "cards";
      return await answerOf(
        await fetch(http(path), {
          method,
          headers: {
            ...(site === undefined ? {} : { Authorization: `Bearer ${keyOf(site)}` }),
            ...(body === undefined ? {} : { "Content-Type": "application/json" }),
            ...headers,
          },
          ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
        }),
      );
    },
    async page(method, path, form) {
      const body = form === undefined ? {} : { body: new URLSearchParams(form) };
      return await answerOf(await fetch(http(path), { method, redirect: "manual", ...body }));
    },
    async bounce(to, bounce) {
      using client = await greeted({ port: get().ports.smtp });
      return await transact(client, { from: "", to, message: remoteBounce(bounce) });
    },
  };
}

function waitsOf({ folder, hop, keyOf, get }: Base): Waits {
  const eventsOf: OnBehalfSite["eventsOf"] = async (site, type) => {
    const url = `http://127.0.0.1:${get().ports.http}/v1/events?limit=1000`;
    const answer = await answerOf(await fetch(url, { headers: { Authorization: `Bearer ${keyOf(site)}` } }));
    assert.equal(answer.status, 200, answer.text);
    return (answer.body.events ?? []).filter((event) => event.type === type);
  };
  return {
    eventsOf,
    mailTo: (address, count = 1) =>
      waitFor(
        () => {
          const mails = hop.taken.filter(({ recipient }) => recipient === address);
          return mails.length >= count ? mails : undefined;
        },
        { seconds: SECONDS, otherwise: () => `not ${count} mails to ${address}:\n${get().process.stdout()}` },
      ),
    waitForEvents: (type, count, site = "cards") =>
      waitFor(
        async () => {
          const events = await eventsOf(site, type);
          return events.length >= count ? events : undefined;
        },
        { seconds: SECONDS, otherwise: () => `not ${count} events ${type}:\n${get().process.stdout()}` },
      ),
    async settled() {
      let shown = "";
      await waitFor(
        async () => {
          const { stdout } = await homing([
            "queue",
            "list",
            "--json",
            "--config",
            join(folder, "homing.yaml"),
          ]);
          shown = stdout.toString();
          return /^\{"ok":true,"messages":0,/m.test(shown) ? true : undefined;
        },
        { seconds: SECONDS, otherwise: () => `the queue is not empty:\n${shown}` },
      );
    },
  };
}

function peopleOf(calls: Calls & Waits): Pick<OnBehalfSite, "asked" | "confirmed"> {
  const asked: OnBehalfSite["asked"] = async (address, site = "cards", more = {}) => {
    const answer = await calls.api("POST", "/v1/identities", { site, body: { address, ...more } });
    assert.equal(answer.status, 202, answer.text);
    const mail = (await calls.mailTo(address)).at(-1);
    return linkIn(mail ?? assert.fail(), "confirm");
  };
  return {
    asked,
    async confirmed(address, site = "cards", scope = "user") {
      const token = await asked(address, site, { scope });
      const pressed = await calls.page("POST", "/confirm", { t: token });
      assert.equal(pressed.status, 200, pressed.text);
      const found = await calls.api("GET", `/v1/identities/${encodeURIComponent(address)}`, { site });
      assert.equal(found.body.status, "confirmed", found.text);
      return found.body.id ?? assert.fail(found.text);
    },
  };
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /^application\/(?:problem\+)?json/.test(response.headers.get("content-type") ?? "");
  const body = isJson ? (JSON.parse(text) as AnswerBody) : {};
  return { status: response.status, headers: response.headers, text, body };
}

/** Name of the problem that an answer is. */
export function problemOf({ body }: Answer): string | undefined {
  return body.type?.slice(`${PUBLIC_URL}/problems/`.length);
}

export function read({ message }: Pick<Taken, "message">): ReadMail {
  return readMail(Buffer.from(message, "latin1"));
}

/** Token of the link to a page. */
export function linkIn(mail: Pick<Taken, "message">, page: "confirm" | "mine"): string {
  const text = read(mail).parts.get("text/plain") ?? "";
  const found = new RegExp(`^${PUBLIC_URL}/${page}\\?t=([\\w-]+)\\r$`, "m").exec(text);
  return found?.[1] ?? assert.fail(`no link to ${page} in ${text}`);
}

// --- the service ------------------------------------------------------------------------------------------------------------------

interface Running {
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

interface Files extends OnBehalfSiteOptions {
  readonly sites: Readonly<Record<string, object>>;
  readonly keys: ReadonlyMap<string, string>;
  readonly hopPort: number;
  readonly dnsPort: number;
}

async function writeFiles(folder: string, files: Files): Promise<void> {
  const { sites, keys, users = [], prepare } = files;
  const secret = (name: string, text: string): Promise<void> =>
    writeFile(join(folder, name), `${text}\n`, { mode: 0o600 });
  const people = [CAROL, ...users.map((user) => ({ ...user, address: `${user.name}@club.example` }))];
  const lines = people.map(
    async ({ name, password, address }) =>
      `${name}:${await hashPassword(password, randomBytes(16))}:${address}`,
  );
  await Promise.all([
    secret("secrets", newKey()),
    secret("links", newKey()),
    secret("key.pem", CERTIFICATE_KEY),
    secret("users", (await Promise.all(lines)).join("\n")),
    ...[...keys].map(([name, key]) => secret(`${name}.keys`, key)),
    writeFile(join(folder, "cert.pem"), CERTIFICATE),
    writeFile(join(folder, "aliases"), "postmaster: keeper@office.example\ncarol: carol@home.example\n"),
  ]);
  await prepare?.(folder);
  const named = Object.entries(sites).map(([name, site]) => [name, { keysFile: `${name}.keys`, ...site }]);
  // JSON is YAML.
  await writeFile(
    join(folder, "homing.yaml"),
    JSON.stringify({
      ...settingsOf(files),
      onBehalf: { keysFile: "links", sites: Object.fromEntries(named) },
    }),
  );
}

function settingsOf({ hopPort, dnsPort, settings }: Files): object {
  return {
    hostname: HOSTNAME,
    listen: "127.0.0.1:0",
    domains: ["club.example", HOSTNAME],
    aliasesFile: "aliases",
    srs: { domain: "srs.club.example", secretsFile: "secrets" },
    dkim: "unsigned",
    authentication: { mode: "off" },
    dns: { servers: [`127.0.0.1:${dnsPort}`] },
    delivery: { smartHost: `127.0.0.1:${hopPort}` },
    stateDirectory: "state",
    tls: { certificateFile: "cert.pem", keyFile: "key.pem" },
    http: { listen: "127.0.0.1:0", publicUrl: PUBLIC_URL },
    submission: { listen: "127.0.0.1:0", listenTls: "127.0.0.1:0", usersFile: "users" },
    ...settings,
  };
}

function newKey(): string {
  return randomBytes(24).toString("base64");
}
