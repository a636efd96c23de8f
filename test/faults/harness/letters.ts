// Messages that tell who they are and whether they are whole. Made by the stories, judged by sink.ts.
import { createHash } from "node:crypto";

export interface Letter {
  /** The local part of its sender, so that a next hop knows it from MAIL FROM on. No "=" and no "@". */
  readonly token: string;
  readonly message: Buffer;
}

/** @param octets of its body, roughly */
export function letter(token: string, octets = 500): Letter {
  const dots = `.${token}\r\n..\r\n`;
  const line = `${"text of no meaning ".repeat(4)}\r\n`;
  const body = Buffer.from(dots + line.repeat(Math.ceil(octets / line.length)));
  const header = [
    `From: ${senderOf(token)}`,
    `Message-ID: <${token}@source.example>`,
    `Subject: ${token}`,
    `X-Token: ${token}`,
    `X-Body: ${hashOf(body)}`,
  ];
  return { token, message: Buffer.concat([Buffer.from(`${header.join("\r\n")}\r\n\r\n`), body]) };
}

export function senderOf(token: string): string {
  return `${token}@source.example`;
}

/** Of an SRS address that was made of such a sender, or of the sender itself. */
export function tokenOfPath(path: string): string | undefined {
  return /source\.example=([^@=]+)@/.exec(path)?.[1] ?? /^([^@=]+)@source\.example$/.exec(path)?.[1];
}

/** Undefined for messages of somebody else, such as DSNs. */
export function judge(message: Buffer): { readonly token: string; readonly isWhole: boolean } | undefined {
  const end = message.indexOf("\r\n\r\n");
  const header = message.toString("latin1", 0, end);
  const token = /^X-Token: (\S+)\r?$/m.exec(header)?.[1];
  if (end < 0 || token === undefined || /^Content-Type: multipart\/report/im.test(header)) return undefined;
  const hash = /^X-Body: (\S+)\r?$/m.exec(header)?.[1];
  return { token, isWhole: hash === hashOf(message.subarray(end + 4)) };
}

function hashOf(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex");
}
