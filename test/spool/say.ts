// Says a line before anything else happens: what a killed process had in a stream is gone. Called by load.ts and bucket-load.ts.
import { writeSync } from "node:fs";

export function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      // The pipe is full, and whoever reads it has something else to do.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}
