import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { createWhyLinks } from "@homing/forwarder";
import { HTTP_LIMITS, type HttpLimits, type HttpListener, listenHttp } from "./listen-http.ts";

const hostname = "mx.forwarder.example";
const NOW = 1_700_000_000;
const publicUrl = `https://${hostname}`;
const whyLinks = createWhyLinks({
  publicUrl,
  secrets: ["a secret of this test"],
  now: () => NOW,
});
const LIMITS: HttpLimits = { ...HTTP_LIMITS, clients: 8, idleMs: 10_000 };

interface Listening extends HttpListener, AsyncDisposable {
  readonly bugs: readonly unknown[];
}

async function start(limits: Partial<HttpLimits> = {}, port = 0): Promise<Listening> {
  const bugs: unknown[] = [];
  const listener = await listenHttp({
    listen: { host: "127.0.0.1", port },
    hostname,
    whyLinks,
    failed: (error) => bugs.push(error),
    limits: { ...LIMITS, ...limits },
  });
  return { ...listener, bugs, [Symbol.asyncDispose]: () => listener.close() };
}

/** Everything that comes back until the end of the connection. */
async function exchange(port: number, request: string | Buffer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write(request);
  return untilEnd(socket);
}

/** A connection that is reset has ended, too. */
function untilEnd(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (part: Buffer) => (text += part.toString("latin1")));
  socket.on("error", () => {});
  return new Promise((resolve) => socket.on("close", () => resolve(text)));
}

test("a link is answered over HTTP, and Node's Request and Response stay what they are", async () => {
  const [request, response] = [globalThis.Request, globalThis.Response];
  await using listener = await start();
  const link = whyLinks.mint({ fault: "spf-fail", action: "refuse", at: NOW, client: "192.0.2.1" });
  const page = await fetch(
    `http://127.0.0.1:${listener.port}${new URL(link).pathname}${new URL(link).search}`,
  );
  assert.equal(page.status, 200);
  assert.match(await page.text(), /<code>192\.0\.2\.1<\/code>/);
  assert.deepEqual([globalThis.Request, globalThis.Response], [request, response]);
});

const CLOSE = "Connection: close\r\n\r\n";
const requests: [what: string, request: string, answer: string, never?: string][] = [
  ["HEAD", `HEAD / HTTP/1.1\r\nHost: x\r\n${CLOSE}`, "HTTP/1.1 200 ", "<"],
  ["HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\n\r\n", "HTTP/1.1 200 "],
  ["a POST", `POST /why HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n${CLOSE}eve`, "HTTP/1.1 405 "],
  ["TRACE", `TRACE / HTTP/1.1\r\nHost: x\r\nX-Eve: 1\r\n${CLOSE}`, "HTTP/1.1 4", "X-Eve"],
  ["CONNECT", "CONNECT evil.example:25 HTTP/1.1\r\nHost: x\r\n\r\n", ""],
  [
    "a request to a proxy",
    `GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n${CLOSE}`,
    "HTTP/1.1 200 ",
    "evil",
  ],
  ["no host", "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 400 "],
  ["a hostile host", `GET / HTTP/1.1\r\nHost: <script>\r\n${CLOSE}`, "HTTP/1.1 400 ", "script"],
  ["a huge field", `GET / HTTP/1.1\r\nHost: x\r\nCookie: ${"x".repeat(9000)}\r\n${CLOSE}`, "HTTP/1.1 431 "],
  ["SMTP", "EHLO eve.example\r\n\r\n", "HTTP/1.1 400 ", "eve"],
  ["quotes and tags", `GET /why?s="<b>'\\ HTTP/1.1\r\nHost: x\r\n${CLOSE}`, "HTTP/1.1 404 ", "<b>"],
];
for (const [what, request, answer, never] of requests) {
  test(`over the wire, the answer to ${what} is ${answer || "the end of the connection"}`, async () => {
    await using listener = await start();
    const text = await exchange(listener.port, request);
    assert.equal(text.slice(0, answer.length || Number.POSITIVE_INFINITY), answer);
    if (never !== undefined) assert.ok(!text.includes(never), text);
    assert.deepEqual(listener.bugs, []);
  });
}

test("a body that has no end is not read to its end", async () => {
  await using listener = await start({ requestMs: 500 });
  const socket = connect(listener.port, "127.0.0.1");
  const answer = untilEnd(socket);
  socket.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
  const more = (): void => {
    if (!socket.destroyed) socket.write(chunk, () => setImmediate(more));
  };
  more();
  assert.match(await answer, /^(?:HTTP\/1\.1 405 |$)/);
});

test("who says nothing, half a request or a request very slowly is sent away when its time is up", async () => {
  await using listener = await start({ requestMs: 200 });
  const slow = connect(listener.port, "127.0.0.1");
  slow.write("GET / HTTP/1.1\r\nHost: x\r\n");
  const drip = setInterval(() => slow.write("X"), 50);
  const answers = [exchange(listener.port, ""), exchange(listener.port, "GET / HT"), untilEnd(slow)];
  for (const answer of await Promise.all(answers)) assert.match(answer, /^(?:HTTP\/1\.1 408 [\s\S]*|)$/);
  clearInterval(drip);
});

test("beyond the limit of connections a client is turned away, and the others are served", async () => {
  await using listener = await start({ clients: 2 });
  const first = connect(listener.port, "127.0.0.1");
  const second = connect(listener.port, "127.0.0.1");
  await Promise.all([once(first, "connect"), once(second, "connect")]);
  assert.equal(await exchange(listener.port, `GET / HTTP/1.1\r\nHost: x\r\n${CLOSE}`), "");
  first.write(`GET / HTTP/1.1\r\nHost: x\r\n${CLOSE}`);
  assert.match(await untilEnd(first), /^HTTP\/1\.1 200 /);
  second.destroy();
});

test("the end waits neither for a connection that is kept open nor for half a request", async () => {
  const listener = await start();
  const kept = connect(listener.port, "127.0.0.1");
  kept.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(kept, "data");
  const half = connect(listener.port, "127.0.0.1");
  half.write("GET / HTTP/1.1\r\n");
  const silent = connect(listener.port, "127.0.0.1");
  await Promise.all([once(half, "connect"), once(silent, "connect")]);
  const ended = Promise.all([untilEnd(kept), untilEnd(half), untilEnd(silent)]);
  const since = performance.now();
  await listener.close();
  await ended;
  assert.ok(performance.now() - since < 3000);
});

test("a port that is taken is the system's error", async () => {
  await using listener = await start();
  await assert.rejects(start({}, listener.port), { code: "EADDRINUSE" });
});
