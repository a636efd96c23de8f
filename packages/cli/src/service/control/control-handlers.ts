// What the control socket can be asked: a table from the kind of a question to who answers it. Made by the files that
// answer, such as queue-handlers.ts; called by control-listener.ts.
import * as z from "zod";

/** Items that are yielded, and the end that is returned. It is ended early when its client has gone. */
export type Items = AsyncGenerator<object, object, undefined>;
/** The end alone, or items and an end. */
export type Answering = Promise<object> | Items;

export type Handled =
  | { readonly ok: true; readonly answering: Answering }
  | { readonly ok: false; readonly message: string };

export type Handler = (question: object) => Handled;

/** By kind. A map: the kind comes from outside. */
export type Handlers = ReadonlyMap<string, Handler>;

/** Thrown by whoever answers where that cannot be done now: its words are for the person who asks. */
export class NotNow extends Error {}

export function handler<Q>(shape: z.ZodType<Q>, answer: (question: Q) => Answering): Handler {
  return (question) => {
    const parsed = shape.safeParse(question);
    if (!parsed.success) return { ok: false, message: z.prettifyError(parsed.error).replaceAll("\n", " ") };
    return { ok: true, answering: answer(parsed.data) };
  };
}
