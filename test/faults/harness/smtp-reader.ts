// Lines and messages from a socket, for messages of any size. Called by sink.ts and client.ts.
import type { Socket } from "node:net";

export interface SmtpReader {
  /** Without its CRLF; undefined at the end of the connection. */
  line(): Promise<string | undefined>;
  /** A whole reply, its lines joined by LF; "closed" at the end of the connection. */
  reply(): Promise<string>;
  /** The octets of a message as on the wire, the final dot included. */
  message(): Promise<Buffer | undefined>;
}

const NOTHING = Buffer.alloc(0);
const FINAL_DOT = "\r\n.\r\n";

export function createSmtpReader(socket: Socket): SmtpReader {
  const pieces: AsyncIterator<Buffer> = socket[Symbol.asyncIterator]();
  let unread: Buffer = NOTHING;

  const more = async (): Promise<Buffer | undefined> => {
    try {
      const { done, value } = await pieces.next();
      return done ? undefined : value;
    } catch {
      // A reset is an end like any other here.
      return undefined;
    }
  };
  const line = async (): Promise<string | undefined> => {
    for (;;) {
      const end = unread.indexOf("\r\n");
      if (end >= 0) {
        const text = unread.toString("latin1", 0, end);
        unread = unread.subarray(end + 2);
        return text;
      }
      const next = await more();
      if (next === undefined) return undefined;
      unread = unread.length === 0 ? next : Buffer.concat([unread, next]);
    }
  };
  return {
    line,
    async reply() {
      const lines: string[] = [];
      for (;;) {
        const text = await line();
        if (text === undefined) return "closed";
        lines.push(text);
        if (!/^\d{3}-/.test(text)) return lines.join("\n");
      }
    },
    async message() {
      const parts: Buffer[] = [Buffer.from("\r\n"), unread];
      let end = Buffer.concat(parts).subarray(-FINAL_DOT.length);
      // Nobody sends anything behind the dot before it is answered.
      while (end.toString("latin1") !== FINAL_DOT) {
        const next = await more();
        if (next === undefined) return undefined;
        parts.push(next);
        end = Buffer.concat([end, next.subarray(-FINAL_DOT.length)]).subarray(-FINAL_DOT.length);
      }
      unread = NOTHING;
      return Buffer.concat(parts).subarray(2);
    },
  };
}
