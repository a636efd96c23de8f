// How a program tells whoever delivers locally what became of a message: by its exit code, in qmail's way (qmail-command(8)) or
// in that of sysexits(3), which Sendmail, Postfix, Exim, Courier and procmail read. Called by `homing pipe`.

export type Conventions = "qmail" | "sysexits";

export type PipeOutcome =
  | { readonly kind: "done" }
  /** qmail: done, and the lines of .qmail below are not looked at. Others know no such thing. */
  | { readonly kind: "done-stop" }
  /** The message is kept and tried again. Mistakes of whoever set this up, too: they get mended, and no mail is lost. */
  | { readonly kind: "retry" }
  /** The message is returned. */
  | { readonly kind: "hard"; readonly code: HardCode };

/** Of sysexits(3): EX_DATAERR, EX_NOUSER, EX_NOHOST, EX_UNAVAILABLE, EX_NOPERM. The mail server makes a status of each. */
export type HardCode = 65 | 67 | 68 | 69 | 77;

export const DATA_ERROR: HardCode = 65;
export const UNAVAILABLE: HardCode = 69;
const TEMPORARY = 75;
const QMAIL = { done: 0, "done-stop": 99, retry: 111, hard: 100 } as const;
const HARD: ReadonlySet<number> = new Set<HardCode>([65, 67, 68, 69, 77]);

/** Only qmail-local sets these two. */
export function conventionsOf(environment: {
  readonly RPLINE?: string | undefined;
  readonly DTLINE?: string | undefined;
}): Conventions {
  return environment.RPLINE !== undefined && environment.DTLINE !== undefined ? "qmail" : "sysexits";
}

export function exitCode(outcome: PipeOutcome, conventions: Conventions): number {
  if (conventions === "qmail") return QMAIL[outcome.kind];
  if (outcome.kind === "hard") return outcome.code;
  return outcome.kind === "retry" ? TEMPORARY : 0;
}

/**
 * What the end of a sendmail program means, whichever server's it is. All that is not known to be about the mail is a fault of
 * this machine, and is tried again: 64 (our command line), 78 (its configuration), 127, a signal.
 */
export function outcomeOf(code: number | null): PipeOutcome {
  if (code === 0) return { kind: "done" };
  if (code === QMAIL.hard) return { kind: "hard", code: UNAVAILABLE };
  return isHard(code) ? { kind: "hard", code } : { kind: "retry" };
}

function isHard(code: number | null): code is HardCode {
  return code !== null && HARD.has(code);
}
