// A service between a sender and a next hop that writes bounces: what the stories about bounces that come home stand on.
import assert from "node:assert/strict";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ReturnClass } from "@homing/forwarder";
import { greeted, transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { type Sink, startSink } from "../faults/harness/sink.ts";
import { homing, startHoming, writeServiceFiles } from "./homing.ts";
import { waitFor } from "./wait.ts";

const SECONDS = 20;

export interface SceneOptions {
  /** Of homing.yaml, beside what every service needs. */
  readonly settings: string;
  /** Each leads to `hidden-NAME@home.example`, or, with a domain alone, to one address there. */
  readonly aliases: readonly string[];
  /** Without a disk there is no queue. */
  readonly hasQueue?: boolean;
}

export interface BounceScene {
  /** It takes all mail: of the sender, of the owners, and of the private addresses. */
  readonly hop: Sink;
  /** Gives the reply that ended the transaction. */
  send(from: string, to: string, message: string): Promise<string>;
  /** Mail of this sender to the alias is forwarded; gives the SRS address. */
  forwarded(sender: string, alias: string): Promise<string>;
  /** Waits until nothing is in the queue. */
  settled(): Promise<void>;
}

export async function startBounceScene(
  stack: AsyncDisposableStack,
  { settings, aliases, hasQueue = true }: SceneOptions,
): Promise<BounceScene> {
  const hop = stack.use(await startSink());
  const path = await writeServiceFiles({
    config: `hostname: mx.forwarder.example
listen: 127.0.0.1:0
aliasesFile: aliases
virtualFile: virtual
srs: { domain: forwarder.example, secretsFile: secrets }
trustedNetworks: [127.0.0.1]
delivery: { smartHost: "127.0.0.1:${hop.port}" }
${hasQueue ? "stateDirectory: state\n" : ""}${settings}`,
    aliases: "postmaster: keeper@office.example\n",
    virtual: aliases.map((alias) => `${alias} ${privateAddress(alias)}\n`).join(""),
    secret: "a secret of the stories, long enough",
  });
  stack.defer(() => rm(dirname(path), { recursive: true, force: true }));
  await mkdir(join(dirname(path), "state"), { mode: 0o700 });
  const service = stack.use(startHoming(["serve", "--config", path]));
  const [, port] = await service.waitForOutput(/"event":"listening".*"port":(\d+)/);
  const send: BounceScene["send"] = async (from, to, message) => {
    using client = await greeted({ port: Number(port) });
    return await transact(client, { from, to, message });
  };
  return {
    hop,
    send,
    async forwarded(sender, alias) {
      assert.match(await send(sender, alias, letterOf(sender, alias)), /^250 /);
      const [name = ""] = sender.split("@");
      const arrived = hop.arrived.findLast(({ reversePath }) => reversePath.includes(`=${name}@`));
      assert.ok(arrived, `mail of ${sender} was forwarded`);
      return arrived.reversePath;
    },
    async settled() {
      if (!hasQueue) return;
      let shown = "";
      await waitFor(
        async () => {
          const { stdout } = await homing(["queue", "list", "--json", "--config", path]);
          shown = stdout.toString();
          return /^\{"ok":true,"messages":0,/m.test(shown) ? true : undefined;
        },
        { seconds: SECONDS, otherwise: () => `the queue is not empty: ${shown}` },
      );
    },
  };
}

export function privateAddress(alias: string): string {
  const [name = ""] = alias.split("@");
  return `hidden-${name}@home.example`;
}

export function letterOf(sender: string, alias: string): string {
  return withCrlf(`From: ${sender}\nTo: ${alias}\nSubject: hello\nMessage-ID: <letter-of-${sender}>\n`);
}

const STATUS: Readonly<Record<ReturnClass, string>> = {
  hard: "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 user unknown",
  soft: "Action: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 mailbox full",
  policy: "Action: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.7.1 refused for DMARC",
  spam: "Action: failed\nStatus: 5.7.1\nDiagnostic-Code: smtp; 550 5.7.1 this is spam",
  delay: "Action: delayed\nStatus: 4.4.1\nDiagnostic-Code: smtp; 451 4.4.1 no answer yet",
  success: "Action: delivered\nStatus: 2.0.0",
};

/** As a mail server at home.example writes it. */
export function bounceOf(
  sender: string,
  alias: string,
  name: ReturnClass,
  failing = privateAddress(alias),
): string {
  return withCrlf(`From: MAILER-DAEMON@home.example
To: ${sender}
Subject: Delivery report
Message-ID: <bounce-to-${sender}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b

Of your message, here is what became.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; home.example

Final-Recipient: rfc822; ${failing}
${STATUS[name]}
--b
Content-Type: text/rfc822-headers

${letterOf(sender, alias)}
--b--
`);
}

function withCrlf(text: string): string {
  return text.replaceAll(/\r?\n/g, "\r\n");
}
