// What is said on the control socket of a running service: one JSON object a line. A question has a `kind`; its answer is
// any number of items, then one end, or an error. Called by control-listener.ts and control-client.ts.
import { join } from "node:path";
import * as z from "zod";

/** @param folder the state directory: its lock keeps a second service away from the socket, too */
export function controlPath(folder: string): string {
  return join(folder, "control");
}

/** sun_path has 108 octets with the NUL at its end, unix(7). */
const MAX_PATH_OCTETS = 107;

/** Why there can be no socket of this name; undefined where there can. */
export function controlPathProblem(path: string): string | undefined {
  const octets = Buffer.byteLength(path);
  if (octets <= MAX_PATH_OCTETS) return undefined;
  const many = `${octets} octets, and the name of a UNIX socket has at most ${MAX_PATH_OCTETS}`;
  return `control socket ${path}: ${many}: choose a stateDirectory with a shorter path`;
}

export const MAX_QUESTION_OCTETS = 64 * 1024;
/** A header of 100 KiB, each octet of it as a JSON escape of six; or a hundred recipients with a next hop's words each. */
export const MAX_ANSWER_OCTETS = 4 * 1024 * 1024;

/** What every question has; its kind says what else. */
export const anyQuestion = z.looseObject({ kind: z.string() });
export type Question = z.infer<typeof anyQuestion>;

export const answerLine = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("item"), value: z.looseObject({}) }),
  z.object({ kind: z.literal("end"), value: z.looseObject({}) }),
  z.object({
    kind: z.literal("error"),
    /** The question cannot be understood; what it is about cannot be had now; a bug. */
    reason: z.enum(["question", "unavailable", "software"]),
    message: z.string(),
  }),
]);
export type AnswerLine = z.infer<typeof answerLine>;

export function renderLine(line: AnswerLine | Question): string {
  return `${JSON.stringify(line)}\n`;
}

/** Undefined where this is no JSON object of that shape. */
export function parseLine<T>(line: string, shape: z.ZodType<T>): T | undefined {
  try {
    return shape.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
