// The whole loop on loopback: a forwarder, and an inbox that plays every other server. Called by `homing local`.
import {
  createTableRules,
  type Forwarder,
  type ForwarderEvent,
  type ForwarderSettings,
  type HostPort,
  loadTables,
  startForwarder,
  submit,
  type World,
} from "@homing/forwarder";
import { mailDate, memoryContent } from "@homing/mail";
import { createRewriter, type Mailbox, NULL_PATH, renderMailbox } from "@homing/srs-core";
import { CommandFailure, listenFailure } from "../failure.ts";
import { randomSecret, systemWorld } from "../system-world.ts";
import { unixNow } from "../time.ts";
import { createDeliveries } from "./deliveries.ts";
import {
  type Arrival,
  composeBounce,
  MAILBOX_FULL,
  NO_SUCH_USER,
  startInbox,
  type WhyBounced,
} from "./inbox.ts";
import { greeting, ORIGINAL_SENDER } from "./messages.ts";
import type { LocalSite } from "./site.ts";

export const DOMAIN = "forwarder.example";
/** Her new home takes a message and then bounces it. */
export const ALICE: Mailbox = { localPart: "alice", domain: DOMAIN };
/** Her new home keeps what comes. */
export const CAROL: Mailbox = { localPart: "carol", domain: DOMAIN };

const HOST = "127.0.0.1";
const FULL_MAILBOX: Mailbox = { localPart: "alice", domain: "home.example" };
/** At any domain. Whatever is sent there is taken, and bounced: for who tries how his site takes it. */
const BOUNCING: ReadonlyMap<string, WhyBounced> = new Map([
  ["full", MAILBOX_FULL],
  ["gone", NO_SUCH_USER],
]);
const ALIASES = `alice: ${renderMailbox(FULL_MAILBOX)}\ncarol: carol@home.example\npostmaster: carol\n`;
const HOSTNAME = `mx.${DOMAIN}`;
const INBOX_HOSTNAME = "mx.elsewhere.example";

export interface Loopback {
  readonly forwarder: HostPort;
  /** Sends one message to ALICE; resolves when its bounce is home. */
  sendGreeting(): Promise<void>;
  close(): Promise<void>;
}

export interface LoopbackListener {
  forwarder(event: ForwarderEvent): void;
  /** The inbox kept a message. */
  arrived(arrival: Arrival): void;
  /** The inbox took a message and returns it now. */
  bounced(by: string, to: string, why: WhyBounced): void;
}

/** @param port 0 takes a free one; @param site with `--http` */
export async function startLoopback(
  port: number,
  listener: LoopbackListener,
  site?: LocalSite,
): Promise<Loopback> {
  const bounces = new Set<Promise<unknown>>();
  let isHome = (): void => {};
  const home = new Promise<void>((resolve) => {
    isHome = resolve;
  });

  const keepOrBounce = (arrival: Arrival): void => {
    const { reversePath, recipient } = arrival;
    // RFC 5321 §4.5.5: nothing is ever returned to the null sender.
    const why = whyBounced(recipient);
    if (why === undefined || reversePath === NULL_PATH) {
      listener.arrived(arrival);
      if (renderMailbox(recipient) === renderMailbox(ORIGINAL_SENDER)) isHome();
    } else {
      const pending = bounce(arrival, reversePath, why).finally(() => bounces.delete(pending));
      bounces.add(pending);
    }
  };
  const deliveries = createDeliveries(keepOrBounce);
  const inbox = await startInbox({
    host: HOST,
    hostname: INBOX_HOSTNAME,
    arrived: deliveries.arrived,
    failed: (error) => listener.forwarder({ event: "error", session: "inbox", message: String(error) }),
  });
  const report = (event: ForwarderEvent): void => {
    listener.forwarder(event);
    deliveries.report(event);
  };
  const world = site ? { ...systemWorld(report), ...NO_DNS } : systemWorld(report);
  const started = async (): Promise<Forwarder> => {
    const own = await settings(port, inbox);
    return await startForwarder({ ...own, ...(await site?.start({ hostname: HOSTNAME, world })) }, world);
  };
  const forwarder = await started().catch(async (error: unknown) => {
    await inbox.close();
    // Of the site: its own port.
    if (error instanceof CommandFailure) throw error;
    throw listenFailure(
      error,
      `${HOST}:${port}`,
      `choose another port with --port, such as: npm start -- --port ${port + 1}`,
    );
  });
  site?.connect(forwarder);

  const bounce = async (arrival: Arrival, returnTo: Mailbox, why: WhyBounced): Promise<void> => {
    listener.bounced(INBOX_HOSTNAME, renderMailbox(returnTo), why);
    const report = { returnTo, why, hostname: INBOX_HOSTNAME, date: mailDate(unixNow()) };
    await submit({
      server: forwarder,
      hostname: INBOX_HOSTNAME,
      envelope: { reversePath: NULL_PATH, recipient: returnTo, eightBit: true, smtpUtf8: false },
      message: memoryContent(composeBounce(arrival, report)),
    });
  };

  return {
    forwarder,
    async sendGreeting() {
      await submit({ server: forwarder, hostname: "mx.origin.example", ...greeting(ALICE, unixNow()) });
      await Promise.all(bounces);
      // From a queue it comes a moment later.
      await home;
    },
    async close() {
      await Promise.all([forwarder.close(), inbox.close()]);
    },
  };
}

/** Nobody out there is asked about made-up domains. */
const NO_DNS: Pick<World, "txt"> = {
  txt: async () => ({ kind: "failed", cause: "homing local asks no DNS" }),
};

/** Undefined where mail is kept. */
function whyBounced(recipient: Mailbox): WhyBounced | undefined {
  if (renderMailbox(recipient) === renderMailbox(FULL_MAILBOX)) return MAILBOX_FULL;
  return BOUNCING.get(recipient.localPart);
}

async function settings(port: number, inbox: HostPort): Promise<ForwarderSettings> {
  const rules = createTableRules({ domains: [DOMAIN], ownNames: [HOSTNAME] });
  const loaded = await loadTables({ aliases: "aliases" }, rules, async function* () {
    yield Buffer.from(ALIASES);
  });
  if (!loaded.ok) throw new Error("the sample aliases are wrong");
  const secrets = [randomSecret()];
  return {
    hostname: HOSTNAME,
    listen: { host: HOST, port },
    rewriter: createRewriter({ secrets, domain: DOMAIN }),
    tables: loaded.tables,
    routes: new Map(),
    smartHost: inbox,
    privateNetworks: [],
    trustedNetworks: [],
    maxMessageOctets: 25 * 1024 * 1024,
    maxClients: 100,
    maxHops: 50,
    loopSecrets: secrets,
  };
}
