// What an answer about a .forward means for the mail. A file that fails its checks defers the mail for four hours, with an
// alarm each time, then takes the configured choice. Pure but for its bounded memory. Called by the forwarder's routes.
import type { Reply } from "@homing/mail";
import type { UnixSeconds } from "@homing/srs-core";
import type { PlacedForwardTarget } from "./forward-file.ts";
import type { ForwardAnswer } from "./forward-reader.ts";

/** What happens to mail for a user whose file stays wrong. */
export type ForwardChoice = "next-route" | "refuse";

/** For the log: somebody has to look after this file. */
export interface ForwardAlarm {
  readonly user: string;
  /** One line for each thing that is wrong. */
  readonly faults: readonly string[];
  readonly firstSeen: UnixSeconds;
  /** Until then the mail waits. */
  readonly until: UnixSeconds;
}

export type ForwardVerdict =
  | { readonly kind: "targets"; readonly targets: readonly PlacedForwardTarget[] }
  | { readonly kind: "no-user" }
  /** The user has no .forward, or one that counts for nothing: it is empty, or stayed wrong and the choice is next-route. */
  | { readonly kind: "no-file"; readonly alarm?: ForwardAlarm }
  | { readonly kind: "refuse"; readonly reply: Reply; readonly alarm: ForwardAlarm }
  | { readonly kind: "defer"; readonly reply: Reply; readonly alarm: ForwardAlarm }
  /** The file could not be read. `cause` is for the log. */
  | { readonly kind: "unavailable"; readonly reply: Reply; readonly cause: string };

export interface ForwardPolicy {
  judge(user: string, answer: ForwardAnswer, now: UnixSeconds): ForwardVerdict;
}

export interface ForwardPolicyOptions {
  readonly choice: ForwardChoice;
  readonly deferSeconds?: number;
  readonly forgetSeconds?: number;
  readonly maxUsers?: number;
}

/** Time for the user or the administrator to repair it, and short of a sender's first "delayed" note (RFC 5321 §4.5.4.1). */
const DEFER_SECONDS = 4 * 3600;
/**
 * Whose wrong file was not met for so long may have repaired it meanwhile, and have broken it again. A sender whose mail
 * waits comes back much sooner (RFC 5321 §4.5.4.1).
 */
const FORGET_SECONDS = 24 * 3600;
/** Users with a wrong file at the same time. Beyond, who was first is forgotten, and its four hours begin again. */
const MAX_USERS = 10_000;

/** When the user's file was found to be wrong, for the first and the last time. */
interface Sighting {
  readonly first: UnixSeconds;
  readonly last: UnixSeconds;
}

export function createForwardPolicy(options: ForwardPolicyOptions): ForwardPolicy {
  const { choice, maxUsers = MAX_USERS } = options;
  const { deferSeconds = DEFER_SECONDS, forgetSeconds = FORGET_SECONDS } = options;
  const wrongSince = new Map<string, Sighting>();

  const sight = (user: string, now: UnixSeconds): UnixSeconds => {
    const before = wrongSince.get(user);
    const first = before && now - before.last <= forgetSeconds ? before.first : now;
    // Who is met anew becomes the youngest.
    if (first === now) wrongSince.delete(user);
    const [oldest] = wrongSince.keys();
    if (oldest !== undefined && !wrongSince.has(user) && wrongSince.size >= maxUsers)
      wrongSince.delete(oldest);
    wrongSince.set(user, { first, last: now });
    return first;
  };

  return {
    judge(user, answer, now) {
      // It neither heals the file nor makes it worse.
      if (answer.kind === "unavailable")
        return { kind: "unavailable", reply: UNREADABLE, cause: answer.cause };
      if (answer.kind === "unsafe" || answer.kind === "unparsable") {
        const firstSeen = sight(user, now);
        const alarm = { user, faults: faultsOf(answer), firstSeen, until: firstSeen + deferSeconds };
        if (now < alarm.until) return { kind: "defer", reply: DEFERRED, alarm };
        return choice === "refuse" ? { kind: "refuse", reply: REFUSED, alarm } : { kind: "no-file", alarm };
      }
      wrongSince.delete(user);
      if (answer.kind === "no-user") return answer;
      // An empty file is as good as none to sendmail and Postfix.
      if (answer.kind === "none" || answer.targets.length === 0) return { kind: "no-file" };
      return { kind: "targets", targets: answer.targets };
    },
  };
}

function faultsOf(answer: Extract<ForwardAnswer, { kind: "unsafe" | "unparsable" }>): readonly string[] {
  if (answer.kind === "unsafe") return [`${answer.path}: ${answer.why}`];
  return answer.problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`);
}

// RFC 3463: 4.3.0 for a disk that does not answer, 4.3.5 and 5.3.5 for a system that is not configured correctly. The
// sender learns neither path nor fault.
const UNREADABLE: Reply = {
  code: 451,
  enhanced: "4.3.0",
  text: "where this address leads cannot be read now: try again later",
};
const DEFERRED: Reply = {
  code: 451,
  enhanced: "4.3.5",
  text: "forwarding of this address is set up wrongly: try again later",
};
const REFUSED: Reply = { code: 550, enhanced: "5.3.5", text: "forwarding of this address is set up wrongly" };
