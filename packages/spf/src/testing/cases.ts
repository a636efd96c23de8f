// Checks as tables: what DNS has, who sends, what the answer must be. Each case runs twice, with answers at once and with
// answers that come later.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSpf } from "../check-host.ts";
import type { SpfAnswer, SpfQuestion, SpfResult } from "../spf.ts";
import { resolverOf, type Zone } from "./zone.ts";

export interface Case extends Partial<SpfQuestion> {
  /** Begins with the section: it becomes a line of docs/spf.md. */
  readonly name: `§${string}` | `RFC ${string}`;
  /** Of d.example. */
  readonly record?: string;
  readonly zone?: Zone;
  readonly result: SpfResult | readonly SpfResult[];
  /** What else the answer must have. */
  readonly answer?: Partial<SpfAnswer>;
  /** No explanation at all. */
  readonly silent?: true;
  readonly problem?: RegExp;
  /** Names that DNS is asked for, in order. */
  readonly asks?: readonly string[];
}

export const QUESTION: SpfQuestion = {
  client: "192.0.2.1",
  helo: "mail.example",
  sender: "user@d.example",
};
export const NOW = 1_700_000_000;

export function runCases(cases: readonly Case[]): void {
  for (const one of cases) {
    test(one.name, async () => {
      assertAnswer(one, await answered(one, false));
      assertAnswer(one, await answered(one, true));
    });
  }
}

interface Seen {
  readonly answer: SpfAnswer;
  readonly asked: readonly string[];
}

async function answered(
  { record, zone = {}, client, helo, sender, identity }: Case,
  later: boolean,
): Promise<Seen> {
  const own: Zone =
    record === undefined ? {} : { "d.example": [`TXT ${record}`, ...(zone["d.example"] ?? [])] };
  const resolver = resolverOf({ ...zone, ...own }, { later });
  const question: SpfQuestion = {
    client: client ?? QUESTION.client,
    helo: helo ?? QUESTION.helo,
    sender: sender ?? QUESTION.sender,
    ...(identity !== undefined && { identity }),
  };
  const answer = await checkSpf(question, { resolver, now: () => NOW, receiver: "mx.receiver.example" });
  return { answer, asked: resolver.asked };
}

function assertAnswer(one: Case, { answer, asked }: Seen): void {
  const wanted = [one.result].flat();
  const shown = JSON.stringify(answer.trace, undefined, 1);
  assert.ok(wanted.includes(answer.result), `${answer.result}, not ${wanted}: ${answer.problem} ${shown}`);
  for (const [key, value] of Object.entries(one.answer ?? {})) {
    assert.deepEqual(answer[key as keyof SpfAnswer], value, key);
  }
  if (one.silent === true) assert.equal(answer.explanation, undefined);
  if (one.problem !== undefined) assert.match(answer.problem ?? "", one.problem);
  if (one.asks !== undefined) assert.deepEqual(asked, one.asks);
}
