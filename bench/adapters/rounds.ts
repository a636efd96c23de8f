// The measurements in their order: for each shape, and then for mail, round by round, in each round everybody in turn.
// Called by main.ts.
import { offerMail } from "../mta/smtp-source.ts";
import { runOnce } from "../mta/throughput.ts";
import { type Dialect, type MapPlace, measureLookUps, SHAPES, type Shape } from "./look-ups.ts";
import type { PostfixTrack } from "./postfix-pair.ts";

export interface MapContestant {
  readonly name: string;
  readonly place: MapPlace;
  readonly dialect: Dialect;
}

export interface LookUpRun {
  readonly contestant: string;
  readonly shape: Shape;
  readonly round: number;
  readonly perSecond: number;
}

export interface MailContestant {
  readonly name: string;
  readonly track: PostfixTrack;
}

export interface MailRun {
  readonly contestant: string;
  readonly round: number;
  readonly perSecond: number;
}

export interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly progress: (line: string) => void;
}

/** Many questions, once for all: with one at a time it takes V8 minutes to see what is often called. */
const WARM_UP: Shape = { connections: 1, outstanding: 64 };

/** Round 0 warms up, too. */
export async function runLookUps(
  contestants: readonly MapContestant[],
  { rounds, seconds, progress }: Plan,
): Promise<LookUpRun[]> {
  const runs: LookUpRun[] = [];
  for (const { place, dialect } of contestants)
    await measureLookUps({ place, dialect, shape: WARM_UP, seconds });
  for (const shape of SHAPES) {
    for (let round = 0; round <= rounds; round++) {
      for (const { name, place, dialect } of inTurn(contestants, round)) {
        const perSecond = await measureLookUps({ place, dialect, shape, seconds });
        progress(`${nameOf(shape)}, round ${round}: ${name} ${Math.round(perSecond)}/s`);
        if (round > 0) runs.push({ contestant: name, shape, round, perSecond });
      }
    }
  }
  return runs;
}

const SESSIONS = 10;
const OFFER = offerMail({ size: 4000, connection: "many", sessions: SESSIONS });
const FIRST_MESSAGES = 200;
const PATIENCE_SECONDS = 30;

export async function runMail(
  contestants: readonly MailContestant[],
  { rounds, seconds, progress }: Plan,
): Promise<MailRun[]> {
  const runs: MailRun[] = [];
  const speed = new Map<string, number>();
  for (let round = 0; round <= rounds; round++) {
    for (const { name, track } of inTurn(contestants, round)) {
      const wanted = (speed.get(name) ?? FIRST_MESSAGES) * seconds;
      const messages = Math.max(Math.round(wanted / SESSIONS), 2) * SESSIONS;
      const run = await runOnce(track, { messages, limitSeconds: seconds * 4 + PATIENCE_SECONDS }, OFFER);
      if (run.arrived !== run.offered)
        throw new Error(`${name}: of ${run.offered} messages ${run.arrived} arrived: ${run.complaint}`);
      speed.set(name, run.perSecond);
      progress(`mail, round ${round}: ${name} ${Math.round(run.perSecond)}/s`);
      if (round > 0) runs.push({ contestant: name, round, perSecond: run.perSecond });
    }
  }
  return runs;
}

export function nameOf({ connections, outstanding }: Shape): string {
  return `${connections} ${connections === 1 ? "connection" : "connections"}, ${outstanding} outstanding`;
}

/** Each round begins with another one. */
function inTurn<T>(all: readonly T[], round: number): T[] {
  const first = round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}
