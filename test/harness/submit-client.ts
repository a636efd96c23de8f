// A mail program or a web site that hands in mail: TLS, AUTH, and the transaction, each reply to be looked at. Called by the
// stories of mail on behalf of users.
import assert from "node:assert/strict";
import { sendMessage } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { dialTls, startTls } from "../../packages/forwarder/src/testing/tls-client.ts";
import type { Wire } from "../../packages/forwarder/src/testing/wire.ts";
import type { OnBehalfSite } from "./on-behalf-site.ts";

export interface LogIn {
  readonly name: string;
  readonly password: string;
}

export interface HandedIn {
  readonly from: string;
  readonly to: readonly string[];
  /** Lines are made CRLF. */
  readonly message: string;
}

/** Has said EHLO over TLS from the first octet. @param address its own, of 127.0.0.0/8 */
export async function dialSubmission({ ports }: OnBehalfSite, address?: string): Promise<Wire> {
  const client = await dialTls({ port: ports.submissionTls }, address);
  assert.match(await client.reply(), /^220 /);
  assert.match(await client.ask("EHLO client.test"), /^250/);
  return client;
}

/** Has said EHLO behind STARTTLS. */
export async function dialStartTls({ ports }: OnBehalfSite): Promise<Wire> {
  const client = await startTls({ port: ports.submission });
  assert.match(await client.ask("EHLO client.test"), /^250/);
  return client;
}

/** @returns the reply */
export async function authPlain(client: Wire, { name, password }: LogIn): Promise<string> {
  return await client.ask(`AUTH PLAIN ${base64(`\0${name}\0${password}`)}`);
}

export async function authLogin(client: Wire, { name, password }: LogIn): Promise<string> {
  const asked = await client.ask("AUTH LOGIN");
  if (!asked.startsWith("334")) return asked;
  const again = await client.ask(base64(name));
  return again.startsWith("334") ? await client.ask(base64(password)) : again;
}

/** A site, logged in over port 465. */
export async function loggedInSite(site: OnBehalfSite, name = "cards"): Promise<Wire> {
  const client = await dialSubmission(site);
  assert.match(await authPlain(client, { name, password: site.keyOf(name) }), /^235 2\.7\.0/);
  return client;
}

/** @returns the first reply that is a refusal, or that to the final dot; RSET behind it */
export async function handIn(client: Wire, { from, to, message }: HandedIn): Promise<string> {
  const answer = await transaction(client, { from, to, message });
  await client.ask("RSET");
  return answer;
}

async function transaction(client: Wire, { from, to, message }: HandedIn): Promise<string> {
  for (const command of [`MAIL FROM:<${from}>`, ...to.map((one) => `RCPT TO:<${one}>`)]) {
    const reply = await client.ask(command);
    if (!reply.startsWith("250")) return reply;
  }
  return await sendMessage(client, message.replace(/\r?\n/g, "\r\n"));
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
