// What an answer about a .forward means for the mail. A file that fails its checks defers the mail for four hours, with an
// alarm each time, then takes the configured choice. Pure but for its bounded memory. Called by the forwarder's routes.
import type { Reply } from "@homing/mail";
import type { UnixSeconds } from "@homing/srs-core";
import type { ForwardTarget } from "./forward-file.ts";
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
  | { readonly kind: "targets"; readonly targets: readonly ForwardTarget[] }
  /** As if there were no .forward. */
  | { readonly kind: "next-route"; readonly alarm?: ForwardAlarm }
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
  readonly maxUsers?: number;
}

/** Time for the user or the administrator to repair it, and short of a sender's first "delayed" note (RFC 5321 §4.5.4.1). */
const DEFER_SECONDS = 4 * 3600;
/** Users with a wrong file at the same time. Beyond, who was first is forgotten, and its four hours begin again. */
const MAX_USERS = 10_000;

export function createForwardPolicy(options: ForwardPolicyOptions): ForwardPolicy {
  const { choice, deferSeconds = DEFER_SECONDS, maxUsers = MAX_USERS } = options;
  const firstSeenOf = new Map<string, UnixSeconds>();

  const alarmFor = (user: string, faults: readonly string[], now: UnixSeconds): ForwardAlarm => {
    const firstSeen = firstSeenOf.get(user) ?? now;
    if (!firstSeenOf.has(user) && firstSeenOf.size >= maxUsers) {
      for (const oldest of firstSeenOf.keys()) {
        firstSeenOf.delete(oldest);
        break;
      }
    }
    firstSeenOf.set(user, firstSeen);
    return { user, faults, firstSeen, until: firstSeen + deferSeconds };
  };

  return {
    judge(user, answer, now) {
      // It neither heals the file nor makes it worse.
      if (answer.kind === "unavailable")
        return { kind: "unavailable", reply: UNREADABLE, cause: answer.cause };
      if (answer.kind === "unsafe" || answer.kind === "unparsable") {
        const alarm = alarmFor(user, faultsOf(answer), now);
        if (now < alarm.until) return { kind: "defer", reply: DEFERRED, alarm };
        return choice === "refuse"
          ? { kind: "refuse", reply: REFUSED, alarm }
          : { kind: "next-route", alarm };
      }
      firstSeenOf.delete(user);
      // An empty file is as good as none to sendmail and Postfix.
      if (answer.kind === "none" || answer.targets.length === 0) return { kind: "next-route" };
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
