// Asks the running service over its control socket: one question, one connection. Called by the commands about what only
// the service can tell.
import { createConnection } from "node:net";
import { createBoundedLines } from "@homing/forwarder/bounded-lines";
import type * as z from "zod";
import { CommandFailure, type EXIT, type FailureReason } from "../../failure.ts";
import {
  type AnswerLine,
  answerLine,
  controlPathProblem,
  MAX_ANSWER_OCTETS,
  parseLine,
  type Question,
  renderLine,
} from "./control-protocol.ts";

export interface AnswerShape<I, E> {
  readonly item: z.ZodType<I>;
  readonly end: z.ZodType<E>;
}

export interface Answer<I, E> {
  readonly items: readonly I[];
  readonly end: E;
}

/** As `ask` gives it for this shape. */
export type AnswerTo<S> = S extends AnswerShape<infer I, infer E> ? Answer<I, E> : never;

/** Without a further line. A hundred messages on a slow disk take their time. */
const ANSWER_MS = 120_000;

/** Collects the answer: questions are such that it is of bounded size. Throws a CommandFailure where there is none. */
export async function ask<I, E>(
  path: string,
  question: Question,
  { item, end }: AnswerShape<I, E>,
): Promise<Answer<I, E>> {
  const tooLong = controlPathProblem(path);
  if (tooLong !== undefined) throw new CommandFailure("config", tooLong);
  const items: I[] = [];
  for await (const line of answerLines(path, question)) {
    if (line.kind === "error") throw new CommandFailure(REASONS[line.reason], line.message);
    const value = (line.kind === "item" ? item : end).safeParse(line.value);
    if (!value.success) throw notUnderstood(path);
    if (line.kind === "end") return { items, end: value.data as E };
    items.push(value.data as I);
  }
  throw closed(path);
}

const REASONS = {
  question: "usage",
  unavailable: "temporary",
  software: "software",
} as const satisfies Record<string, FailureReason & keyof typeof EXIT>;

async function* answerLines(path: string, question: Question): AsyncGenerator<AnswerLine, void, undefined> {
  const lines = createBoundedLines(MAX_ANSWER_OCTETS);
  const socket = createConnection(path);
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`no answer for ${ANSWER_MS / 1000} s`)));
  socket.write(renderLine(question));
  try {
    for await (const chunk of socket) {
      for (const text of lines.push(chunk as Buffer) ?? [""]) {
        const line = parseLine(text, answerLine);
        if (!line) throw notUnderstood(path);
        yield line;
      }
    }
  } catch (error) {
    throw error instanceof CommandFailure ? error : connectionFailure(path, error);
  } finally {
    socket.destroy();
  }
}

function connectionFailure(path: string, error: unknown): CommandFailure {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES" || code === "EPERM") {
    return new CommandFailure(
      "permission",
      `control socket ${path}: not allowed to this user: run this as the service's user, or as root`,
    );
  }
  if (code === "ENOENT" || code === "ECONNREFUSED") {
    return unavailable(path, "no service answers there: start homing serve, or name its --config");
  }
  if (code === "ECONNRESET" || code === "EPIPE") return closed(path);
  return unavailable(path, error instanceof Error ? error.message : String(error));
}

/** Also what the ninth client hears. */
function closed(path: string): CommandFailure {
  return unavailable(path, "the service closed the connection: do too many ask at a time? try again");
}

function notUnderstood(path: string): CommandFailure {
  return unavailable(path, "what the service says is not understood: is it the same version? restart it");
}

function unavailable(path: string, why: string): CommandFailure {
  return new CommandFailure("unavailable", `control socket ${path}: ${why}`);
}
