// The scene of the stories about submission: two people in a users file, a forwarder with ports for them, and clients that say
// what a test wants said. Called by submission.test.ts and submission-abuse.test.ts.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  createPeople,
  createScryptPasswords,
  hashPassword,
  type Passwords,
  parseUsersFile,
  type SubmissionPolicy,
  type Users,
} from "@homing/forwarder";
import { CERTIFICATE, CERTIFICATE_KEY } from "../../packages/forwarder/src/testing/certificate.ts";
import { sendMessage } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { dialTls } from "../../packages/forwarder/src/testing/tls-client.ts";
import type { Wire } from "../../packages/forwarder/src/testing/wire.ts";
import { type InProcessForwarder, type InProcessOptions, inProcessForwarder, NOW } from "./in-process.ts";
import { folder } from "./trust-scene.ts";

export const ALICE = "alice@home.example";
export const HOSTNAME = "mx.forwarder.example";
/** With every kind of character that clients have been seen to break; and another one, for those that know ASCII alone. */
export const PASSWORD = 'süß & "secret" \\ 100%';
export const ASCII_PASSWORD = 'a "secret" \\ 100%';
export const TLS = { key: Buffer.from(CERTIFICATE_KEY), cert: Buffer.from(CERTIFICATE) };
const ALIASES = "friends: fred@far.example\nlost: :blackhole:\n";
const ANYWHERE = { host: "127.0.0.1", port: 0 };

const hashOf = (password: string): Promise<string> => hashPassword(password, Buffer.alloc(16, 7));
let hashes: Promise<string[]> | undefined;

/** Alice has two addresses, and a name for clients that know ASCII alone; bob has a domain of his own. */
export async function people(): Promise<Users> {
  hashes ??= Promise.all([PASSWORD, ASCII_PASSWORD].map(hashOf));
  const [hash, asciiHash] = await hashes;
  const addresses = `${ALICE},alice@forwarder.example`;
  const text = `alice:${hash}:${addresses}\nalice2:${asciiHash}:${addresses}\nbob:${hash}:*@bob.example\n`;
  const parsed = parseUsersFile(text);
  assert.ok(parsed.ok);
  return parsed.users;
}

export function policyOf(users: () => Users, passwords: Passwords): SubmissionPolicy {
  return createPeople({ hostname: HOSTNAME, users, passwords, now: () => NOW });
}

/** All that leaves goes to one next hop. */
export async function submissionTo(
  t: TestContext,
  hop: { readonly port: number },
  setting: Partial<InProcessOptions> & { readonly policy?: SubmissionPolicy } = {},
): Promise<InProcessForwarder> {
  const users = await people();
  const {
    policy = policyOf(
      () => users,
      createScryptPasswords(() => users),
    ),
    ...options
  } = setting;
  return await inProcessForwarder({
    aliases: ALIASES,
    nextHop: hop.port,
    stateFolder: await folder(t),
    tls: TLS,
    submission: { policy, listen: ANYWHERE, listenTls: ANYWHERE },
    ...options,
  });
}

/** Of the port where TLS comes first, behind EHLO. */
export async function client(forwarder: InProcessForwarder, from?: string): Promise<Wire> {
  const port = forwarder.submission.listenTls?.port;
  assert.ok(port);
  const wire = await dialTls({ port }, from);
  await wire.reply();
  await wire.ask("EHLO client.test");
  return wire;
}

export function logIn(wire: Wire, name: string, password: string): Promise<string> {
  return wire.ask(`AUTH PLAIN ${Buffer.from(`\0${name}\0${password}`).toString("base64")}`);
}

export async function alicesClient(forwarder: InProcessForwarder): Promise<Wire> {
  const wire = await client(forwarder);
  assert.equal(await logIn(wire, "alice", PASSWORD), "235 2.7.0 logged in");
  return wire;
}

export interface Sent {
  readonly from?: string;
  readonly to?: readonly string[];
  readonly message?: string;
}

/** The reply that ended it. */
export async function submitMail(
  wire: Wire,
  {
    from = ALICE,
    to = ["far@far.example"],
    message = `From: ${ALICE}\r\nSubject: x\r\n\r\nHello!\r\n`,
  }: Sent = {},
): Promise<string> {
  for (const command of [`MAIL FROM:<${from}>`, ...to.map((one) => `RCPT TO:<${one}>`)]) {
    const reply = await wire.ask(command);
    if (!reply.startsWith("250")) return reply;
  }
  return await sendMessage(wire, message);
}
