// Two sites, a storage in memory, a clock that tests turn, and the mails that were sent: for tests of identities/.
import { createRewriter, type UnixSeconds } from "@homing/srs-core";
import { createIdentities } from "../identities/identities.ts";
import { createNeverList } from "../identities/never-list.ts";
import { createPeople } from "../identities/people.ts";
import type { EventType, Identities, OnBehalfOptions, People, SiteEvent } from "../on-behalf.ts";
import { SITE_LIMITS, type Site } from "../site.ts";
import { createSites } from "../sites.ts";
import type { OnBehalfStore } from "../store.ts";
import { createTokens } from "../tokens/create-tokens.ts";
import { createMemoryStore, type MemoryStore } from "./memory-store.ts";

export const START = 1_800_000_000;
export const DAY = 86_400;

export interface IdentityScene {
  readonly options: OnBehalfOptions;
  readonly store: MemoryStore;
  readonly identities: Identities;
  readonly people: People;
  readonly cards: Site;
  readonly news: Site;
  now: UnixSeconds;
  /** DKIM does not work while it is false. */
  canSign: boolean;
  events(): readonly { readonly site: string; readonly type: EventType; readonly data: SiteEvent["data"] }[];
  /** Text of the newest mail, decoded. */
  lastMail(): string;
  /** Token of the confirmation link in the newest mail. */
  confirmToken(): string;
  /** Token of the link at its foot. */
  manageToken(): string;
}

export interface SceneChanges {
  readonly cards?: Partial<Site>;
  readonly secrets?: readonly string[];
  /** Between the code and the storage. */
  readonly storeOver?: (store: MemoryStore) => OnBehalfStore;
  /** In place of a new one: another process on the same disk. */
  readonly store?: MemoryStore;
}

export function identityScene(changes: SceneChanges = {}): IdentityScene {
  const store = changes.store ?? createMemoryStore();
  const cards = { ...siteNamed("cards", "Example Cards"), ...changes.cards };
  const news = siteNamed("news", "Daily News");
  let ids = 0;
  let events = 0;
  const options: OnBehalfOptions = {
    sites: [cards, news],
    store: changes.storeOver?.(store) ?? store,
    tokens: createTokens(changes.secrets ?? ["a secret that is long enough for tests"]),
    publicUrl: "https://mail.site.example",
    hostname: "mail.site.example",
    rewriterOf: (domain) => createRewriter({ domain, secrets: ["s"] }),
    sign: async (message) => {
      if (!scene.canSign) throw new Error("no key");
      return message;
    },
    lookUpTxt: async () => [],
    now: () => scene.now,
    newSecretId: () => `secret-${String(++ids).padStart(20, "0")}`,
    newId: () => `queue${++ids}`,
  };
  const facts = {
    fact: (site: string, type: EventType, at: UnixSeconds, data: SiteEvent["data"]) => {
      const key = `${site} ${String(++events).padStart(6, "0")}`;
      return {
        of: "ob-event" as const,
        key,
        value: JSON.stringify({ site, type, data }),
        expires: at + 30 * DAY,
      };
    },
  };
  const sites = createSites(options.sites);
  const parts = { options, events: facts, sites, never: createNeverList(options.store) };
  const scene: IdentityScene = {
    options,
    store,
    identities: createIdentities(parts),
    people: createPeople(parts),
    cards,
    news,
    now: START,
    canSign: true,
    events: () => store.facts("ob-event").map(({ value }) => JSON.parse(value)),
    lastMail: () => decoded(store.mails.at(-1)?.message ?? Buffer.alloc(0)),
    confirmToken: () => tokenIn(scene.lastMail(), "confirm"),
    manageToken: () => tokenIn(scene.lastMail(), "mine"),
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
    profiles: new Set(["on-behalf"]),
    returnUrls: ["https://site.example/"],
    limits: SITE_LIMITS,
    keys: [`key of ${name}`],
  };
}

/** Quoted-printable as readers decode it; what is plain stays as it is. */
function decoded(message: Buffer): string {
  const text = message.toString("latin1");
  const isQuoted = /\r\nContent-Transfer-Encoding: quoted-printable\r\n/.test(text);
  const end = text.indexOf("\r\n\r\n");
  const body = text.slice(end).replace(/=\r\n/g, "");
  const octets = isQuoted
    ? body.replace(/=([0-9A-F]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)))
    : text.slice(end);
  return Buffer.from(text.slice(0, end) + octets, "latin1").toString("utf8");
}

function tokenIn(mail: string, page: "confirm" | "mine"): string {
  const found = new RegExp(`\r\nhttps://mail\\.site\\.example/${page}\\?t=([A-Za-z0-9_-]+)\r\n`).exec(mail);
  if (!found?.[1]) throw new Error(`no link to ${page} in ${mail}`);
  return found[1];
}
