// The scene of the stories about who may send: DNS of the story, a forwarder in this process or `homing serve`, a next hop, and
// clients from any loopback address. Called by authentication-*.test.ts.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import {
  AUTHENTICATION_POLICY,
  type AuthenticationPolicy,
  createContentChecks,
  type DkimKey,
  type ForwarderEvent,
  parseForwarderFile,
  type TrustedForwarder,
} from "@homing/forwarder";
import { memoryContent } from "@homing/mail";
import type { Record as DnsRecord, Zone } from "../../packages/forwarder/src/testing/dns-server.ts";
import { startDnsServer } from "../../packages/forwarder/src/testing/dns-server.ts";
import {
  type Answers,
  type Hop,
  startHop,
  transact,
} from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { openDns } from "../../packages/forwarder/src/testing/test-dns.ts";
import { Wire } from "../../packages/forwarder/src/testing/wire.ts";
import { type HomingService, startHomingService } from "./homing.ts";
import { type InProcessForwarder, type InProcessOptions, inProcessForwarder, NOW } from "./in-process.ts";

export const ALICE = "alice@forwarder.example";
const ALIASES = "alice: private@home.example\nlist: private@home.example, hidden@club.example\n";

/** May change while the story runs. */
export type StoryZone = { -readonly [Name in keyof Zone]: Zone[Name] };

/** TXT records of one name. */
export function texts(...records: readonly string[]): readonly DnsRecord[] {
  return records.map((text) => ({ type: "TXT", strings: text.match(/.{1,255}/g) ?? [""] }) as const);
}

export function address(ipv4: string): readonly DnsRecord[] {
  return [{ type: "A", address: ipv4.split(".").map(Number) }];
}

export function message(from: string, more: readonly string[] = []): string {
  const fields = [`From: ${from}`, `To: ${ALICE}`, "Subject: x", "Message-ID: <1@x.example>", ...more];
  return `${fields.join("\r\n")}\r\n\r\nHello!\r\n`;
}

/** Rules that differ from the usual ones, for all recipients. */
export function rules(changes: Partial<AuthenticationPolicy>): { policyFor: () => AuthenticationPolicy } {
  const policy = { ...AUTHENTICATION_POLICY, ...changes };
  return { policyFor: () => policy };
}

/** The entries of such a file. */
export function trusting(...lines: readonly string[]): readonly TrustedForwarder[] {
  const { entries, problems } = parseForwarderFile(`${lines.join("\n")}\n`);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return entries;
}

/** One message of one client. */
export interface Sending {
  readonly from: string;
  readonly to?: string;
  readonly message?: string | Uint8Array;
  /** On loopback. Default: 127.0.0.1. */
  readonly client?: string;
}

export interface Scene {
  readonly hop: Hop;
  /** Of DNS. */
  readonly asked: readonly string[];
  /** The reply that ended the transaction. */
  send(sending: Sending): Promise<string>;
  /** The last message at the next hop, without its final dot. */
  arrived(): string;
}

export interface InProcessScene extends Scene {
  readonly forwarder: InProcessForwarder;
  authenticated(): Extract<ForwarderEvent, { event: "authenticated" }> | undefined;
  told(event: ForwarderEvent["event"]): readonly ForwarderEvent[];
  /** What DNS answered before is forgotten: so much time is gone for its cache. */
  pass(ms: number): void;
}

export interface SceneOptions extends Omit<Partial<InProcessOptions>, "authentication"> {
  readonly authentication?: Partial<InProcessOptions["authentication"]>;
  /** What the next hop says. */
  readonly hopSays?: Answers;
}

export async function authenticationScene(
  t: TestContext,
  zone: Zone,
  { authentication, hopSays, ...options }: SceneOptions = {},
): Promise<InProcessScene> {
  const hop = await startHop(hopSays);
  t.after(() => hop[Symbol.asyncDispose]());
  const { place, asked } = await startDnsServer(t, zone);
  let passed = 0;
  const clock = {
    now: () => performance.now() + passed,
    after(ms: number, call: () => void) {
      const timer = setTimeout(call, ms).unref();
      return () => clearTimeout(timer);
    },
  };
  const forwarder = await inProcessForwarder({
    aliases: ALIASES,
    nextHop: hop.port,
    authentication: { dns: openDns(t, { servers: [place], clock }), ...authentication },
    ...options,
  });
  t.after(() => forwarder[Symbol.asyncDispose]());
  return {
    ...sceneOf({ hop, port: forwarder.port, asked }),
    forwarder,
    authenticated: () => forwarder.events.findLast((one) => one.event === "authenticated"),
    told: (event) => forwarder.events.filter((one) => one.event === event),
    pass(ms) {
      passed += ms;
    },
  };
}

export interface ServedScene extends Scene {
  readonly homing: HomingService;
}

export interface ServedOptions {
  readonly zone: Zone;
  /** Lines of homing.yaml. */
  readonly config: readonly string[];
  readonly aliases?: string;
  readonly virtual?: string;
  /** Behind the smart host, in the map `delivery`. */
  readonly delivery?: string;
  readonly hopSays?: Answers;
}

/** `homing serve`, for what only the whole service has. */
export async function servedScene(
  t: TestContext,
  { zone, config, aliases = ALIASES, delivery = "", hopSays, ...tables }: ServedOptions,
): Promise<ServedScene> {
  const hop = await startHop(hopSays);
  t.after(() => hop[Symbol.asyncDispose]());
  const { place, asked } = await startDnsServer(t, zone);
  const homing = await startHomingService({
    config: [
      "hostname: mx.forwarder.example",
      "listen: 127.0.0.1:0",
      "aliasesFile: aliases",
      "srs: { domain: forwarder.example, secretsFile: secrets }",
      `dns: { servers: ["127.0.0.1:${place.port}"] }`,
      `delivery: { smartHost: "127.0.0.1:${hop.port}", ${delivery} }`,
      ...config,
      "",
    ].join("\n"),
    aliases,
    secret: "a secret of the stories, and long enough",
    ...tables,
  });
  t.after(() => homing[Symbol.asyncDispose]());
  return { ...sceneOf({ hop, port: homing.port, asked }), homing };
}

/** Files of a story, gone at its end. */
export async function storyFolder(
  t: TestContext,
  files: Readonly<Record<string, string>> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-authentication-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files))
    await writeFile(join(folder, name), text, { mode: 0o600 });
  return folder;
}

function sceneOf({ hop, port, asked }: { hop: Hop; port: number; asked: readonly string[] }): Scene {
  return {
    hop,
    asked,
    async send({ from, to = ALICE, message: content = message(from), client }) {
      using wire = await clientOf(port, client);
      return await transact(wire, { from, to, message: content });
    },
    arrived: () => (hop.messages.at(-1)?.toString("latin1") ?? "").replace(/\.\r\n$/, ""),
  };
}

/** A client at an address on loopback, greeted. */
export async function clientOf(port: number, localAddress = "127.0.0.1"): Promise<Wire> {
  const wire = new Wire(connect({ host: "127.0.0.1", port, localAddress }));
  await wire.reply();
  return wire;
}

/** Of a message's header block: names in lower case, values unfolded (RFC 5322 §2.2.3). */
export function fieldsOf(text: string): readonly (readonly [name: string, value: string])[] {
  const [header = ""] = text.split("\r\n\r\n", 1);
  return header
    .replace(/\r\n(?=[ \t])/g, "")
    .split("\r\n")
    .map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
}

/** The value of the topmost field of this name. */
export function fieldOf(text: string, name: string): string | undefined {
  return fieldsOf(text).find(([one]) => one === name)?.[1];
}

/** Puts ARC sets on messages, as other sites do: one thread each. */
export function sealer(t: TestContext, sealKey: DkimKey) {
  const checks = createContentChecks({
    ...{ dns: { txt: () => ({ kind: "no-such-name" }) as const }, now: () => NOW, threads: 1 },
    ...{ authservId: `mx.${sealKey.domain}`, sealKey },
  });
  t.after(() => checks.close());
  /** @param before sets that stand there already, all of them good */
  return async (text: string, results: string, before = 0): Promise<string> => {
    const arc = { result: before === 0 ? "none" : "pass", seals: [], instance: before } as const;
    const sealing = await checks.seal?.(memoryContent(Buffer.from(text, "latin1")), { arc, results });
    if (sealing?.kind !== "sealed") throw new Error(`not sealed: ${sealing?.cause}`);
    return sealing.fields + text;
  };
}
