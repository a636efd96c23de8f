// Attacks with what is too old, in this process, where the clock can be turned. Rows of test/on-behalf-abuse.test.ts.
import assert from "node:assert/strict";
import { DAY, type MessageScene, messageScene } from "../../packages/on-behalf/src/testing/message-scene.ts";
import { seenProblem, VICTIM } from "../harness/abuse-scene.ts";
import { type Attack, NOT_CONFIRMED, row } from "./attack.ts";

const inTime = (name: string, sees: string, act: (clock: MessageScene) => Promise<string>): Attack =>
  row(name, sees, async () => {
    const clock = messageScene();
    const answer = await act(clock);
    assert.ok(clock.store.mails.every(({ recipient }) => recipient.domain !== "victims.example"));
    return answer;
  });
const told = (
  outcome:
    | { readonly ok: true }
    | { readonly ok: false; readonly problem: Parameters<typeof seenProblem>[0] },
): string => (outcome.ok ? "done" : seenProblem(outcome.problem));
const linkOf = (clock: MessageScene, page: string): string => {
  const text = clock.store.mails.at(-1)?.message.toString("latin1") ?? "";
  return new RegExp(`/${page}\\?t=([\\w-]+)`).exec(text)?.[1] ?? assert.fail(text);
};
const ASKED = { address: "alice@example.org", scope: "user" } as const;
const LATE = { to: [VICTIM] };

export const CLOCK: readonly Attack[] = [
  inTime("a link that confirms, a day old", "410 token-expired", async (clock) => {
    assert.ok((await clock.service.identities.request(clock.site, ASKED)).ok);
    const token = linkOf(clock, "confirm");
    clock.now += DAY - 1;
    assert.ok((await clock.service.people.look(token)).ok, "a second before it is good still");
    clock.now += 1;
    return told(await clock.service.people.confirm(token));
  }),
  inTime("a user who was asked the day before", NOT_CONFIRMED, async (clock) => {
    assert.ok((await clock.service.identities.request(clock.site, ASKED)).ok);
    clock.now += DAY + 1;
    return told(await clock.send(LATE));
  }),
  inTime("a permission that was not used for 180 days", NOT_CONFIRMED, async (clock) => {
    await clock.confirm(ASKED.address);
    clock.now += 180 * DAY;
    return told(await clock.send(LATE));
  }),
  inTime("a link to one's own page, 180 days old", "410 token-expired", async (clock) => {
    assert.ok((await clock.service.identities.request(clock.site, ASKED)).ok);
    const token = linkOf(clock, "mine");
    clock.now += 180 * DAY;
    return told(await clock.service.people.never(token, "all"));
  }),
  inTime("yesterday's link, where another was mailed today", "410 token-expired", async (clock) => {
    assert.ok((await clock.service.identities.request(clock.site, ASKED)).ok);
    const token = linkOf(clock, "confirm");
    clock.now += DAY;
    assert.ok((await clock.service.identities.request(clock.site, ASKED)).ok);
    const answer = told(await clock.service.people.confirm(token));
    assert.equal(told(await clock.send(LATE)), NOT_CONFIRMED);
    return answer;
  }),
];
