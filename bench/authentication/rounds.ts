// The measurements in their order: for each number of sessions round by round, in each round every contestant in turn.
// Called by main.ts.
import { waitForQuiet } from "../mta/others.ts";
import { type Run, runOnce, type Track } from "../mta/throughput.ts";
import type { Contestant } from "./contestants.ts";
import type { Offers } from "./offer.ts";
import { offerFiles } from "./offer.ts";
import type { Measured } from "./orders.ts";
import type { ServiceProcess } from "./service-process.ts";

/** A service that got stuck is given up after so many times the aimed length. */
const PATIENCE = 4;
const PATIENCE_SECONDS = 5;
/** At the start, when no code is compiled. */
const COLD_ROUNDS = 2;

/** A service with the sink behind it. */
export interface Running extends Track {
  readonly service: ServiceProcess;
}

export interface AuthenticationRun {
  readonly contestant: string;
  readonly sessions: number;
  readonly round: number;
  readonly run: Run;
  readonly measured: Measured;
}

export interface Plan {
  readonly sessions: readonly number[];
  readonly rounds: number;
  /** Aimed at, of one run. */
  readonly seconds: number;
  readonly progress: (line: string) => void;
}

export async function runRounds(
  contestants: readonly { readonly contestant: Contestant; readonly running: Running }[],
  offers: Offers,
  { sessions: counts, rounds, seconds, progress }: Plan,
): Promise<AuthenticationRun[]> {
  const runs: AuthenticationRun[] = [];
  for (const [cell, sessions] of counts.entries()) {
    const speed = new Map<Contestant, number>();
    // Rounds before the first warm up, and tell how many messages fill a run.
    for (let round = cell === 0 ? 1 - COLD_ROUNDS : 0; round <= rounds; round++) {
      const words: string[] = [];
      await waitForQuiet();
      for (const { contestant, running } of inTurn(contestants, round)) {
        const messages = messagesOf(speed.get(contestant), seconds, sessions);
        const files = offers[contestant.mail];
        const { run, measured } = await measuredRun(running, { files, messages, sessions, seconds });
        check(contestant, run, measured);
        speed.set(contestant, run.perSecond);
        words.push(`${contestant.name} ${Math.round(run.perSecond)}/s`);
        if (round > 0) runs.push({ contestant: contestant.name, sessions, round, run, measured });
      }
      progress(`${sessions} sessions, ${round <= 0 ? "warming up" : `round ${round}`}: ${words.join(", ")}`);
    }
  }
  return runs;
}

interface Order {
  readonly files: readonly string[];
  readonly messages: number;
  readonly sessions: number;
  readonly seconds: number;
}

async function measuredRun(
  running: Running,
  { files, messages, sessions, seconds }: Order,
): Promise<{ readonly run: Run; readonly measured: Measured }> {
  const { service } = running;
  await service.begin();
  const limitSeconds = seconds * PATIENCE + PATIENCE_SECONDS;
  const run = await runOnce(running, { messages, limitSeconds }, offerFiles(files, sessions));
  return { run, measured: await service.end() };
}

/** Figures of mail that was not checked, or not sealed, or not forwarded, are none. */
function check({ name, service, mail }: Contestant, run: Run, measured: Measured): void {
  const { authenticated, signaturesGood, faults } = measured;
  const [fault = run.complaint] = faults;
  const isChecked = service === "plain" ? authenticated === 0 : authenticated === run.offered;
  const isVerified = service === "plain" || mail === "unsigned" || signaturesGood === run.offered;
  if (run.arrived === run.offered && faults.length === 0 && isChecked && isVerified) return;
  throw new Error(
    `${name}: of ${run.offered} messages ${run.arrived} arrived, ${authenticated} were authenticated, ${signaturesGood} by their signature: ${fault}`,
  );
}

const FIRST_MESSAGES = 600;

/** Every session offers the same number. */
function messagesOf(perSecond: number | undefined, seconds: number, sessions: number): number {
  const wanted = perSecond === undefined ? FIRST_MESSAGES * seconds : perSecond * seconds;
  return Math.max(Math.round(wanted / sessions), 4) * sessions;
}

/** Each round begins with another one: nobody always runs after the same. */
function inTurn<T>(all: readonly T[], round: number): T[] {
  const first = (round + COLD_ROUNDS) % Math.max(all.length, 1);
  return [...all.slice(first), ...all.slice(0, first)];
}
