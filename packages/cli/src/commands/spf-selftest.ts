// `homing spf selftest`: does the server enforce SPF for this alias? One message that may come from here, and one that may not.
import { type HostPort, parseHostPort, submit } from "@homing/forwarder";
import { memoryContent } from "@homing/mail";
import { checkSpf } from "@homing/spf";
import { type Mailbox, parseMailbox } from "@homing/srs-core";
import { loadConfig } from "../config/load-config.ts";
import { dnsServersOption } from "../dns-option.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput, type Output } from "../output.ts";
import { isTrusted, ownAddress } from "../spf/own-address.ts";
import { type SelftestWorld, selftest, type Trial, type Verdict } from "../spf/selftest.ts";
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
  const server = parseHostPort(options.server);
  if (!server) {
    throw new CommandFailure(
      "usage",
      `--server ${safe(options.server)}: write HOST:PORT, such as 127.0.0.1:2525`,
    );
  }
  const recipient = mailbox("--to", options.to);
  const legitimate = mailbox("--from", options.from ?? defaultSender());
  const forged = mailbox("--forged", forgedOption(options.forged));
  const client = await ownAddress(server);
  await refuseIfTrusted(client, options.config);

  const dns = systemDns(dnsServersOption(options.dns ?? []));
  const trials: Trial[] = [];
  const senders = new Map([legitimate, forged].map((sender) => [sender.text, sender.mailbox]));
  const world: SelftestWorld = {
    legitimate: legitimate.text,
    forged: forged.text,
    policy: (sender) => checkSpf({ client, helo: HELO, sender }, { resolver: dns, now: unixNow }),
    deliver: (sender) => deliver(server, senders.get(sender) ?? legitimate.mailbox, recipient.mailbox),
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

/** Not 69: the server is fine, and it is this host that has rights which the test must not have. */
async function refuseIfTrusted(client: string, config: string | undefined): Promise<void> {
  if (config === undefined) return;
  const { trustedNetworks } = await loadConfig(config);
  if (!isTrusted(client, trustedNetworks)) return;
  const why = `${client}, from which this host connects, is in trustedNetworks: no SPF is checked for it`;
  throw new CommandFailure("permission", `${config}: ${why}: run the test from a host outside`);
}

function deliver(server: HostPort, reversePath: Mailbox, recipient: Mailbox): ReturnType<typeof submit> {
  return submit({
    server,
    hostname: HELO,
    envelope: { reversePath, recipient, eightBit: false, smtpUtf8: false },
    message: memoryContent(sampleMessage(reversePath, recipient)),
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
  if (verdict.link !== undefined) output.talk(`The reply tells why: ${safe(verdict.link, 1_000)}`);
  output.talk("SPF is enforced: the legitimate message was taken, and the forged one was refused.");
  return EXIT.ok;
}
