// The whole loop on loopback: a forwarder, and an inbox that plays every other server. Called by `homing local`.
import {
  createTableRules,
  type ForwarderEvent,
  type ForwarderSettings,
  type HostPort,
  loadTables,
  startForwarder,
  submit,
} from "@homing/forwarder";
import { mailDate, memoryContent } from "@homing/mail";
import { createRewriter, type Mailbox, NULL_PATH, renderMailbox } from "@homing/srs-core";
import { listenFailure } from "../failure.ts";
import { randomSecret, systemWorld } from "../system-world.ts";
import { unixNow } from "../time.ts";
import { type Arrival, composeBounce, startInbox } from "./inbox.ts";
import { greeting } from "./messages.ts";

export const DOMAIN = "forwarder.example";
/** Her new home takes a message and then bounces it. */
export const ALICE: Mailbox = { localPart: "alice", domain: DOMAIN };
/** Her new home keeps what comes. */
export const CAROL: Mailbox = { localPart: "carol", domain: DOMAIN };

const HOST = "127.0.0.1";
const FULL_MAILBOX = "alice@home.example";
const ALIASES = `alice: ${FULL_MAILBOX}\ncarol: carol@home.example\npostmaster: carol\n`;
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
  bounced(by: string, to: string): void;
}

/** @param port 0 takes a free one */
export async function startLoopback(port: number, listener: LoopbackListener): Promise<Loopback> {
  const arrivals: Arrival[] = [];
  const delivered = new Map<string, Arrival[]>();
  const bounces = new Set<Promise<unknown>>();

  const inbox = await startInbox({
    host: HOST,
    hostname: INBOX_HOSTNAME,
    arrived: (arrival) => void arrivals.push(arrival),
    failed: (error) => listener.forwarder({ event: "error", session: "inbox", message: String(error) }),
  });
  const report = (event: ForwarderEvent): void => {
    listener.forwarder(event);
    if (event.event === "delivered") {
      const index = arrivals.findIndex(({ recipient }) => renderMailbox(recipient) === event.target);
      const found = index < 0 ? [] : arrivals.splice(index, 1);
      delivered.set(event.id, [...(delivered.get(event.id) ?? []), ...found]);
    }
    if (event.event !== "answered") return;
    // A destination has a message, and can bounce it, once its sender was told so.
    for (const arrival of delivered.get(event.id) ?? []) keepOrBounce(arrival);
    delivered.delete(event.id);
  };
  const forwarder = await startForwarder(await settings(port, inbox), systemWorld(report)).catch(
    async (error: unknown) => {
      await inbox.close();
      throw listenFailure(
        error,
        `${HOST}:${port}`,
        `choose another port with --port, such as: npm start -- --port ${port + 1}`,
      );
    },
  );

  const keepOrBounce = (arrival: Arrival): void => {
    const { reversePath, recipient } = arrival;
    // RFC 5321 §4.5.5: nothing is ever returned to the null sender.
    if (renderMailbox(recipient) !== FULL_MAILBOX || reversePath === NULL_PATH) {
      listener.arrived(arrival);
    } else {
      const pending = bounce(arrival, reversePath).finally(() => bounces.delete(pending));
      bounces.add(pending);
    }
  };

  const bounce = async (arrival: Arrival, returnTo: Mailbox): Promise<void> => {
    listener.bounced(INBOX_HOSTNAME, renderMailbox(returnTo));
    await submit({
      server: forwarder,
      hostname: INBOX_HOSTNAME,
      envelope: { reversePath: NULL_PATH, recipient: returnTo, eightBit: true, smtpUtf8: false },
      message: memoryContent(composeBounce(arrival, returnTo, INBOX_HOSTNAME, mailDate(unixNow()))),
    });
  };

  return {
    forwarder,
    async sendGreeting() {
      await submit({ server: forwarder, hostname: "mx.origin.example", ...greeting(ALICE, unixNow()) });
      await Promise.all(bounces);
    },
    async close() {
      await Promise.all([forwarder.close(), inbox.close()]);
    },
  };
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
