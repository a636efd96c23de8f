// Whether a thread that has work still says something: it is asked now and then, and any word of its own is an answer. Called by
// job-thread.ts and outbound/thread/outbound-thread.ts.

export interface AliveWatchOptions {
  /** Of a thread with work to do, before it is given up. Default: 30,000. */
  readonly silenceMs?: number | undefined;
  readonly hasWork: () => boolean;
  readonly ask: () => void;
  /** Called again while it is still there. */
  readonly giveUp: () => void;
}

/** The cause of its end. */
export const SAID_NOTHING = "it said nothing any more";

const SILENCE_MS = 30_000;
/** It is asked so often before it is given up. */
const ASKED = 3;

export class AliveWatch {
  readonly #options: AliveWatchOptions;
  #unanswered = 0;
  #clock: NodeJS.Timeout | undefined;

  constructor(options: AliveWatchOptions) {
    this.#options = options;
  }

  /** There is work, after a time without. A clock that goes on meanwhile costs less than one for each piece of work. */
  begin(): void {
    this.#unanswered = 0;
    const { silenceMs = SILENCE_MS } = this.#options;
    this.#clock ??= setInterval(() => this.#look(), silenceMs / ASKED).unref();
  }

  heard(): void {
    this.#unanswered = 0;
  }

  stop(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #look(): void {
    const { hasWork, ask, giveUp } = this.#options;
    if (!hasWork()) return;
    if (this.#unanswered === ASKED) giveUp();
    else {
      this.#unanswered++;
      ask();
    }
  }
}
