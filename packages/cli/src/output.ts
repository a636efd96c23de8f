// Where a command writes: data to stdout, talk to stderr; with --json one document (or JSON Lines) and nothing else.
import process from "node:process";
import { styleText } from "node:util";

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
    document: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
    talk(line) {
      if (!json) process.stderr.write(`${line}\n`);
    },
  };
}

/** A reader that has gone (`| head`) ends the command quietly, as it ends every other one. */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      process.exit();
    });
  }
}

export type Style = Parameters<typeof styleText>[0];

/** Colours where stdout is a terminal that shows them; NO_COLOR and FORCE_COLOR are honoured. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}
