// A sender's server, Homing with three aliases, a real server behind them, and one behind that which refuses, defers or takes.
// All names that the sender must not learn are drawn anew. Called by bounces-of-mtas.test.ts.

import { randomBytes } from "node:crypto";
import type { ForwarderEvent } from "@homing/forwarder";
import { greeted, sendMessage, transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { createSite } from "../faults/harness/site.ts";
import { freePort } from "./free-port.ts";
import type { RelayingMta, StartRelayingMta } from "./relaying-mta.ts";
import { startScriptedHop, type Taken } from "./scripted-hop.ts";
import { waitFor } from "./wait.ts";

const SECONDS = 20;
const OURS = "forwarder.example";

/** What the last server does with what is sent to an alias. */
export type Behaviour = "refuses" | "defers" | "takes";

export interface Sent {
  /** Of this message alone: its reports are told by it. */
  readonly sender: string;
  readonly alias: string;
  readonly messageId: string;
}

export interface MtaScene extends AsyncDisposable {
  /** What nobody at the sender's may read: the private local parts, their domain, and the real server's name. */
  readonly secrets: readonly string[];
  readonly mta: RelayingMta;
  /** Its name, in EHLO. */
  readonly mtaName: string;
  /** By the sender, to the alias; Homing has taken it. */
  send(behaviour: Behaviour): Promise<Sent>;
  /** What the last server took of it, with the SRS address that Homing made. */
  passedOn(sent: Sent): Promise<Taken>;
  /** To the real server, with a wish for a report of success (RFC 3461 §4.1). */
  submitAgain(taken: Taken): Promise<void>;
  /** The first report at the sender's server. */
  report(sent: Sent): Promise<Taken>;
  reports(sent: Sent): readonly Taken[];
  events(): ForwarderEvent[];
}

const unique = (prefix: string): string => `${prefix}${randomBytes(8).toString("hex")}`;

export async function startMtaScene(start: StartRelayingMta): Promise<MtaScene> {
  await using stack = new AsyncDisposableStack();
  const domain = `${unique("d")}.example`;
  const mtaName = `${unique("h")}.example`;
  const users = { refuses: unique("u"), defers: unique("u"), takes: unique("u") };
  const aliases = { refuses: unique("a"), defers: unique("a"), takes: unique("a") };
  const source = stack.use(await startScriptedHop());
  const last = stack.use(
    await startScriptedHop((recipient) => {
      if (recipient.startsWith(users.refuses)) return `550 5.1.1 <${recipient}>: no such user at ${domain}`;
      if (recipient.startsWith(users.defers)) return `451 4.2.1 <${recipient}>: come again`;
      return undefined;
    }),
  );
  const port = await freePort();
  const mta = stack.use(await start({ hostname: mtaName, domain, nextHop: last.port, elsewhere: port }));
  const lines = Object.entries(users).map(
    ([behaviour, user]) => `${aliases[behaviour as Behaviour]}: ${user}@${domain}\n`,
  );
  const site = stack.use(
    await createSite({
      port,
      aliases: lines.join(""),
      routes: { [domain]: mta.port, "source.example": source.port },
    }),
  );
  const service = await site.start();

  const first = (hop: { readonly taken: readonly Taken[] }, is: (taken: Taken) => boolean, what: string) =>
    waitFor(() => hop.taken.find(is), {
      seconds: SECONDS,
      otherwise: async () => `no ${what}\n${service.stdout()}${await mta.tail()}`,
    });
  const started = stack.move();
  return {
    secrets: [...Object.values(users), ...[domain, mtaName].map((name) => name.replace(".example", ""))],
    mta,
    mtaName,
    send: (behaviour) => send(port, aliases[behaviour]),
    passedOn: ({ messageId }) => first(last, ({ message }) => message.includes(messageId), "message"),
    submitAgain: (taken) => submitAgain(mta, taken),
    report: ({ sender }) => first(source, ({ recipient }) => recipient === sender, "report"),
    reports: ({ sender }) => source.taken.filter(({ recipient }) => recipient === sender),
    events: () => service.events(),
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  };
}

async function send(port: number, aliasUser: string): Promise<Sent> {
  const user = unique("b");
  const sender = `${user}@source.example`;
  const alias = `${aliasUser}@${OURS}`;
  const messageId = `<${user}.1@source.example>`;
  using client = await greeted({ port });
  const reply = await transact(client, {
    from: sender,
    to: alias,
    message: `From: ${sender}\r\nTo: ${alias}\r\nSubject: hello\r\nMessage-ID: ${messageId}\r\n\r\nHello!\r\n`,
  });
  if (!reply.startsWith("250 ")) throw new Error(`Homing did not take it: ${reply}`);
  return { sender, alias, messageId };
}

async function submitAgain({ port }: RelayingMta, { reversePath, recipient, message }: Taken): Promise<void> {
  using client = await greeted({ port });
  await client.ask("EHLO mx.forwarder.example");
  await client.ask(`MAIL FROM:<${reversePath}>`);
  await client.ask(`RCPT TO:<${recipient}> NOTIFY=SUCCESS`);
  const reply = await sendMessage(client, message);
  if (!reply.startsWith("250 ")) throw new Error(`the real server did not take it: ${reply}`);
}
