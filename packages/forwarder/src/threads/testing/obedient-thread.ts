// A thread that does what its work says. Started by thread-pool.test.ts.
import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, threadId } from "node:worker_threads";
import type { ToThread } from "../messages.ts";
import { type Ask, serveJobs, type ThisJob } from "../serve-jobs.ts";

export interface ObedientTrade {
  /**
   * `dies`, `hangs`, `bug`, `waits`, `is patient`, `counts` its octets, `spends` a megabyte, tells its `external` ones, or `which`
   * it is, or `asks` or `says` what comes behind.
   */
  readonly work: string;
  readonly outcome: string;
  readonly question: string;
  readonly answer: string;
}

const MEGABYTE = 1024 * 1024;

serveJobs<ObedientTrade>(async (job, ask) => {
  const [what = "", ...words] = job.work.split(" ");
  return await (deeds[what] ?? says)(job, ask, words.join(" "));
});

type Deed = (job: ThisJob<ObedientTrade>, ask: Ask<ObedientTrade>, words: string) => Promise<string>;

const says: Deed = async (_, __, words) => words;

const deeds: Readonly<Record<string, Deed>> = {
  says,
  async dies() {
    process.nextTick(() => {
      throw new Error("it was too much");
    });
    return await new Promise(() => {});
  },
  async hangs() {
    for (;;);
  },
  async bug() {
    throw new Error("a bug");
  },
  waits: () => new Promise(() => {}),
  /** Until it was asked five times whether it is there. */
  async is() {
    let asked = 0;
    return await new Promise((resolve) => {
      parentPort?.on("message", (messages: readonly ToThread<ObedientTrade>[]) => {
        asked += messages.filter(({ kind }) => kind === "are-you-there").length;
        if (asked >= 5) resolve("still there");
      });
    });
  },
  asks: async (_, ask, words) => await ask(words),
  async spends() {
    return `${Buffer.alloc(MEGABYTE).length} octets`;
  },
  which: async () => String(threadId),
  external: async () => String(process.memoryUsage().external / MEGABYTE),
  async counts({ whole, pieces }) {
    let octets = 0;
    let most = 0;
    for await (const piece of pieces) {
      octets += piece.length;
      most = Math.max(most, piece.length);
      await nextTurn();
    }
    return `${octets} octets, ${whole ? "whole" : `${most} at most`}`;
  },
};
