// A DNS server for tests: UDP on 127.0.0.1, answers from a table (RFC 1035 §4). Used by the tests of dns.ts.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";

export type Record =
  | { readonly type: "A" | "AAAA"; readonly address: readonly number[] }
  | { readonly type: "MX"; readonly priority: number; readonly exchange: string };

/** By lower-case name. A name that is not there is NXDOMAIN; one without records of the type, NODATA. */
export type Zone = Readonly<{ [name: string]: readonly Record[] | "SERVFAIL" | "silence" }>;

const TYPES = { A: 1, MX: 15, AAAA: 28 } as const;
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
  const records = Array.isArray(found) ? found.filter((record) => TYPES[record.type as "A"] === type) : [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  const rcode = found === "SERVFAIL" ? SERVFAIL : found === undefined ? NXDOMAIN : 0;
  // QR, AA, RD, RA.
  header.writeUInt16BE(0x8580 | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(12, end + 4), ...records.map(renderRecord)]);
}

function renderRecord(record: Record): Buffer {
  const data =
    record.type === "MX"
      ? Buffer.concat([
          Buffer.from([record.priority >> 8, record.priority & 255]),
          renderName(record.exchange),
        ])
      : Buffer.from(record.address);
  const head = Buffer.alloc(12);
  // The owner is the name of the question, by pointer.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(TYPES[record.type], 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
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
