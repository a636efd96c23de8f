// A site with all its service, on a storage in memory, with a clock that tests turn: for tests of messages/. Nothing is faked but
// the world: storage, clock, DNS, randomness, and the key of DKIM.
import assert from "node:assert/strict";
import { createRewriter, type Rewriter, type UnixSeconds } from "@homing/srs-core";
import { createOnBehalf } from "../create-on-behalf.ts";
import type { MessageRequest, OnBehalfOptions, Scope, SentMessage, SiteEvent } from "../on-behalf.ts";
import type { Problem } from "../problem.ts";
import { SITE_LIMITS, type Site, type SiteLimits } from "../site.ts";
import { createTokens } from "../tokens/create-tokens.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";

export const START: UnixSeconds = 1_800_000_000;
export const DAY = 86_400;

export interface MessageScene {
  readonly site: Site;
  readonly other: Site;
  readonly store: MemoryStore;
  readonly service: ReturnType<typeof createOnBehalf>;
  readonly rewriter: Rewriter;
  now: UnixSeconds;
  /** The key of DKIM cannot be used while it is false. */
  canSign: boolean;
  /** The service again, on the same storage: what a restart remembers. */
  restarted(): MessageScene;
  /** The button that a user presses: his address is confirmed. */
  confirm(address: string, scope?: Scope, site?: Site): Promise<string>;
  send(
    request?: Partial<MessageRequest>,
    key?: string,
    site?: Site,
  ): ReturnType<MessageScene["service"]["messages"]["send"]>;
  sent(request?: Partial<MessageRequest>, key?: string): Promise<SentMessage>;
  refused(request?: Partial<MessageRequest>, key?: string): Promise<Problem>;
  events(): Promise<readonly SiteEvent[]>;
}

export interface SceneChanges {
  readonly limits?: Partial<SiteLimits>;
  readonly site?: Partial<Site>;
  readonly zone?: Readonly<Record<string, readonly string[]>>;
  readonly store?: MemoryStore;
  readonly now?: UnixSeconds;
  /** Part of the ids of this instance. */
  readonly run?: number;
}

const TOKENS = createTokens(["a secret that is long enough for tests"]);

export function messageScene(changes: SceneChanges = {}): MessageScene {
  const store = changes.store ?? createMemoryStore();
  const run = changes.run ?? 0;
  const site: Site = { ...siteNamed("cards", "Example Cards"), ...changes.site };
  const limited = { ...site, limits: { ...site.limits, ...changes.limits } };
  const other = siteNamed("news", "Daily News");
  const rewriters = new Map(
    [limited, other].map(({ bounceDomain }) => [
      bounceDomain,
      createRewriter({ secrets: ["a long random secret"], domain: bounceDomain, alwaysRewrite: true }),
    ]),
  );
  // Asked for before the scene is there.
  const clock = { now: changes.now ?? START };
  let ids = 0;
  const options: OnBehalfOptions = {
    sites: [limited, other],
    store,
    tokens: TOKENS,
    publicUrl: "https://mail.site.example",
    hostname: "mail.site.example",
    rewriterOf: (domain) => rewriters.get(domain) ?? assert.fail(domain),
    sign: async (message, domain) => {
      if (!scene.canSign) throw new Error("no key");
      return Buffer.concat([Buffer.from(`DKIM-Signature: d=${domain}\r\n`), message]);
    },
    lookUpTxt: async (name) => changes.zone?.[name] ?? [],
    now: () => clock.now,
    newSecretId: () => `secret${run}x${String(++ids).padStart(16, "0")}`,
    newId: () => `queue${run}x${++ids}`,
  };
  const service = createOnBehalf(options);
  const requestOf = (request: Partial<MessageRequest>): MessageRequest => ({
    profile: "on-behalf",
    ...((request.profile ?? "on-behalf") === "on-behalf" && { onBehalfOf: "alice@example.org" }),
    to: ["bob@example.net"],
    subject: "A card for you",
    text: "Happy birthday!",
    ...request,
  });
  const scene: MessageScene = {
    site: limited,
    other,
    store,
    service,
    rewriter: rewriters.get(limited.bounceDomain) ?? assert.fail(),
    get now() {
      return clock.now;
    },
    set now(now) {
      clock.now = now;
    },
    canSign: true,
    restarted: () => messageScene({ ...changes, store, now: scene.now, run: run + 1 }),
    async confirm(address, scope = "user", at = limited) {
      const asked = await service.identities.request(at, { address, scope });
      assert.ok(asked.ok, JSON.stringify(asked));
      // Quoted-printable, which breaks lines and writes = otherwise.
      const text =
        store.mails.at(-1)?.message.toString("latin1").replace(/=\r\n/g, "").replaceAll("=3D", "=") ?? "";
      const token = /\/confirm\?t=([A-Za-z0-9_-]+)/.exec(text)?.[1] ?? assert.fail(text);
      const confirmed = await service.people.confirm(token);
      assert.ok(confirmed.ok, JSON.stringify(confirmed));
      return asked.identity.id;
    },
    send: (request = {}, key = undefined, at = limited) => service.messages.send(at, requestOf(request), key),
    async sent(request, key) {
      const outcome = await scene.send(request, key);
      assert.ok(outcome.ok, JSON.stringify(outcome));
      return outcome.message;
    },
    async refused(request, key) {
      const outcome = await scene.send(request, key);
      assert.ok(!outcome.ok, JSON.stringify(outcome));
      return outcome.problem;
    },
    async events() {
      const listed = await service.events.list(limited, undefined, 1000);
      assert.ok(listed.ok);
      return listed.events;
    },
  };
  return scene;
}

function siteNamed(name: string, title: string): Site {
  return {
    name,
    title,
    from: { localPart: name, domain: "site.example" },
    fromMode: "auto",
    bounceDomain: `${name}.bounce.example`,
    returnTo: { localPart: "bounces", domain: "site.example" },
    profiles: new Set(["on-behalf", "unimportant", "transactional"]),
    returnUrls: ["https://site.example/"],
    limits: SITE_LIMITS,
    keys: [`key of ${name}`],
  };
}
