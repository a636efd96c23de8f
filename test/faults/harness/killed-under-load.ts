// Clients that send without a pause until the service is killed, again and again, and what became of each message as they saw
// it. Called by test/bounce-crash.test.ts.
import assert from "node:assert/strict";
import { connectClient, type SendOptions } from "./client.ts";
import { leftBehind } from "./left-behind.ts";
import type { Letter } from "./letters.ts";
import type { Service, Site } from "./site.ts";

export interface Sent {
  readonly letter: Letter;
  readonly options: SendOptions;
  /** The round in which the service answered for it; undefined where it never did. */
  acknowledgedIn: number | undefined;
  /** How often the connection ended before an answer: the service may have it, or not. */
  unanswered: number;
}

export interface Load {
  readonly rounds: number;
  readonly clients: number;
  readonly make: (client: number, nth: number, round: number) => Pick<Sent, "letter" | "options">;
  /** An acknowledgement: nothing else is ever answered. */
  readonly reply: string;
  /** What was not answered is sent again, as mail servers do. */
  readonly resends: boolean;
  /** The kill comes after so many of a round: at once in every second round, and a moment later in the others. */
  readonly enough: number;
}

export interface Killed {
  /** Those of each client in their order: one after the other's answer. */
  readonly sent: readonly Sent[];
  /** In all, at the kills: deliveries that were on their way. Each may have a second copy. */
  readonly leased: number;
  readonly queued: number;
}

export async function killedInRounds(site: Site, load: Load): Promise<Killed> {
  const sent: Sent[][] = Array.from({ length: load.clients }, () => []);
  let [leased, queued] = [0, 0];
  for (let round = 0; round < load.rounds; round++) {
    const next = (client: number): Sent => {
      const mine = sent[client] ?? [];
      const last = mine.at(-1);
      if (load.resends && last && last.acknowledgedIn === undefined) return last;
      const one = { ...load.make(client, mine.length, round), acknowledgedIn: undefined, unanswered: 0 };
      mine.push(one);
      return one;
    };
    await killedUnderLoad(await site.start(), { ...load, round, next });
    const left = await leftBehind(site.stateFolder);
    leased += left.leased.length;
    queued += left.queued.length;
  }
  return { sent: sent.flat(), leased, queued };
}

const MOST_MS = 100;

interface Round extends Pick<Load, "clients" | "reply" | "enough"> {
  readonly round: number;
  readonly next: (client: number) => Sent;
}

/** Resolves when the process is gone. */
async function killedUnderLoad(
  service: Service,
  { round, clients, next, reply, enough }: Round,
): Promise<void> {
  const killed = Promise.withResolvers<void>();
  const kill = async (): Promise<void> => {
    if (round % 2 === 1) await new Promise((wait) => setTimeout(wait, MOST_MS * Math.random()));
    await service.stop("SIGKILL");
    killed.resolve();
  };
  let acknowledged = 0;
  const session = async (index: number): Promise<void> => {
    using client = await connectClient(service.port);
    for (;;) {
      const sent = next(index);
      const answer = await client.send(sent.letter, sent.options);
      if (answer === "closed") {
        sent.unanswered++;
        return;
      }
      assert.equal(answer, reply);
      sent.acknowledgedIn = round;
      acknowledged++;
      if (acknowledged === enough) void kill();
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, index) => session(index)));
  await killed.promise;
}
