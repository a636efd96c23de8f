// Every adapter of one `homing serve`, and clients that break its protocol in every way we could think of: their connections
// are closed, each with one line in the log, and a good client beside them is answered all the time.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { within } from "../packages/forwarder/src/testing/wire.ts";
import { freePort } from "./harness/free-port.ts";
import { type HomingService, startHomingService } from "./harness/homing.ts";
import { waitFor } from "./harness/wait.ts";

const NAMES = ["socketmap", "tcpTables", "policy", "milter", "spfd", "readsocket"] as const;
type Name = (typeof NAMES)[number];

const SENDER = "bob@origin.example";
const CONNECTIONS = 200;
const MOST_GROWTH_OCTETS = 40_000_000;

const netstring = (text: string): string => `${text.length}:${text},`;
const frame = (letter: string, data: Buffer): Buffer => {
  const head = Buffer.alloc(5, letter);
  head.writeUInt32BE(data.length + 1);
  return Buffer.concat([head, data]);
};
/** Version 6, all actions, all steps. */
const OFFER = frame("O", Buffer.from("00000006000001ff001fffff", "hex"));

/** A question, and how its answer begins. */
const GOOD: Readonly<Record<Name, readonly [question: string | Buffer, answer: RegExp]>> = {
  socketmap: [netstring(`forward ${SENDER}`), /^\d+:OK SRS0=/],
  tcpTables: [`get ${SENDER}\n`, /^200 SRS0=/],
  policy: [
    "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=\nrecipient=a@b.example\n\n",
    /^action=DUNNO\n/i,
  ],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the length of a frame is octets.
  milter: [OFFER, /^\0\0\0.O\0\0\0\x06/],
  spfd: [`scope=mfrom\nidentity=${SENDER}\nip_address=192.0.2.1\n\n`, /^result=/],
  readsocket: [`forward ${SENDER}\n`, /SRS0=/],
};

/** The same in every run. */
function randomOctets(length: number, seed: number): Buffer {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  return Buffer.from(Array.from({ length }, next));
}

interface Attack {
  readonly what: string;
  readonly octets: string | Buffer;
}

/** What no protocol of ours takes. */
const ATTACKS: readonly Attack[] = [
  ...[1, 2, 3].map((seed) => ({ what: `random octets, ${seed}`, octets: randomOctets(100_000, seed) })),
  { what: "an endless line", octets: "x".repeat(3_000_000) },
  { what: "NULs", octets: Buffer.alloc(100_000) },
  { what: "a line without an end, of NULs and text", octets: "get \0".repeat(20_000) },
];

const OWN_ATTACKS: Readonly<Record<Name, readonly Attack[]>> = {
  socketmap: [
    { what: "a netstring that announces too much", octets: "999999:" },
    { what: "a length of many digits", octets: "9".repeat(1000) },
    { what: "a length with a leading zero", octets: "07:forward," },
    { what: "a netstring without its comma", octets: "7:forwardX" },
    { what: "a negative length", octets: "-1:," },
    { what: "HTTP", octets: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" },
  ],
  tcpTables: [
    { what: "an unknown command", octets: "delete everything\n" },
    { what: "HTTP", octets: "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" },
  ],
  policy: [
    { what: "another request", octets: "request=junk\n\n" },
    { what: "a line without a name", octets: "=x\n\n" },
    { what: "attributes without end", octets: "a=b\n".repeat(100_000) },
  ],
  milter: [
    { what: "a frame of 2 GB", octets: Buffer.from("7fffffff4f", "hex") },
    { what: "an empty frame", octets: Buffer.alloc(4) },
    { what: "an unknown command", octets: Buffer.concat([OFFER, frame("Z", Buffer.alloc(0))]) },
    { what: "a short offer", octets: frame("O", Buffer.from("0006", "hex")) },
  ],
  spfd: [{ what: "fields without end", octets: "a=b\n".repeat(100_000) }],
  readsocket: [{ what: "control characters", octets: "forward a\u0001b\n" }],
};

interface Scene {
  readonly homing: HomingService;
  readonly ports: Readonly<Record<Name, number>>;
}

let scene: Scene | undefined;
const hop = await startHop();
test.before(async () => {
  const ports = Object.fromEntries(
    await Promise.all(NAMES.map(async (name) => [name, await freePort()] as const)),
  ) as Record<Name, number>;
  const adapters = NAMES.map((name) => {
    const key = name === "tcpTables" ? "forward" : "listen";
    return `  ${name}: { ${key}: "127.0.0.1:${ports[name]}", connections: ${CONNECTIONS} }`;
  });
  const homing = await startHomingService({
    config: [
      "hostname: mx.forwarder.example",
      "listen: 127.0.0.1:0",
      "domains: [forwarder.example]",
      "aliasesFile: aliases",
      "srs: { domain: srs.forwarder.example, secretsFile: secrets }",
      "dkim: unsigned",
      `delivery: { smartHost: "127.0.0.1:${hop.port}" }`,
      `dns: { servers: ["127.53.53.53:53"] }`,
      "adapters:",
      ...adapters,
      "",
    ].join("\n"),
    aliases: "alice: private@home.example\n",
    secret: "a secret of the stories, and long enough",
  });
  scene = { homing, ports };
});
test.after(async () => {
  await scene?.homing[Symbol.asyncDispose]();
  await hop[Symbol.asyncDispose]();
});

function running(): Scene {
  return scene ?? assert.fail("no scene");
}

async function dial(name: Name): Promise<Socket> {
  const socket = connect(running().ports[name], "127.0.0.1");
  socket.on("error", () => {});
  await within(once(socket, "connect"), `a connection to ${name}`);
  return socket;
}

/** A reset, and a write behind it, are an end like any other. */
function closing(socket: Socket): Promise<true> {
  return new Promise((resolve) => socket.once("close", () => resolve(true)));
}

async function ask(name: Name, socket: Socket): Promise<void> {
  const [question, answer] = GOOD[name];
  const heard = once(socket, "data");
  socket.write(question);
  const [octets] = (await within(heard, `an answer of ${name}`)) as [Buffer];
  assert.match(octets.toString("latin1"), answer);
}

async function askAnew(name: Name): Promise<void> {
  const socket = await dial(name);
  await ask(name, socket);
  socket.destroy();
}

interface Fault {
  readonly event: string;
  readonly adapter: string;
  readonly peer: string;
}

async function eventsOf(name: Name): Promise<readonly Fault[]> {
  const events = (await running().homing.events()) as unknown as Fault[];
  return events.filter(({ adapter }) => adapter === name);
}

function faultsIn(events: readonly Fault[], peer: string): readonly Fault[] {
  return events.filter((event) => event.event === "adapter-fault" && event.peer === peer);
}

/** Sends all and keeps its side open: the end is the server's doing. */
async function attack(name: Name, octets: string | Buffer): Promise<readonly Fault[]> {
  // The kernel gives a port to one client after the other.
  const { length: before } = await eventsOf(name);
  const socket = await dial(name);
  const peer = `127.0.0.1:${socket.localPort}`;
  const closed = closing(socket);
  socket.resume();
  socket.write(octets);
  await within(closed, "the end of the connection");
  return faultsIn((await eventsOf(name)).slice(before), peer);
}

for (const name of NAMES) {
  test(`${name} closes the connection of whoever breaks its protocol, with one line in the log, and answers others`, async (t) => {
    const beside = name === "socketmap" ? await dial(name) : undefined;
    for (const { what, octets } of [...ATTACKS, ...OWN_ATTACKS[name]]) {
      await t.test(what, async () => {
        const faults = await attack(name, octets);
        assert.equal(faults.length, 1, JSON.stringify(faults));
        if (beside) await ask(name, beside);
        else await askAnew(name);
      });
    }
    beside?.destroy();
  });

  test(`${name} hears half a question and then a reset, a hundred times, and answers others`, async () => {
    const [question] = GOOD[name];
    for (let client = 0; client < 100; client++) {
      const socket = await dial(name);
      socket.write(question.slice(0, question.length / 2));
      socket.resetAndDestroy();
    }
    await askAnew(name);
    await noErrors();
  });

  test(`${name} has ${CONNECTIONS} connections at most, and is there for others when some of 300 have gone`, async () => {
    const sockets = await Promise.all(Array.from({ length: 300 }, () => dial(name)));
    const open = (): Socket[] => sockets.filter((socket) => !socket.resume().closed);
    await waitFor(() => (open().length <= CONNECTIONS ? true : undefined), {
      seconds: 10,
      otherwise: () => `${open().length} connections are open`,
    });
    const [last = assert.fail("none is open")] = open();
    await ask(name, last);
    for (const socket of sockets) socket.destroy();
    await waitFor(
      () =>
        askAnew(name).then(
          () => true as const,
          () => undefined,
        ),
      {
        seconds: 10,
        otherwise: () => "nobody is served",
      },
    );
    const busy = (await eventsOf(name)).filter(({ event }) => event === "adapter-busy");
    assert.equal(busy.length, 1);
  });
}

test("half a question that never goes on is a fault after 30 s, at every adapter", async () => {
  const attackers = await Promise.all(
    NAMES.map(async (name) => {
      const { length: before } = await eventsOf(name);
      const socket = await dial(name);
      const [question] = GOOD[name];
      socket.resume().write(question.slice(0, question.length / 2));
      return { name, before, peer: `127.0.0.1:${socket.localPort}`, closed: closing(socket) };
    }),
  );
  const over = AbortSignal.timeout(40_000);
  while (
    !over.aborted &&
    (await Promise.race([Promise.all(attackers.map(({ closed }) => closed)), pause(500)])) === undefined
  )
    await askAnew("socketmap");
  for (const { name, before, peer } of attackers) {
    const [fault, ...others] = faultsIn((await eventsOf(name)).slice(before), peer);
    assert.ok(fault && others.length === 0, name);
  }
});

test("clients that ask without end and read nothing are not read from, and do not fill the memory", async () => {
  const names = ["socketmap", "tcpTables", "policy"] as const;
  const wave = async (): Promise<number> => {
    const sockets = await Promise.all(names.map(floodUntilFull));
    await askAnew("socketmap");
    const octets = residentOctets();
    for (const socket of sockets) socket.destroy();
    return octets;
  };
  // The first one takes memory that the heap then keeps.
  const first = await wave();
  const others = [await wave(), await wave(), await wave()];
  const grown = Math.min(...others) - first;
  assert.ok(grown < MOST_GROWTH_OCTETS, `${first} octets, then ${others}`);
});

/** Asks until nothing is taken any more. */
async function floodUntilFull(name: Name): Promise<Socket> {
  const socket = await dial(name);
  const much = String(GOOD[name][0]).repeat(1000);
  for (let sent = 0; sent < 5000; sent++) {
    if (socket.write(much)) continue;
    const isTaken = await Promise.race([once(socket, "drain").then(() => true), pause(300, false)]);
    if (!isTaken) return socket;
  }
  return assert.fail(`${name} reads on though nobody takes its answers`);
}

test("nothing of all this was an error of Homing's, and it ends as it should", async () => {
  await noErrors();
  assert.equal(await running().homing.stop(), 0);
});

async function noErrors(): Promise<void> {
  const events = (await running().homing.events()) as unknown as { event: string }[];
  assert.deepEqual(
    events.filter(({ event }) => event === "error"),
    [],
  );
}

function residentOctets(): number {
  const status = readFileSync(`/proc/${running().homing.pid}/status`, "utf8");
  return 1024 * Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}
