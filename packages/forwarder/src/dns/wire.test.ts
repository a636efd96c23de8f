import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { HostPort } from "../host-port.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createWire } from "./wire.ts";

const QUESTION = { type: "TXT", name: "a+b.test" } as const;

/** The query again, as an answer with other flags, and with its id changed by so much. */
function answerTo(query: Buffer, flags: number, idMore = 0): Buffer {
  const message = Buffer.from(query);
  message.writeUInt16BE((query.readUInt16BE(0) + idMore) & 0xff_ff, 0);
  message.writeUInt16BE(flags, 2);
  return message;
}

const NO_NAME = 0x8183;
const TRUNCATED = 0x8380;

interface Peer {
  readonly place: HostPort;
  readonly queries: Buffer[];
}

/** UDP by a function of how many queries there were; TCP by another. */
async function peer(
  t: TestContext,
  overUdp: (query: Buffer, count: number) => readonly Buffer[],
  overTcp: (socket: Socket, query: Buffer) => void = (socket) => socket.destroy(),
): Promise<Peer> {
  const tcp = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (data) => overTcp(socket, data.subarray(2)));
  }).listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as { port: number };
  const queries: Buffer[] = [];
  const udp = createSocket("udp4", (query, from) => {
    queries.push(query);
    for (const message of overUdp(query, queries.length)) udp.send(message, from.port, from.address);
  }).bind(port, "127.0.0.1");
  await once(udp, "listening");
  t.after(() => {
    udp.close();
    tcp.close();
  });
  return { place: { host: "127.0.0.1", port }, queries };
}

const newId = (): number => 0xabcd;

test("answers with another id, and what is no message, are passed over", async (t) => {
  const { place } = await peer(t, (query) => [
    answerTo(query, 0x8180, 1),
    Buffer.from("x"),
    answerTo(query, NO_NAME),
  ]);
  const wire = createWire(place, { clock: createFakeClock(), newId });
  assert.deepEqual(await wire.ask(QUESTION), { kind: "no-such-name" });
});

test("a query that got lost is sent again, and given up after twelve seconds", async (t) => {
  const clock = createFakeClock();
  const { place, queries } = await peer(t, () => []);
  const heard = createWire(place, { clock, newId }).ask(QUESTION);
  for (const [at, wait] of [1_000, 2_000, 4_000, 5_000].entries()) {
    while (queries.length <= at) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(wait);
  }
  assert.deepEqual(await heard, { kind: "failed", code: "ETIMEOUT" });
  assert.equal(queries.length, 4);
  assert.equal(clock.timers, 0);
});

const overTcp: [what: string, talk: (socket: Socket, query: Buffer) => void, heard: object][] = [
  [
    "an answer octet by octet",
    async (socket, query) => {
      const message = answerTo(query, NO_NAME);
      for (const octet of Buffer.concat([Buffer.from([0, message.length]), message])) {
        socket.write(Buffer.from([octet]));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    { kind: "no-such-name" },
  ],
  ["an end", (socket) => socket.end(), { kind: "failed", code: "EBADRESP" }],
  [
    "half an answer",
    (socket, query) => socket.end(Buffer.concat([Buffer.from([1, 0]), answerTo(query, NO_NAME)])),
    { kind: "failed", code: "EBADRESP" },
  ],
  [
    "the answer to another query",
    (socket, query) =>
      socket.end(Buffer.concat([Buffer.from([0, query.length]), answerTo(query, NO_NAME, 1)])),
    { kind: "failed", code: "EBADRESP" },
  ],
];
for (const [what, talk, expected] of overTcp) {
  test(`after a truncated answer, over TCP: ${what}`, async (t) => {
    const clock = createFakeClock();
    const { place } = await peer(t, (query) => [answerTo(query, TRUNCATED)], talk);
    assert.deepEqual(await createWire(place, { clock, newId }).ask(QUESTION), expected);
    assert.equal(clock.timers, 0);
  });
}
