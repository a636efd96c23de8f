// A DNS server for tests: UDP on 127.0.0.1, answers from a table (RFC 1035 §4). Used by the tests of dns/, and by others
// through test-dns.ts.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { type HostPort, renderHostPort } from "../host-port.ts";

export type Record =
  | { readonly type: "A" | "AAAA"; readonly address: readonly number[]; readonly ttl?: number }
  | { readonly type: "MX"; readonly priority: number; readonly exchange: string }
  | { readonly type: "TXT"; readonly strings: readonly string[] }
  | { readonly type: "PTR"; readonly target: string }
  /** Followed here, as a resolver does: the records of its target come with it. */
  | { readonly type: "CNAME"; readonly target: string };

/**
 * By lower-case name, or `name TYPE`, which goes before it. A name that is not there is NXDOMAIN; one without records of
 * the type, NODATA.
 */
export type Zone = Readonly<{ [name: string]: readonly Record[] | Rcode | "silence" }>;

export type Rcode = keyof typeof RCODES;

const TYPES = { A: 1, CNAME: 5, PTR: 12, MX: 15, TXT: 16, AAAA: 28 } as const;
const RCODES = { FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, YXRRSET: 7 } as const;
const DEFAULT_TTL = 60;

export interface RunningDnsServer {
  readonly place: HostPort;
  /** `TYPE name` of each query, in the case in which it came. */
  readonly asked: readonly string[];
}

/** Gives `address:port`. */
export async function dnsServer(t: TestContext, zone: Zone): Promise<string> {
  return renderHostPort((await startDnsServer(t, zone)).place);
}

/** @param zone may change while it runs */
export async function startDnsServer(
  t: Pick<TestContext, "after">,
  zone: Zone,
  host: "127.0.0.1" | "::1" = "127.0.0.1",
): Promise<RunningDnsServer> {
  const socket = createSocket(host === "::1" ? "udp6" : "udp4");
  const asked: string[] = [];
  socket.on("message", (query, { port, address }) => {
    const { type, name } = questionOf(query);
    asked.push(`${type} ${name}`);
    const reply = answer(query, zone);
    if (reply) socket.send(reply, port, address);
  });
  socket.bind(0, host);
  await once(socket, "listening");
  t.after(() => socket.close());
  return { place: { host, port: socket.address().port }, asked };
}

interface Question {
  readonly type: string;
  readonly name: string;
  readonly end: number;
}

function questionOf(query: Buffer): Question {
  const { name, end } = readName(query, 12);
  const code = query.readUInt16BE(end);
  const known = Object.entries(TYPES).find(([, number]) => number === code);
  return { type: known?.[0] ?? `TYPE${code}`, name, end: end + 4 };
}

function answer(query: Buffer, zone: Zone): Buffer | undefined {
  const { type, name: asked, end } = questionOf(query);
  const name = asked.toLowerCase();
  const found = zone[`${name} ${type}`] ?? zone[name];
  if (found === "silence") return undefined;
  const records = typeof found === "object" ? recordsOf(name, found, { type, zone }) : [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  const rcode = found === undefined ? RCODES.NXDOMAIN : typeof found === "string" ? RCODES[found] : 0;
  // QR, AA, RD, RA.
  header.writeUInt16BE(0x8580 | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(12, end), ...records.map(renderRecord)]);
}

interface OwnedRecord {
  readonly owner: string;
  readonly record: Record;
}

function recordsOf(
  owner: string,
  records: readonly Record[],
  asked: { readonly type: string; readonly zone: Zone },
): OwnedRecord[] {
  return records.flatMap((record) => {
    if (record.type === asked.type) return [{ owner, record }];
    if (record.type !== "CNAME") return [];
    const next = asked.zone[record.target];
    const followed = typeof next === "object" ? recordsOf(record.target, next, asked) : [];
    return [{ owner, record }, ...followed];
  });
}

function renderRecord({ owner, record }: OwnedRecord): Buffer {
  const data = renderData(record);
  const head = Buffer.alloc(10);
  head.writeUInt16BE(TYPES[record.type], 0);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(("ttl" in record ? record.ttl : undefined) ?? DEFAULT_TTL, 4);
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
    case "PTR":
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
    ...labels.map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, "latin1")),
    Buffer.from([0]),
  ]);
}
