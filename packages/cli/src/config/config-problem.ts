// What is wrong with a configuration and the files that it names, and where. `homing serve` tells it as lines,
// `homing config check --json` as objects.
import type { Problem } from "@homing/forwarder";
import { CommandFailure, type FailureReason } from "../failure.ts";

/** Without file and place where there is none. */
export interface ConfigProblem extends Partial<Problem> {
  readonly file?: string;
  /** What, why and what to do, in one line. */
  readonly message: string;
}

class ConfigFailure extends CommandFailure {
  readonly problems: readonly ConfigProblem[];
  readonly unseen: readonly string[];

  constructor(problems: readonly ConfigProblem[], { reason = "config", unseen = [] }: FailureDetails) {
    super(reason, problems.map(renderProblem).join("\n"));
    this.problems = problems;
    this.unseen = unseen;
  }
}

export interface FailureDetails {
  readonly reason?: FailureReason;
  /** What was not looked at because of these problems, in words. */
  readonly unseen?: readonly string[];
}

/** Several problems as one failure. Lines are `file:line:col message`. */
export function configFailure(
  problems: readonly (ConfigProblem | string)[],
  details: FailureDetails = {},
): CommandFailure {
  const all = problems.map((one) => (typeof one === "string" ? parseProblem(one) : one));
  return new ConfigFailure(all, details);
}

export function unseenOf(failure: CommandFailure): readonly string[] {
  return failure instanceof ConfigFailure ? failure.unseen : [];
}

export function problemsOf(failure: CommandFailure): readonly ConfigProblem[] {
  return failure instanceof ConfigFailure ? failure.problems : failure.message.split("\n").map(parseProblem);
}

export function renderProblem({ file, line, column, message }: ConfigProblem): string {
  const place = [file, line, column].filter((one) => one !== undefined).join(":");
  return place === "" ? message : `${place} ${message}`;
}

/** The place is what stands before the first blank; a file name with a blank stays in the message. */
export function parseProblem(text: string): ConfigProblem {
  const blank = text.indexOf(" ");
  const [column, line, ...file] = text.slice(0, Math.max(blank, 0)).split(":").reverse();
  if (!isCount(column) || !isCount(line) || file.length === 0) return { message: text };
  return {
    file: file.reverse().join(":"),
    line: Number(line),
    column: Number(column),
    message: text.slice(blank + 1),
  };
}

function isCount(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,9}$/.test(text);
}
