// One message on a connection of its own, octet by octet, with the time from its final dot to the reply.
// Called by verify.ts, latency.ts and homing-peer.ts.
import { connect } from "node:net";
import { Wire } from "../../packages/forwarder/src/testing/wire.ts";

export interface Letter {
  readonly from: string;
  readonly to: string;
  /** Lines end with CRLF, and none begins with a dot. */
  readonly message: string;
}

export interface Sent {
  /** The reply to the message, or the first reply that refused. */
  readonly reply: string;
  /** `performance.now()` when the message, with its final dot, was handed to the kernel, and when the reply was read. */
  readonly dotAt: number;
  readonly repliedAt: number;
}

export async function sendOne(port: number, letter: Letter): Promise<Sent> {
  using wire = new Wire(connect(port, "127.0.0.1"));
  await wire.reply();
  const { from, to, message } = letter;
  for (const command of ["EHLO client.example", `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, "DATA"]) {
    const reply = await wire.ask(command);
    if (!/^[23]/.test(reply)) return { reply, dotAt: 0, repliedAt: 0 };
  }
  const dotAt = performance.now();
  wire.send(`${message}.\r\n`);
  const reply = await wire.reply();
  const repliedAt = performance.now();
  await wire.ask("QUIT");
  return { reply, dotAt, repliedAt };
}

interface Plain {
  readonly from: string;
  readonly to: string;
  /** The sink finds it again by its Message-Id. */
  readonly id: string;
}

export function plainMessage({ from, to, id }: Plain, octets: number): string {
  const addresses = `From: <${from}>\r\nTo: <${to}>\r\n`;
  const trace = `Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-Id: <${id}@origin.example>\r\n`;
  const line = `${"X".repeat(78)}\r\n`;
  return `${addresses}Subject: benchmark\r\n${trace}\r\n${line.repeat(Math.ceil(octets / line.length))}`;
}
