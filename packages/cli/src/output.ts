// Where a command writes: data to stdout, talk to stderr; with --json one document (or JSON Lines) and nothing else.
import process from "node:process";
import { styleText } from "node:util";
import { EXIT } from "./failure.ts";

export interface Output {
  readonly json: boolean;
  /** Data for a script. */
  data(line: string): void;
  /** One JSON document on one line. */
  document(value: unknown): void;
  /** Words for a person; silent with --json. */
  talk(line: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    data: (line) => void process.stdout.write(`${line}\n`),
    document: (value) => void process.stdout.write(`${renderDocument(value)}\n`),
    talk(line) {
      if (!json) process.stderr.write(`${line}\n`);
    },
  };
}

/** Controls beyond ASCII (CSI is one) and directions: JSON leaves them as they are, and a terminal obeys. */
const OBEYED = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** One line of JSON that nobody's text can paint the terminal with; what it says stays the same. */
export function renderDocument(value: unknown): string {
  return JSON.stringify(value).replace(
    OBEYED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A negative answer: its reason and its words. Returns the exit code. */
export function negative(output: Output, reason: string, message: string): number {
  if (output.json) output.document({ ok: false, reason, message });
  else output.talk(`homing: ${reason}: ${message}`);
  return EXIT.negative;
}

type OutputLost = (error: NodeJS.ErrnoException) => void;

/** A reader that has gone (`| head`) ends a command quietly, as it ends every other one. */
let outputLost: OutputLost = (error) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  process.stderr.write(`homing: the output cannot be written: ${error.message}\n`, () =>
    process.exit(EXIT.temporary),
  );
};

/** Called once, by main.ts: without a listener the process would end with a stack trace. */
export function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", (error) => outputLost(error));
}

/** For a service, which has more to end than its output. */
export function whenOutputIsLost(act: OutputLost): void {
  outputLost = act;
}

export type Style = Parameters<typeof styleText>[0];

/** Colours where stdout is a terminal that shows them; NO_COLOR and FORCE_COLOR are honoured. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
