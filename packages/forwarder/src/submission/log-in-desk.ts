// A log-in, from name and password to who it is: budgets, the policy, the log. Asked by SMTP in, at the end of AUTH.
import { networkOf } from "@homing/bounce-handler";
import type { Reply } from "@homing/mail";
import { bugText } from "../bug-text.ts";
import type { Report } from "../events.ts";
import { WRONG_LOG_IN } from "../front/auth-exchange.ts";
import type { AskedLogIn, LoggedIn } from "../smtp-session.ts";
import { createLogInBudget, type LogInLimits } from "./log-in-budget.ts";
import type { SubmissionPolicy } from "./submission-policy.ts";
import { LogInUnavailable } from "./unavailable.ts";
import { MAX_NAME_OCTETS, nameKey } from "./users-file.ts";

export interface LogInDeskOptions {
  readonly policy: SubmissionPolicy;
  /** Unix seconds. */
  readonly now: () => number;
  readonly report: Report;
  readonly limits?: LogInLimits;
}

/** RFC 4954 §6. The same where the budget of the client and where that of the name is spent. */
const TRY_LATER: Reply = {
  code: 454,
  enhanced: "4.7.0",
  text: "log-ins are not looked at just now, try again later",
};
/** Of a name in the log: a client may send more than anybody wants to read. */
const MAX_LOGGED = 100;
/** One alarm for a budget of a key in so long a time. */
const ALARM_MS = 60_000;
const MAX_ALARMS = 10_000;

export function createLogInDesk(options: LogInDeskOptions): (asked: AskedLogIn) => Promise<LoggedIn> {
  const { policy, now, report } = options;
  const budget = createLogInBudget(options.limits);
  const alarms = createAlarms();

  return async ({ session, ...login }) => {
    const nowMs = now() * 1000;
    const told = { session, client: login.clientAddress, user: login.name.slice(0, MAX_LOGGED) };
    const keyed = await policy.keyed?.(login);
    if (keyed) {
      report({ event: "logged-in", ...told });
      return { kind: "in", submitter: keyed };
    }
    const attempt = { network: networkOf(login.clientAddress), name: nameKey(login.name) };
    const alarm = (which: "network" | "name"): void => {
      const key = which === "network" ? attempt.network : attempt.name;
      if (alarms.isDue(`${which} ${key}`, nowMs))
        report({ event: "log-in-guessing", budget: which, network: attempt.network, user: told.user });
    };
    // Nobody has it. It is as wrong as any other.
    const isTooLong = Buffer.byteLength(login.name) > MAX_NAME_OCTETS;
    const spent = budget.take(isTooLong ? { ...attempt, name: "" } : attempt, nowMs);
    if (typeof spent === "string") {
      alarm(spent);
      return { kind: "refuse", reply: TRY_LATER };
    }
    try {
      const submitter = isTooLong ? undefined : await policy.logIn(login);
      if (submitter) {
        spent.wasRight();
        report({ event: "logged-in", ...told });
        return { kind: "in", submitter };
      }
    } catch (error) {
      spent.giveBack();
      const isKnown = error instanceof LogInUnavailable;
      if (!isKnown) report({ event: "error", session, message: bugText(error) });
      const cause = isKnown ? error.message : "an error, see there";
      report({ event: "log-in-failed", ...told, reason: "unavailable", cause });
      return { kind: "refuse", reply: TRY_LATER };
    }
    report({ event: "log-in-failed", ...told, reason: "wrong" });
    if (spent.last) alarm(spent.last);
    return { kind: "refuse", reply: WRONG_LOG_IN };
  };
}

interface Alarms {
  isDue(key: string, nowMs: number): boolean;
}

function createAlarms(): Alarms {
  const raised = new Map<string, number>();
  return {
    isDue(key, nowMs) {
      const before = raised.get(key);
      if (before !== undefined && Math.abs(nowMs - before) < ALARM_MS) return false;
      raised.delete(key);
      raised.set(key, nowMs);
      if (raised.size > MAX_ALARMS) raised.delete(raised.keys().next().value as string);
      return true;
    },
  };
}
