// Why the plug-in does not send, as a value inside and as an error for nodemailer's callback. Called by the files of this folder.
import type { ProblemType, Refused } from "../problem.ts";

/** Words of the service where the same is wrong, and words for what only the plug-in meets. The README lists them. */
export type OnBehalfCode =
  | Extract<
      ProblemType,
      | "from-not-permitted"
      | "identity-not-confirmed"
      | "invalid-field"
      | "sender-too-long"
      | "token-expired"
      | "token-malformed"
      | "token-wrong"
      | "too-many-recipients"
      | "unauthorized"
      | "unavailable"
      | "visitor-rules"
    >
  | "confirmation-not-configured"
  | "field-contradicts"
  | "no-recipients"
  | "secrets-unreadable"
  | "wrong-options";

export interface PluginProblem {
  readonly code: OnBehalfCode;
  /** What is wrong, and why that is refused. */
  readonly detail: string;
  /** Of the message or of the options: `to`, `onBehalfOf.name`. */
  readonly field?: string;
  /** What to do. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export interface Stopped {
  readonly ok: false;
  readonly problem: PluginProblem;
}

export function stopped(
  code: OnBehalfCode,
  detail: string,
  more: Omit<PluginProblem, "code" | "detail"> = {},
): Stopped {
  return { ok: false, problem: { code, detail, ...more } };
}

export function notConfirmed(why: string, field = "onBehalfOf"): Stopped {
  return stopped("identity-not-confirmed", `the user has not confirmed the address: ${why}`, {
    field,
    hint: "let him confirm it first; an identity that was stored may be old: get it again",
  });
}

/** @param field in words of the message, in place of the request's */
export function stoppedBy({ problem }: Refused, field?: string): Stopped {
  const { type, detail, hint } = problem;
  return stopped(type as OnBehalfCode, detail, {
    ...(field === undefined ? {} : { field }),
    ...(hint === undefined ? {} : { hint }),
  });
}

/** For `onBehalf` to throw. */
export function wrongOption(field: string, why: string, hint: string, cause?: unknown): OnBehalfError {
  return new OnBehalfError({
    code: "wrong-options",
    detail: `onBehalf: ${field} ${why}`,
    field,
    hint,
    cause,
  });
}

/** Given to the callback of `sendMail`, or what its promise rejects with. `onBehalf` itself throws it, for wrong options. */
export class OnBehalfError extends Error {
  override readonly name = "OnBehalfError";
  readonly code: OnBehalfCode;
  /** Of the message or of the options. */
  readonly field: string | undefined;
  /** What to do; it is in the message, too. */
  readonly hint: string | undefined;

  constructor({ code, detail, field, hint, cause }: PluginProblem) {
    super(hint === undefined ? detail : `${detail}: ${hint}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.field = field;
    this.hint = hint;
  }
}
