import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { API_LIMITS, type HttpLimits, type HttpListener, listenHttp } from "../listen-http.ts";
import { createRealService, type RealService, SITE_KEY } from "../testing/real-service.ts";
import type { ApiRefusal } from "./api.ts";
import { TRANSACTIONAL } from "./examples.ts";

interface Listening extends HttpListener, AsyncDisposable {
  readonly service: RealService;
  readonly bugs: readonly unknown[];
  readonly refusals: readonly ApiRefusal[];
  readonly url: string;
}

async function start(limits?: HttpLimits): Promise<Listening> {
  const bugs: unknown[] = [];
  const refusals: ApiRefusal[] = [];
  const service = createRealService("https://mail.demo.example");
  const listener = await listenHttp({
    listen: { host: "127.0.0.1", port: 0 },
    hostname: "mx.site.example",
    whyLinks: { read: () => ({ kind: "not-ours" }) },
    failed: (error) => bugs.push(error),
    refused: (refusal) => refusals.push(refusal),
    onBehalf: service,
    ...(limits === undefined ? {} : { limits }),
  });
  const url = `http://127.0.0.1:${listener.port}`;
  return { ...listener, service, bugs, refusals, url, [Symbol.asyncDispose]: () => listener.close() };
}

/** A connection that is reset has ended, too. */
function untilEnd(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (part: Buffer) => (text += part.toString("latin1")));
  socket.on("error", () => {});
  return new Promise((resolve) => socket.on("close", () => resolve(text)));
}

const POST = `POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;
const AUTHORIZED = `${POST}Authorization: Bearer ${SITE_KEY}\r\n`;

test("two messages go over one connection", async () => {
  await using listener = await start();
  const socket = connect(listener.port, "127.0.0.1");
  const text = untilEnd(socket);
  const body = JSON.stringify(TRANSACTIONAL);
  const request = `${AUTHORIZED}Content-Length: ${body.length}\r\n`;
  socket.write(`${request}\r\n${body}${request}Connection: close\r\n\r\n${body}`);
  assert.equal((await text).match(/HTTP\/1\.1 202 /g)?.length, 2);
  assert.equal(listener.service.store.mails.length, 2);
});

test("a body of many small chunks is put together", async () => {
  await using listener = await start();
  const socket = connect(listener.port, "127.0.0.1");
  const text = untilEnd(socket);
  socket.write(`${AUTHORIZED}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`);
  for (const sign of JSON.stringify({ ...TRANSACTIONAL, text: "one" })) socket.write(`1\r\n${sign}\r\n`);
  socket.write("0\r\n\r\n");
  assert.match(await text, /^HTTP\/1\.1 202 /);
  assert.match(String(listener.service.store.mails[0]?.message), /^one\r$/m);
});

const tooLarge: [what: string, header: string, body: string][] = [
  ["that says so", "Content-Length: 900000\r\n", "x".repeat(900_000)],
  [
    "in chunks",
    "Transfer-Encoding: chunked\r\n",
    `${"4000\r\n".concat("x".repeat(16_384), "\r\n").repeat(60)}0\r\n\r\n`,
  ],
];
for (const [what, header, body] of tooLarge) {
  test(`the client of a body ${what} that is too large has its answer, and the connection ends`, async () => {
    await using listener = await start();
    const socket = connect(listener.port, "127.0.0.1");
    socket.write(`${AUTHORIZED}${header}\r\n${body}`);
    const text = await untilEnd(socket);
    assert.match(text, /^HTTP\/1\.1 413 [\s\S]*"type":"[^"]*\/problems\/too-large"/);
    assert.match(text, /^Connection: close\r$/im);
    assert.deepEqual([listener.service.store.mails, listener.bugs], [[], []]);
  });
}

test("who has no key is answered before his body is there", async () => {
  await using listener = await start();
  const socket = connect(listener.port, "127.0.0.1");
  socket.write(`${POST}Content-Length: 500000\r\n\r\n{`);
  assert.match(await untilEnd(socket), /^HTTP\/1\.1 401 [\s\S]*^WWW-Authenticate: Bearer/im);
  assert.deepEqual(listener.bugs, []);
});

test("a body that comes too slowly is cut, and so is one whose client goes; nothing is sent", async () => {
  await using listener = await start({ ...API_LIMITS, requestMs: 200 });
  const slow = connect(listener.port, "127.0.0.1");
  slow.write(`${AUTHORIZED}Content-Length: 100\r\n\r\n{`);
  const gone = connect(listener.port, "127.0.0.1");
  gone.write(`${AUTHORIZED}Content-Length: 100\r\n\r\n{`, () => gone.destroy());
  const drip = setInterval(() => slow.write(" "), 50);
  const text = await untilEnd(slow);
  clearInterval(drip);
  assert.match(text, /^(?:HTTP\/1\.1 4\d\d [\s\S]*|)$/);
  assert.deepEqual([listener.service.store.mails, listener.bugs], [[], []]);
});

test("the time for a request does not end one whose answer takes longer", async () => {
  await using listener = await start({ ...API_LIMITS, requestMs: 100 });
  const { promise: later, resolve: now } = Promise.withResolvers<void>();
  const find = listener.service.messages.find;
  Object.assign(listener.service.messages, {
    find: async (...asked: Parameters<typeof find>) => {
      await later;
      return find(...asked);
    },
  });
  const answer = fetch(`${listener.url}/v1/messages/msg_1`, {
    headers: { Authorization: `Bearer ${SITE_KEY}` },
  });
  // Its time is up, too.
  await untilEnd(connect(listener.port, "127.0.0.1"));
  now();
  assert.equal((await answer).status, 404);
});

test("two lengths, and line breaks in fields, are refused by the server itself", async () => {
  await using listener = await start();
  for (const header of [
    "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    "Content-Length: 2\r\nContent-Length: 3\r\n",
    "X-A: a\rb\r\n",
  ]) {
    const socket = connect(listener.port, "127.0.0.1");
    socket.write(`${AUTHORIZED}${header}\r\n{}`);
    assert.match(await untilEnd(socket), /^HTTP\/1\.1 400 /);
  }
  assert.deepEqual(listener.service.store.mails, []);
});

test("with the API there is room for the workers of some sites: 200 connections at a time", async () => {
  await using listener = await start();
  const sockets = Array.from({ length: 200 }, () => connect(listener.port, "127.0.0.1"));
  await Promise.all(sockets.map((socket) => once(socket, "connect")));
  const last = sockets.at(-1) as Socket;
  last.write("GET /v1/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  assert.match(await untilEnd(last), /^HTTP\/1\.1 200 /);
  for (const socket of sockets) socket.destroy();
});

/** The token of a link that was mailed just now. */
async function asked({ url, service }: Listening): Promise<string> {
  const response = await fetch(`${url}/v1/identities`, {
    method: "POST",
    headers: { Authorization: `Bearer ${SITE_KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify({ address: "alice@example.org" }),
  });
  assert.equal(response.status, 202);
  return service.tokenTo("confirm");
}

test("a form of a page over the wire: the button of a confirmation", async () => {
  await using listener = await start();
  const body = new URLSearchParams({ t: await asked(listener) });
  const post = () => fetch(`${listener.url}/confirm`, { method: "POST", body });
  assert.deepEqual([(await post()).status, (await post()).status], [200, 410]);
});

test("the form of a page has a shorter time than a request: who is slow has his answer, and the connection ends", async () => {
  await using listener = await start({ ...API_LIMITS, formMs: 100 });
  const token = await asked(listener);
  const socket = connect(listener.port, "127.0.0.1");
  socket.write(
    `POST /confirm HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nt=${token}`,
  );
  const text = await untilEnd(socket);
  assert.match(text, /^HTTP\/1\.1 400 [\s\S]*Nothing was changed/);
  assert.match(text, /^Connection: close\r$/im);
  assert.ok((await listener.service.people.look(token)).ok);
  assert.deepEqual(listener.bugs, []);
});

test("what is refused is told with the address of whoever asked, as the web server before us names it", async () => {
  await using listener = await start();
  await fetch(`${listener.url}/v1/events`);
  await fetch(`${listener.url}/v1/events`, { headers: { "X-Forwarded-For": "10.0.0.1, 198.51.100.7" } });
  const what = { problem: "unauthorized", status: 401 };
  assert.deepEqual(listener.refusals, [
    { ...what, client: "127.0.0.1" },
    { ...what, client: "198.51.100.7" },
  ]);
});
