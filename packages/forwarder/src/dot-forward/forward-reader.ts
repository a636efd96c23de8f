// What asking for a user's .forward can answer. The reader process makes these answers, its client hands them on, the
// policy (forward-policy.ts) says what they mean for the mail.
import type { Problem } from "../problem.ts";
import type { Unavailable } from "./file-error.ts";
import type { PlacedForwardTarget } from "./forward-file.ts";

/** A problem, and the file it is in, as seen from the home. */
export interface ForwardProblem extends Problem {
  readonly file: string;
}

export type ForwardAnswer =
  /** Nobody of that name has a home here. */
  | { readonly kind: "no-user" }
  /** The user exists, and has no .forward. */
  | { readonly kind: "none" }
  /** None at all: the file is empty, and means as much as no file. */
  | { readonly kind: "targets"; readonly targets: readonly PlacedForwardTarget[] }
  /** Somebody else could have written the file: nothing of it is used. */
  | { readonly kind: "unsafe"; readonly path: string; readonly why: string }
  | { readonly kind: "unparsable"; readonly problems: readonly ForwardProblem[] }
  | Unavailable;

export interface ForwardReader {
  /** Never rejects for what the world does. */
  read(user: string): Promise<ForwardAnswer>;
}
