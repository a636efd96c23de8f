// The tries of one message, one for each copy. As long as its client waits for an answer, they are the client's. When it goes
// away, or is told to come again, they are left to its next try: so that nobody gets two copies, and no later message is
// taken for this one. Called by in-session.ts and verified.ts.
import type { Copy } from "../copies.ts";
import type { Outcome } from "../queue/next-step.ts";
import { keyOf } from "./earlier-try.ts";
import type { Incoming } from "./incoming.ts";
import type { Hold, LateSuccesses } from "./late-successes.ts";

export interface Tries {
  /** An attempt has begun. `hold`: at an earlier try, and this client waits for it now. */
  began(copy: Copy, attempt: Promise<Outcome>, hold?: Hold): void;
  /** It was over before this client came. */
  wasOver(copy: Copy, outcome: Outcome): void;
  /** To the next try of the client, which is told to come again. Resolves when that would find them. */
  leave(): Promise<void>;
  /** The client went away: they are left. Whatever becomes of this message, nobody hears it. */
  isLeft(): boolean;
  /** They are the queue's from here on, or done: nothing is left, unless the client is gone without having heard so. */
  answered(): Promise<void>;
  /** They are the client's again, after the queue had no room. */
  takenBack(): void;
  /** The client is told 2xx. If it is gone, or goes without having heard so, each copy counts as delivered. */
  taken(): Promise<void>;
}

interface Try {
  readonly copy: Copy;
  readonly attempt: Promise<Outcome>;
  readonly hold: Hold | undefined;
  outcome: Outcome | undefined;
}

export function createTries(late: LateSuccesses, mail: Incoming): Tries {
  const tries: Try[] = [];
  let isLeft = false;
  let stopListening = (): void => {};

  const leaveOne = async ({ copy, attempt, hold, outcome }: Try): Promise<void> => {
    if (outcome?.kind === "delivered") await late.record(keyOf(mail, copy));
    else if (!outcome && hold) hold.release();
    else if (!outcome) await late.watch(keyOf(mail, copy), attempt);
  };
  const leave = async (): Promise<void> => {
    stopListening();
    if (isLeft) return;
    isLeft = true;
    await Promise.all(tries.map(leaveOne));
  };
  const add = (one: Try): void => {
    tries.push(one);
    if (isLeft) void leaveOne(one);
  };
  const listen = (): void => {
    if (!isLeft) stopListening = mail.client.onGone(() => void leave());
  };
  listen();

  return {
    began(copy, attempt, hold) {
      const one: Try = { copy, attempt, hold, outcome: undefined };
      const settle = (outcome: Outcome): void => {
        one.outcome = outcome;
      };
      // What fails is told to whoever waits for it.
      attempt.then(settle, () => {});
      add(one);
    },
    wasOver: (copy, outcome) => add({ copy, attempt: Promise.resolve(outcome), hold: undefined, outcome }),
    leave,
    isLeft: () => isLeft,
    async answered() {
      stopListening();
      if (mail.client.isGone()) await leave();
    },
    takenBack: listen,
    async taken() {
      stopListening();
      const record = async (): Promise<void> => {
        isLeft = true;
        await Promise.all(tries.map(({ copy }) => late.record(keyOf(mail, copy), true)));
      };
      if (mail.client.isGone()) await record();
      else stopListening = mail.client.onGone(() => void record());
    },
  };
}
