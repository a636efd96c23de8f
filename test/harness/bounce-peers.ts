// The peers of the stories about bounces: original senders' servers, and bounces as the server behind an alias would write them,
// brought to a forwarder in the test's own process. Called by the bounce stories.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Mailbox, NULL_PATH, parseMailbox, type Rewriter, renderMailbox } from "@homing/srs-core";
import { leaksIn } from "../../packages/bounce-handler/src/testing/leaks.ts";
import { greeted, type Hop, transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { type InProcessForwarder, type InProcessOptions, inProcessForwarder, NOW } from "./in-process.ts";
import { waitFor } from "./wait.ts";

export const BOB = "bob@source.example";
/** Nobody could guess them: where they turn up, they came from us. */
export const secret = (): string => `u${randomBytes(6).toString("hex")}`;
export const secretAddress = (): string => `${secret()}@${secret()}.example`;

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "homing-bounces-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

/** Whatever leaves goes to one server. */
export async function bounceForwarder(
  t: TestContext,
  hop: { readonly port: number },
  { queue = true, ...options }: Partial<InProcessOptions> & { readonly queue?: boolean } = {},
): Promise<InProcessForwarder> {
  const kept = queue ? { stateFolder: options.stateFolder ?? (await folder(t)) } : {};
  return await inProcessForwarder({
    aliases: "",
    nextHop: hop.port,
    bounceThread: true,
    ...options,
    ...kept,
  });
}

function address(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

/** The envelope sender of mail that was forwarded. */
export function srsAddress(rewriter: Rewriter, alias: string | undefined, sender = BOB, at = NOW): string {
  const outcome = rewriter.forward(address(sender), at, alias === undefined ? {} : { alias: address(alias) });
  assert.ok(outcome.ok && outcome.sender !== NULL_PATH);
  return renderMailbox(outcome.sender);
}

export interface RemoteBounce {
  /** The address behind the alias: it stands in every part, as servers have it. */
  readonly target: string;
  readonly messageId?: string;
  /** The header as the server got it; otherwise one of its own making. */
  readonly returned?: string;
  readonly action?: "failed" | "delayed" | "delivered" | "relayed";
  readonly status?: string;
  /** What the server said. */
  readonly words?: string;
}

/** As Postfix writes one. */
export function remoteBounce(bounce: RemoteBounce): string {
  const { target, messageId = "<1@source.example>" } = bounce;
  const { action = "failed", status = "5.1.1", words = `550 5.1.1 <${target}>: User unknown` } = bounce;
  const host = `mx.${target.slice(target.lastIndexOf("@") + 1)}`;
  return [
    `From: MAILER-DAEMON@${host}`,
    "Subject: Undelivered Mail Returned to Sender",
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    "",
    "--b",
    "Content-Type: text/plain",
    "",
    `<${target}>: host ${host} said: ${words}`,
    "--b",
    "Content-Type: message/delivery-status",
    "",
    `Reporting-MTA: dns; ${host}`,
    "",
    `Final-Recipient: rfc822; ${target}`,
    `Action: ${action}`,
    `Status: ${status}`,
    `Remote-MTA: dns; ${host}`,
    `Diagnostic-Code: smtp; ${words}`,
    "",
    "--b",
    "Content-Type: text/rfc822-headers",
    "",
    `Received: by ${host} for <${target}>; Fri, 20 Nov 2026 20:31:40 +0000`,
    bounce.returned ?? [`Message-ID: ${messageId}`, "Subject: Lunch", `To: ${target}`].join("\r\n"),
    "",
    "--b--",
    "",
  ].join("\r\n");
}

/** Throws where the message has any of it, in any disguise. */
export function assertSilent(message: string, target: string, allowed: readonly string[] = []): void {
  const at = target.lastIndexOf("@");
  const words = [target, target.slice(0, at), target.slice(at + 1)];
  assert.deepEqual(leaksIn(message, words, allowed), []);
}

/** Messages that came to a server, once there are so many. */
export async function mailAt(hop: Hop, count: number): Promise<readonly string[]> {
  const came = () => (hop.messages.length >= count ? hop.messages.map(String) : undefined);
  const otherwise = () => `${hop.messages.length} of ${count} messages came`;
  return await waitFor(came, { seconds: 10, otherwise });
}

/** @returns the answer to the last command */
export async function bring(
  forwarder: InProcessForwarder,
  to: string,
  message: string,
  from = "",
): Promise<string> {
  using client = await greeted(forwarder);
  return await transact(client, { from, to, message });
}
