// One long-lived Mail::SRS that is asked in batches. Called by differential.ts; the harness's mail-srs.ts, which asks one
// question at a time in JSON, is thirty times slower.
import { readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Answer } from "../../packages/srs-core/src/testing/answers.ts";
import { startInstance } from "../harness/instance.ts";
import type { RandomOptions } from "./random-options.ts";

/** Many more than the batches under way have. */
const KEPT_OPTIONS = 10_000;

export interface Question {
  readonly op: "forward" | "reverse";
  readonly options: RandomOptions;
  readonly address: string;
  readonly now: number;
}

export interface MailSrsBatch extends AsyncDisposable {
  /** Answers in the order of the questions. Several batches may be under way. */
  ask(questions: readonly Question[]): Promise<Answer[]>;
}

interface Waiting {
  readonly answers: Answer[];
  readonly count: number;
  resolve(answers: Answer[]): void;
  reject(error: Error): void;
}

export async function startMailSrsBatch(): Promise<MailSrsBatch> {
  const path = "/etc/homing-peer";
  const instance = await startInstance({
    packageName: "libmail-srs-perl",
    command: ["perl", path],
    files: { [path]: await readFile(join(import.meta.dirname, "mail-srs-batch.pl"), "utf8") },
    talks: true,
  });
  const stdin = instance.child.stdin as Socket;
  const stdout = instance.child.stdout as Socket;
  const waiting: Waiting[] = [];
  const numbers = new WeakMap<RandomOptions, number>();
  let latest = 0;
  stdin.on("error", () => {});
  const lines = createInterface({ input: stdout, crlfDelay: 0 });
  lines.on("line", (line) => {
    const [batch] = waiting;
    if (!batch) return;
    batch.answers.push(
      line.startsWith("+") ? { address: decoded(line.slice(1)) } : { refused: line.slice(1) },
    );
    if (batch.answers.length === batch.count) waiting.shift()?.resolve(batch.answers);
  });
  lines.once("close", async () => {
    const error = new Error(`Mail::SRS has ended${await instance.tail()}`);
    for (const batch of waiting.splice(0)) batch.reject(error);
  });

  function numberOf(options: RandomOptions, lines: string[]): number {
    const known = numbers.get(options);
    if (known !== undefined) return known;
    // Batches forget their options: those of long ago give their numbers to new ones.
    const number = latest++ % KEPT_OPTIONS;
    numbers.set(options, number);
    const { separator, tagLength, minTagLength, maxAgeDays, alwaysRewrite, secrets } = options;
    const rest = [separator, tagLength, minTagLength, maxAgeDays, alwaysRewrite ? 1 : 0, ...secrets];
    lines.push(["O", number, ...rest].map((field) => encoded(String(field))).join("\t"));
    return number;
  }

  return {
    ask(questions) {
      if (questions.length === 0) return Promise.resolve([]);
      const { promise, resolve, reject } = Promise.withResolvers<Answer[]>();
      waiting.push({ answers: [], count: questions.length, resolve, reject });
      const lines: string[] = [];
      for (const { op, options, address, now } of questions) {
        const number = numberOf(options, lines);
        const line = `${op === "forward" ? "F" : "R"}\t${number}\t${now}\t${encoded(address)}`;
        lines.push(op === "forward" ? `${line}\t${options.domain}` : line);
      }
      stdin.write(`${lines.join("\n")}\n\n`);
      return promise;
    },
    [Symbol.asyncDispose]: () => instance.stop(),
  };
}

function encoded(text: string): string {
  return text.replace(
    /[%\p{Cc}]/gu,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

function decoded(text: string): string {
  return text.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
