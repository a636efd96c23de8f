// The real service of packages/on-behalf on a storage in memory, behind HTTP: for tests that go all the way.
import { createOnBehalf, createTokens, type OnBehalf, SITE_LIMITS, type Site } from "@homing/on-behalf";
import { createRewriter } from "@homing/srs-core";
import { createMemoryStore, type MemoryStore } from "../../../on-behalf/src/testing/memory-store.ts";
import type { PublishedOnBehalf } from "../app.ts";

export const SITE_KEY = "a-site-key-0123456789abcdef";

/** As `homing local` has it. */
const DEMO: Site = {
  name: "demo",
  title: "Homing Demo",
  from: { localPart: "demo", domain: "demo.example" },
  fromMode: "auto",
  bounceDomain: "bounce.demo.example",
  returnTo: { localPart: "demo", domain: "demo.example" },
  profiles: new Set(["on-behalf", "unimportant", "transactional"]),
  returnUrls: ["http://127.0.0.1", "http://localhost"],
  limits: SITE_LIMITS,
  keys: [SITE_KEY],
};

export interface RealService extends PublishedOnBehalf {
  readonly store: MemoryStore;
  readonly returns: OnBehalf["returns"];
  /** Of a link at the foot of mail of a site, which may not be there any more. */
  readonly manageToken: (address: string, site: string) => string;
  /** The token in a link of the newest mail: `confirm` or `mine`. */
  readonly tokenTo: (path: "confirm" | "mine") => string;
}

/** What time it is in these tests. */
export const NOW = 1_790_000_000;

export function createRealService(publicUrl: string): RealService {
  const store = createMemoryStore();
  const tokens = createTokens(["a secret that is long enough for tests"]);
  let ids = 0;
  const service = createOnBehalf({
    sites: [DEMO],
    store,
    tokens,
    publicUrl,
    hostname: "mx.demo.example",
    rewriterOf: (domain) =>
      createRewriter({ secrets: ["a long random secret"], domain, alwaysRewrite: true }),
    sign: async (message) => message,
    lookUpTxt: () => Promise.reject(new Error("nobody is asked")),
    now: () => NOW,
    newSecretId: () => `secret-${String(++ids).padStart(20, "0")}`,
    newId: () => `queue-${++ids}`,
  });
  return {
    ...service,
    publicUrl,
    store,
    manageToken: (address, site) =>
      tokens.sign({ purpose: "manage", address, site, nonce: "A".repeat(22), expires: NOW + 60 }),
    tokenTo(path) {
      // Quoted-printable, which breaks lines and writes = otherwise.
      const text = store.mails
        .at(-1)
        ?.message.toString("latin1")
        .replace(/=\r\n/g, "")
        .replaceAll("=3D", "=");
      const token = new RegExp(`/${path}\\?t=([\\w-]+)`).exec(text ?? "")?.[1];
      if (token === undefined) throw new Error(`no link to ${path} in ${text}`);
      return token;
    },
  };
}
