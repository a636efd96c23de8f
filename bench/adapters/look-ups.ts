// Asks a map for senders that it rewrites, over so many connections with so many questions outstanding on each. Called by
// rounds.ts.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";

/** How a map is asked, and how answers are counted: each ends with this octet, and has no other one of it. */
export interface Dialect {
  readonly question: (sender: string) => string;
  readonly end: number;
}

export const SOCKETMAP: Dialect = {
  question: (sender) => `${`forward ${sender}`.length}:forward ${sender},`,
  end: 0x2c,
};
export const TCP_TABLE: Dialect = { question: (sender) => `get ${sender}\n`, end: 0x0a };

export interface Shape {
  readonly connections: number;
  readonly outstanding: number;
}

export const SHAPES: readonly Shape[] = [
  { connections: 1, outstanding: 1 },
  { connections: 1, outstanding: 64 },
  { connections: 8, outstanding: 1 },
];

/** Senders in turn: nobody answers from what he has just said. */
const SENDERS = 1000;

/** A port of 127.0.0.1, or a UNIX socket. */
export type MapPlace = { readonly port: number } | { readonly path: string };

export interface LookUpOrder {
  readonly place: MapPlace;
  readonly dialect: Dialect;
  readonly shape: Shape;
  readonly seconds: number;
}

/** Look-ups a second. */
export async function measureLookUps({ place, dialect, shape, seconds }: LookUpOrder): Promise<number> {
  const questions = Array.from({ length: SENDERS }, (_, index) =>
    dialect.question(`user${index}@origin.example`),
  );
  const askers = await Promise.all(
    Array.from({ length: shape.connections }, () => startAsker(place, dialect.end, questions)),
  );
  const startedAt = performance.now();
  for (const asker of askers) asker.ask(shape.outstanding);
  await pause(seconds * 1000);
  const answered = askers.reduce((sum, asker) => sum + asker.answered(), 0);
  const took = (performance.now() - startedAt) / 1000;
  for (const asker of askers) asker.socket.destroy();
  return answered / took;
}

interface Asker {
  readonly socket: Socket;
  ask(count: number): void;
  answered(): number;
}

/** Each answer is followed by a question: so many are outstanding as were asked at first. */
async function startAsker(place: MapPlace, end: number, questions: readonly string[]): Promise<Asker> {
  const socket = dial(place).setNoDelay(true);
  await once(socket, "connect");
  let next = 0;
  let answered = 0;
  const ask = (count: number): void => {
    let text = "";
    for (let index = 0; index < count; index++) text += questions[next++ % questions.length];
    socket.write(text);
  };
  socket.on("data", (octets: Buffer) => {
    let ends = 0;
    for (let at = octets.indexOf(end); at >= 0; at = octets.indexOf(end, at + 1)) ends++;
    answered += ends;
    if (ends > 0) ask(ends);
  });
  return { socket, ask, answered: () => answered };
}

function dial(place: MapPlace): Socket {
  return "path" in place ? connect(place.path) : connect(place.port, "127.0.0.1");
}

/** One question and its whole answer. */
export async function firstAnswer(place: MapPlace, { question }: Dialect, sender: string): Promise<string> {
  const socket = dial(place);
  socket.write(question(sender));
  const [octets] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return octets.toString("latin1");
}
