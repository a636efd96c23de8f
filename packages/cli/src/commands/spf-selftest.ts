// `homing spf selftest`: does the server enforce SPF for this alias? One message that may come from here, and one that may not.
import { dirname, resolve } from "node:path";
import { type HostPort, parseHostPort, submit } from "@homing/forwarder/submit";
import { memoryContent } from "@homing/mail";
import { checkSpf } from "@homing/spf";
import { asciiLower, type Mailbox, parseMailbox } from "@homing/srs-core";
import { loadConfig } from "../config/load-config.ts";
import { dnsServersOption } from "../dns-option.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput, type Output } from "../output.ts";
import { readTrust } from "../read-authentication.ts";
import { ownAddress } from "../spf/own-address.ts";
import { type SelftestWorld, selftest, type Trial, type Verdict } from "../spf/selftest.ts";
import { LIKELY_REASONS, rightsOf, type ServerConfig, whyDeferred, whyTaken } from "../spf/why-taken.ts";
import { systemDns } from "../system-dns.ts";
import { safe } from "../terminal-text.ts";
import { unixNow } from "../time.ts";
import { defaultSender, sampleMessage } from "./send.ts";

export interface SpfSelftestOptions {
  readonly to: string;
  readonly server: string;
  readonly from?: string;
  readonly forged?: string;
  readonly config?: string;
  readonly dns?: readonly string[];
  readonly json?: true;
}

const HELO = "localhost";

export async function spfSelftest(options: SpfSelftestOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const server = serverOption(options.server);
  const recipient = mailbox("--to", options.to);
  const legitimate = mailbox("--from", options.from ?? defaultSender());
  const forged = mailbox("--forged", forgedOption(options.forged));
  refuseIfPostmaster(recipient);
  const configured = options.config === undefined ? undefined : await readServerConfig(options.config);
  const client = await ownAddress(server);
  if (configured) refuseIfTrusted(client, configured);

  const dns = systemDns(dnsServersOption(options.dns ?? []));
  const trials: Trial[] = [];
  const senders = new Map([legitimate, forged].map((sender) => [sender.text, sender.mailbox]));
  const world: SelftestWorld = {
    legitimate: legitimate.text,
    forged: forged.text,
    policy: (sender) => checkSpf({ client, helo: HELO, sender }, { resolver: dns, now: unixNow }),
    deliver: (sender) => deliver(server, senders.get(sender) ?? legitimate.mailbox, recipient.mailbox),
    async whyTaken() {
      if (!configured) return LIKELY_REASONS;
      const sent = { client, helo: HELO, recipient: recipient.mailbox };
      return await whyTaken(configured, sent, { dns, now: unixNow });
    },
    whyDeferred: () => configured && whyDeferred(configured, recipient.mailbox),
    tried(trial) {
      trials.push(trial);
      if (!output.json) output.data(trialLine(trial, recipient.text));
    },
  };
  try {
    return finish(output, await selftest(world), trials, client);
  } finally {
    dns.close();
  }
}

function serverOption(text: string): HostPort {
  const server = parseHostPort(text);
  if (server) return server;
  throw new CommandFailure("usage", `--server ${safe(text)}: write HOST:PORT, such as 127.0.0.1:2525`);
}

interface NamedMailbox {
  readonly text: string;
  readonly mailbox: Mailbox;
}

function mailbox(option: string, text: string): NamedMailbox {
  const parsed = parseMailbox(text);
  if (parsed.ok) return { text, mailbox: parsed.mailbox };
  throw new CommandFailure("usage", `${option}: ${parsed.message}`);
}

/** No default: a domain that we chose for everybody would get everybody's test mail returned. */
function forgedOption(forged: string | undefined): string {
  if (forged !== undefined) return forged;
  const what = 'forged@ a domain of yours that sends no mail and publishes "v=spf1 -all"';
  const how = "homing spf wizard --domain D --nobody prints that record";
  throw new CommandFailure("usage", `--forged is missing: name ${what}: ${how}`);
}

/** RFC 5321 §4.5.1: its mail is taken from whoever sends it. */
function refuseIfPostmaster({ text, mailbox }: NamedMailbox): void {
  if (asciiLower(mailbox.localPart) !== "postmaster") return;
  const why = "mail to postmaster is taken from everybody, and tagged";
  throw new CommandFailure("usage", `--to ${safe(text)}: ${why}: name another alias`);
}

async function readServerConfig(file: string): Promise<ServerConfig> {
  const config = await loadConfig(file);
  const paths = { folder: dirname(resolve(file)), warn() {} };
  return { file, config, trustedForwarders: await readTrust(config, paths) };
}

/** Not 69: the server is fine, and it is this host that has rights which the test must not have. */
function refuseIfTrusted(client: string, { file, config }: ServerConfig): void {
  const rights = rightsOf(client, config);
  if (rights === undefined) return;
  const why = `${client}, from which this host connects, ${rights}`;
  throw new CommandFailure("permission", `${file}: ${why}: run the test from a host outside`);
}

function deliver(server: HostPort, reversePath: Mailbox, recipient: Mailbox): ReturnType<typeof submit> {
  return submit({
    server,
    hostname: HELO,
    envelope: { reversePath, recipient, eightBit: false, smtpUtf8: false },
    message: memoryContent(sampleMessage(reversePath, recipient, "homing spf selftest")),
  });
}

function trialLine({ what, sender, answer }: Trial, recipient: string): string {
  return `${what.padEnd(12)}${safe(sender)} → ${safe(recipient)}: ${safe(answer, 1_000)}`;
}

function finish(output: Output, verdict: Verdict, trials: readonly Trial[], client: string): number {
  const enforced = verdict.kind === "enforced";
  if (output.json) {
    const { kind: _, ...rest } = verdict;
    output.document({ ok: enforced, client, ...rest, trials });
  }
  if (!enforced) {
    output.talk(`homing: ${verdict.message}`);
    return EXIT[verdict.reason];
  }
  const link = verdict.link === undefined ? "" : ", with a link that says why";
  output.talk(`SPF is enforced: the legitimate message was taken, and the forged one was refused${link}.`);
  return EXIT.ok;
}
