// The web site of `homing local --http`: its HTTP API, and what its users' mail needs, in a folder that goes with the program.
// Called by commands/local.ts.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createWhyLinks,
  type Forwarder,
  type ForwarderSettings,
  openState,
  type World,
} from "@homing/forwarder";
import { type HttpListener, type InboxMail, listenHttp } from "@homing/http";
import { SITE_LIMITS, type Site } from "@homing/on-behalf";
import { listenFailure } from "../failure.ts";
import { rewriterOfSite } from "../on-behalf/read-sites.ts";
import { createRunningSites, type RunningSites } from "../on-behalf/sites.ts";
import { randomSecret } from "../system-world.ts";
import { unixNow } from "../time.ts";

const HOST = "127.0.0.1";
const BOUNCE_DOMAIN = "bounce.demo.example";
const MAX_AGE_DAYS = 21;

export interface LocalSiteOptions {
  /** 0 takes a free one. */
  readonly port: number;
  readonly key: string;
  readonly inbox: () => readonly InboxMail[];
}

export interface LocalSite {
  readonly host: string;
  readonly port: number;
  /** What the forwarder needs beside its own settings. */
  start(surroundings: {
    readonly hostname: string;
    readonly world: World;
  }): Promise<Pick<ForwarderSettings, "state" | "sentMail">>;
  connect(forwarder: Pick<Forwarder, "post">): void;
  /** Behind the forwarder. */
  close(): Promise<void>;
}

export async function openLocalSite({ port: wanted, key, inbox }: LocalSiteOptions): Promise<LocalSite> {
  // Links in mail need to know it before anything listens there.
  const port = wanted === 0 ? await freePort() : wanted;
  const publicUrl = `http://${HOST}:${port}`;
  const folder = await mkdtemp(join(tmpdir(), "homing-local-"));
  const state = await openState({ folder, maxAgeDays: MAX_AGE_DAYS, now: unixNow, minFreeOctets: 0 });
  let sites: RunningSites | undefined;
  let http: HttpListener | undefined;

  return {
    host: HOST,
    port,
    async start({ hostname, world }) {
      const secrets = [randomSecret()];
      sites = createRunningSites({
        ...{ state, hostname, publicUrl, world },
        read: {
          sites: [demoSite(key)],
          linkKeys: secrets,
          rewriters: new Map([[BOUNCE_DOMAIN, rewriterOfSite(BOUNCE_DOMAIN, secrets, MAX_AGE_DAYS)]]),
        },
        dkimKeys: [],
      });
      http = await listenHttp({
        ...{ listen: { host: HOST, port }, hostname, inbox },
        onBehalf: { ...sites.onBehalf, publicUrl },
        whyLinks: createWhyLinks({ publicUrl, secrets, now: unixNow }),
        failed: (error) => world.report({ event: "error", session: "", message: String(error) }),
      }).catch((error: unknown) => {
        throw listenFailure(error, `${HOST}:${port}`, `choose another port, such as: --http ${port + 1}`);
      });
      return { state, sentMail: sites.sentMail };
    },
    connect: (forwarder) => sites?.connect(forwarder),
    async close() {
      await http?.close();
      await state.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function demoSite(key: string): Site {
  return {
    name: "demo",
    title: "Homing Demo",
    from: { localPart: "demo", domain: "demo.example" },
    fromMode: "auto",
    bounceDomain: BOUNCE_DOMAIN,
    returnTo: { localPart: "demo", domain: "demo.example" },
    profiles: new Set(["on-behalf", "unimportant", "transactional"]),
    // On any port.
    returnUrls: [`http://${HOST}`, "http://localhost"],
    limits: SITE_LIMITS,
    keys: [key],
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
