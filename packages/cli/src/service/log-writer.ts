// The log of the service: one JSON object a line. Lines of some milliseconds are written together: a busy server has
// dozens, and each write is a system call that mail waits for. Called by `homing serve`.

export interface LogWriter {
  log(event: object): void;
  /** Writes what is collected. */
  flush(): void;
}

export interface LogWriterOptions {
  /** Takes whole lines; a file or a pipe, which Node writes to at once. */
  readonly write: (lines: string) => void;
  readonly now: () => Date;
  readonly soon?: (flush: () => void) => void;
}

/** Too short for a reader to notice. A process that is killed takes so much of its log with it. */
const COLLECT_MS = 10;
/** A burst is not collected without bound. */
const MAX_CHARACTERS = 64 * 1024;

export function createLogWriter({ write, now, soon = later }: LogWriterOptions): LogWriter {
  let lines = "";
  let moment = { at: Number.NaN, text: "" };
  /** Many events have the same millimoment. */
  const time = (): string => {
    const at = now();
    if (at.getTime() !== moment.at) moment = { at: at.getTime(), text: at.toISOString() };
    return moment.text;
  };
  const flush = (): void => {
    if (lines === "") return;
    const collected = lines;
    lines = "";
    write(collected);
  };
  return {
    log(event) {
      if (lines === "") soon(flush);
      // As one object, without making it.
      lines += `{"time":"${time()}",${JSON.stringify(event).slice(1)}\n`;
      if (lines.length > MAX_CHARACTERS) flush();
    },
    flush,
  };
}

function later(flush: () => void): void {
  setTimeout(flush, COLLECT_MS);
}
