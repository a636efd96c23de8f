// Mail that came back, by user: Homing tells it in events, which are read to their end each time somebody looks. A site with many
// users reads them every minute, and keeps the last id with its other data. Called by routes.ts.
import type { Answer, Homing, SiteEvent } from "./homing-api.ts";

export interface ReturnedMail {
  readonly recipient: string;
  readonly reason: string;
  /** Unix seconds. */
  readonly at: number;
}

export interface ReturnedMails {
  /** Newest first. */
  of(email: string): Promise<Answer<readonly ReturnedMail[]>>;
}

/** Shown to one user. */
const MAX_SHOWN = 50;

export function createReturnedMails(homing: Homing): ReturnedMails {
  const returned = new Map<string, ReturnedMail[]>();
  let after: string | undefined;
  /** One reader at a time: two would note each event twice. */
  let reading: Promise<Answer<unknown>> | undefined;

  async function readOn(): Promise<Answer<unknown>> {
    for (;;) {
      const answer = await homing.events(after);
      if (!answer.ok) return answer;
      const { events, next } = answer.value;
      for (const event of events) if (event.type === "bounce.returned") note(event);
      after = next;
      if (events.length === 0) return { ok: true, value: undefined };
    }
  }

  function note({ at, data }: SiteEvent): void {
    const email = String(data.user);
    // A report need not say which of several recipients it is about.
    const recipient = String(data.recipient ?? "One of your recipients");
    const mail = { recipient, reason: reasonOf(String(data.enhanced)), at };
    returned.set(email, [mail, ...(returned.get(email) ?? [])].slice(0, MAX_SHOWN));
  }

  return {
    async of(email) {
      reading ??= readOn().finally(() => {
        reading = undefined;
      });
      const answer = await reading;
      return answer.ok ? { ok: true, value: returned.get(email) ?? [] } : answer;
    },
  };
}

/** By enhanced status code, RFC 3463. */
const REASONS: readonly (readonly [code: RegExp, words: string])[] = [
  [/^5\.1\./, "There is no such address"],
  [/^5\.2\.2$/, "The mailbox is full"],
  [/^5\.7\./, "Refused by the recipient’s mail server"],
];

function reasonOf(code: string): string {
  const words = REASONS.find(([pattern]) => pattern.test(code))?.[1] ?? "Could not be delivered";
  return `${words} (${code})`;
}
