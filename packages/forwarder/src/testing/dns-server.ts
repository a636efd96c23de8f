// A DNS server for tests: UDP on 127.0.0.1, answers from a table (RFC 1035 §4). Used by the tests of dns.ts.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";

export type Record =
  | { readonly type: "A" | "AAAA"; readonly address: readonly number[] }
  | { readonly type: "MX"; readonly priority: number; readonly exchange: string }
  | { readonly type: "TXT"; readonly strings: readonly string[] }
  /** Followed here, as a resolver does: the records of its target come with it. */
  | { readonly type: "CNAME"; readonly target: string };

/** By lower-case name. A name that is not there is NXDOMAIN; one without records of the type, NODATA. */
export type Zone = Readonly<{ [name: string]: readonly Record[] | "SERVFAIL" | "silence" }>;

const TYPES = { A: 1, CNAME: 5, MX: 15, TXT: 16, AAAA: 28 } as const;
const SERVFAIL = 2;
const NXDOMAIN = 3;

/** Gives `address:port`. */
export async function dnsServer(t: TestContext, zone: Zone): Promise<string> {
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address }) => {
    const reply = answer(query, zone);
    if (reply) socket.send(reply, port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.after(() => socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

function answer(query: Buffer, zone: Zone): Buffer | undefined {
  const { name, end } = readName(query, 12);
  const found = zone[name.toLowerCase()];
  if (found === "silence") return undefined;
  const type = query.readUInt16BE(end);
  const records = recordsOf(name.toLowerCase(), type, zone);
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  const rcode = found === "SERVFAIL" ? SERVFAIL : found === undefined ? NXDOMAIN : 0;
  // QR, AA, RD, RA.
  header.writeUInt16BE(0x8580 | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(12, end + 4), ...records.map(renderRecord)]);
}

interface OwnedRecord {
  readonly owner: string;
  readonly record: Record;
}

function recordsOf(owner: string, type: number, zone: Zone): OwnedRecord[] {
  const found = zone[owner];
  if (typeof found !== "object") return [];
  return found.flatMap((record) => {
    if (TYPES[record.type] === type) return [{ owner, record }];
    return record.type === "CNAME" ? [{ owner, record }, ...recordsOf(record.target, type, zone)] : [];
  });
}

function renderRecord({ owner, record }: OwnedRecord): Buffer {
  const data = renderData(record);
  const head = Buffer.alloc(10);
  head.writeUInt16BE(TYPES[record.type], 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(60, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([renderName(owner), head, data]);
}

function renderData(record: Record): Buffer {
  switch (record.type) {
    case "MX": {
      const priority = Buffer.from([record.priority >> 8, record.priority & 255]);
      return Buffer.concat([priority, renderName(record.exchange)]);
    }
    case "TXT":
      return Buffer.concat(
        record.strings.map((text) => Buffer.from(`${String.fromCharCode(text.length)}${text}`, "latin1")),
      );
    case "CNAME":
      return renderName(record.target);
    default:
      return Buffer.from(record.address);
  }
}

function readName(message: Buffer, from: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = from;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join("."), end: at + 1 };
}

function renderName(name: string): Buffer {
  const labels = name.split(".").filter((label) => label !== "");
  return Buffer.concat([
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`)),
    Buffer.from([0]),
  ]);
}
