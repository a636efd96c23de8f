// What we demand of a server before it gets a message or a password: TLS, a certificate, AUTH.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { TLSSocket } from "node:tls";
import { memoryContent } from "@homing/mail";
import type { NextHop } from "./next-hops.ts";
import type { Library } from "./outbound/library.ts";
import { logIn } from "./outbound/log-in.ts";
import { tlsDemand } from "./outbound/tls-demand.ts";
import { type Attempt, type Submission, submit } from "./smtp-out.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./testing/certificate.ts";
import { type Server, Wire, within } from "./testing/wire.ts";

interface SecureHopOptions {
  /** EHLO lines before TLS and after it. */
  readonly offers?: readonly string[];
  readonly secretly?: readonly string[];
  /** Answers to AUTH and to what follows it. */
  readonly auth?: readonly string[];
  readonly breaksTls?: boolean;
}

interface SecureHop extends Server {
  readonly heard: string[];
}

const STARTTLS = ["STARTTLS"];
const AUTH = ["AUTH PLAIN LOGIN"];
const PASSWORD = "correct horse";
const CREDENTIALS = { user: "u@site.test", password: PASSWORD };
/** As AUTH PLAIN and AUTH LOGIN carry it. */
const SECRETS = [PASSWORD, ...[PASSWORD, `\0${CREDENTIALS.user}\0${PASSWORD}`].map(base64)];

async function startSecureHop(options: SecureHopOptions): Promise<SecureHop> {
  const heard: string[] = [];
  const auth = [...(options.auth ?? [])];
  const talk = async (wire: Wire, offers: readonly string[]): Promise<void> => {
    for (let line = await wire.line(); line !== undefined; line = await wire.line()) {
      heard.push(line);
      const [verb = ""] = line.split(" ", 1);
      if (verb === "EHLO")
        wire.send(`250-hop.example\r\n${offers.map((offer) => `250-${offer}\r\n`).join("")}250 HELP\r\n`);
      else if (verb === "STARTTLS") {
        wire.send("220 go\r\n");
        await wire.until("\x16");
        wire.socket.destroy();
        return;
      } else if (verb === "DATA") {
        wire.send("354 go\r\n");
        await wire.until("\r\n.\r\n");
        wire.send("250 2.0.0 queued\r\n");
      } else if (verb === "MAIL" || verb === "RCPT" || verb === "RSET") wire.send("250 ok\r\n");
      else if (verb === "QUIT") wire.socket.end("221 bye\r\n");
      else wire.send(`${auth.shift() ?? "500 what?"}\r\n`);
    }
  };
  const session = async (socket: Socket): Promise<void> => {
    const offers = options.offers ?? STARTTLS;
    socket.on("error", () => {});
    socket.write("220 hop.example\r\n");
    if (!offers.includes("STARTTLS") || options.breaksTls) return talk(new Wire(socket), offers);
    // TLS wants octets, so nothing reads the socket as text before it.
    await once(socket, "data");
    socket.write("250-hop.example\r\n250 STARTTLS\r\n");
    await once(socket, "data");
    socket.write("220 go\r\n");
    heard.push("TLS");
    const secure = new TLSSocket(socket, { isServer: true, cert: CERTIFICATE, key: CERTIFICATE_KEY });
    await talk(new Wire(secure), options.secretly ?? []);
  };
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    void session(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    heard,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function send(hop: Server, demands: Partial<NextHop>, options: Partial<Submission> = {}): Promise<Attempt> {
  const submission: Submission = {
    server: { host: hop.host, port: hop.port, ...demands },
    hostname: "mx.test",
    envelope: {
      reversePath: { localPart: "a", domain: "b.test" },
      recipient: { localPart: "c", domain: "d.test" },
      eightBit: false,
      smtpUtf8: false,
    },
    message: memoryContent(Buffer.from("Subject: x\r\n\r\ny\r\n")),
    ...options,
  };
  return within(submit(submission), "the attempt");
}

const NAMED = { name: "mx.hop.example" };
const OTHER = { name: "mx.other.example" };
const TRUSTED = { ca: CERTIFICATE };

const outcomes: [
  what: string,
  hop: SecureHopOptions,
  demands: Partial<NextHop>,
  trust: { ca?: string },
  outcome: string,
][] = [
  ["no TLS, nothing demanded", { offers: [] }, {}, {}, "accepted none"],
  ["a certificate of its name, trusted", {}, NAMED, TRUSTED, "accepted verified"],
  ["a certificate of another name", {}, OTHER, TRUSTED, "accepted unverified"],
  ["a certificate that nobody vouches for", {}, NAMED, {}, "accepted unverified"],
  ["TLS demanded, and there", {}, { ...OTHER, tls: "required" }, {}, "accepted unverified"],
  ["TLS demanded, and not offered", { offers: [] }, { tls: "required" }, {}, "451 4.7.4"],
  ["TLS demanded, and broken", { breaksTls: true }, { tls: "required" }, {}, "451 4.7.5"],
  [
    "a certificate demanded, and good",
    {},
    { ...NAMED, tls: "required-verified" },
    TRUSTED,
    "accepted verified",
  ],
  [
    "a certificate demanded, of another name",
    {},
    { ...OTHER, tls: "required-verified" },
    TRUSTED,
    "451 4.7.5",
  ],
  [
    "a certificate demanded, nobody vouches for it",
    {},
    { ...NAMED, tls: "required-verified" },
    {},
    "451 4.7.5",
  ],
  [
    "a certificate demanded, no TLS",
    { offers: [] },
    { ...NAMED, tls: "required-verified" },
    TRUSTED,
    "451 4.7.4",
  ],
];
for (const [what, hopOptions, demands, trust, expected] of outcomes) {
  test(`${what}: ${expected}`, async () => {
    await using hop = await startSecureHop(hopOptions);
    const attempt = await send(hop, demands, trust);
    assert.ok(attempt.kind !== "no-answer");
    const { reply, tls } = attempt;
    assert.equal(
      attempt.kind === "accepted" ? `accepted ${tls}` : `${reply.code} ${reply.enhanced}`,
      expected,
    );
    if (attempt.kind === "answered") {
      assert.equal(attempt.stage, "greeting", "the next server may do better");
      assert.ok(!hop.heard.some((line) => line.startsWith("MAIL")));
    }
  });
}

const PLAIN = `AUTH PLAIN ${base64(`\0${CREDENTIALS.user}\0${PASSWORD}`)}`;
const LOGIN = ["AUTH LOGIN", base64(CREDENTIALS.user), base64(PASSWORD)];
const OK = "235 2.7.0 welcome";
const ASK = ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"];

const logins: [
  what: string,
  hop: SecureHopOptions,
  demands: Partial<NextHop>,
  said: string[],
  outcome: string,
][] = [
  ["PLAIN", { secretly: AUTH, auth: [OK] }, NAMED, [PLAIN], "accepted"],
  ["LOGIN", { secretly: ["AUTH LOGIN"], auth: [...ASK, OK] }, NAMED, LOGIN, "accepted"],
  ["on loopback, without TLS", { offers: AUTH, auth: [OK] }, {}, [PLAIN], "accepted"],
  ["refused", { secretly: AUTH, auth: ["535 5.7.8 bad"] }, NAMED, [PLAIN], "451 4.7.8"],
  ["refused for now", { secretly: AUTH, auth: ["454 4.7.0 later"] }, NAMED, [PLAIN], "451 4.7.8"],
  ["that is not offered", { secretly: [] }, NAMED, [], "451 4.7.8"],
  ["of other kinds alone", { secretly: ["AUTH CRAM-MD5 XOAUTH2"] }, NAMED, [], "451 4.7.8"],
  ["without TLS, where TLS is demanded", { offers: AUTH }, { tls: "required" }, [], "451 4.7.4"],
  [
    "with the certificate of another",
    { secretly: AUTH },
    { ...OTHER, tls: "required-verified" },
    [],
    "451 4.7.5",
  ],
];
for (const [what, hopOptions, demands, said, expected] of logins) {
  test(`AUTH ${what}: ${expected}, and the password is in nothing that is told`, async () => {
    const auth = hopOptions.auth?.map((reply) =>
      /^[45]/.test(reply) ? `${reply} ${PLAIN} ${PASSWORD}` : reply,
    );
    await using hop = await startSecureHop({ ...hopOptions, ...(auth ? { auth } : {}) });
    const transcript: string[] = [];
    const attempt = await send(
      hop,
      { credentials: CREDENTIALS, ...demands },
      { ...TRUSTED, transcript: (_from, line) => transcript.push(line) },
    );
    assert.ok(attempt.kind !== "no-answer");
    const { code, enhanced } = attempt.reply;
    assert.equal(attempt.kind === "accepted" ? "accepted" : `${code} ${enhanced}`, expected);
    const dialogue = hop.heard.slice(hop.heard.findIndex((line) => line.startsWith("AUTH")));
    assert.deepEqual(said.length > 0 ? dialogue.slice(0, said.length) : [], said);
    assert.ok(said.length > 0 || !hop.heard.some((line) => line.startsWith("AUTH")));
    for (const secret of SECRETS) assert.ok(!JSON.stringify([attempt, transcript]).includes(secret));
  });
}

test("a refused AUTH says which account, and what to do", async () => {
  await using hop = await startSecureHop({ secretly: AUTH, auth: ["535 5.7.8 bad"] });
  const attempt = await send(hop, { ...NAMED, credentials: CREDENTIALS }, TRUSTED);
  assert.ok(attempt.kind === "answered");
  assert.equal(attempt.reply.text, "AUTH PLAIN as u@site.test refused (535 5.7.8): check the credentials");
});

test("a connection that is lost at AUTH gives no answer, and so does an end of patience", async () => {
  await using silent = await startSecureHop({ secretly: AUTH, auth: ["334 "] });
  const patience = new AbortController();
  const pending = send(
    silent,
    { ...NAMED, credentials: CREDENTIALS },
    { ...TRUSTED, timeIsUp: patience.signal },
  );
  while (!silent.heard.some((line) => line.startsWith("AUTH")))
    await new Promise((resolve) => setImmediate(resolve));
  patience.abort();
  assert.equal((await pending).kind, "no-answer");
});

test("AUTH without TLS is refused here, whatever the operator said of TLS, unless the server is on this machine", async () => {
  const _socket = { remoteAddress: "192.0.2.1" } as Socket;
  const library = { _socket, _supportedAuth: ["PLAIN"] } as unknown as Library;
  const failure = await logIn(library, CREDENTIALS, "none", undefined);
  assert.ok(failure?.kind === "answered");
  assert.deepEqual([failure.reply.code, failure.reply.enhanced], [451, "4.7.4"]);
});

test("a password does not go to a server elsewhere that cannot prove its name", () => {
  const demands = ["smart.example", "192.0.2.1", "127.0.0.1", "::1", "localhost"].map((host) =>
    tlsDemand({ host, port: 587, credentials: CREDENTIALS }),
  );
  assert.deepEqual(demands, [
    "required-verified",
    "required-verified",
    "opportunistic",
    "opportunistic",
    "required-verified",
  ]);
  assert.equal(
    tlsDemand({ host: "smart.example", port: 587, tls: "required", credentials: CREDENTIALS }),
    "required",
  );
  assert.equal(tlsDemand({ host: "mx.example", port: 25 }), "opportunistic");
});
