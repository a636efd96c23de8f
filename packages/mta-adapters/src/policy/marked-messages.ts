// Messages that have their Received-SPF. Postfix asks for each recipient, and each PREPEND is a field of its own. Called by
// policy.ts. SMTPD_POLICY_README: `instance` is the same for all recipients of a message, and of no other.

export interface MarkedMessages {
  /** A question about one of its recipients, which takes time. */
  begin(instance: string): OpenQuestion;
  /** True once for each message. @param instance "" where there is none: then nobody can tell */
  mark(instance: string, nowMs: number): boolean;
}

export interface OpenQuestion {
  /** False where Postfix has asked again: it does so when it has given the first one up, and nobody hears its answer. */
  isAwaited(): boolean;
  end(): void;
}

/** Between two recipients: a slow DNS, and a client that may be silent for five minutes (RFC 5321 §4.5.3.2). */
const KEPT_MS = 10 * 60_000;
/** Some 1 MB. Behind a busy Postfix, of five minutes. */
const MAX_MESSAGES = 10_000;
/** Postfix: four hexadecimal numbers. */
const MAX_INSTANCE = 100;

export function createMarkedMessages(): MarkedMessages {
  /** By instance, the last one asked about at the end. */
  const marked = new Map<string, number>();
  /** The last question about each message, while it is under way. */
  const asked = new Map<string, OpenQuestion>();

  const forgetOld = (nowMs: number): void => {
    for (const [instance, at] of marked) {
      const isOld = nowMs - at > KEPT_MS || at > nowMs;
      if (!isOld && marked.size <= MAX_MESSAGES) return;
      marked.delete(instance);
    }
  };

  return {
    begin(instance) {
      if (!isTelling(instance)) return { isAwaited: () => true, end() {} };
      const question: OpenQuestion = {
        isAwaited: () => asked.get(instance) === question,
        end() {
          if (question.isAwaited()) asked.delete(instance);
        },
      };
      asked.set(instance, question);
      return question;
    },

    mark(instance, nowMs) {
      if (!isTelling(instance)) return true;
      const isFirst = !marked.delete(instance);
      marked.set(instance, nowMs);
      forgetOld(nowMs);
      return isFirst;
    },
  };
}

function isTelling(instance: string): boolean {
  return instance !== "" && instance.length <= MAX_INSTANCE;
}
