import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, NULL_PATH } from "@homing/srs-core";
import type { SentMail, SettledMail } from "../bounces/sent-mail.ts";
import type { ForwarderEvent } from "../events.ts";
import type { Note } from "../spool/notes.ts";
import type { Job } from "../spool/spool.ts";
import { message, recipient, T0 } from "../spool/testing/messages.ts";
import { createSettledNotes } from "./settled-notes.ts";

const NOTE: Note = { of: "x", key: "k", value: "", expires: T0 + 9 };
const RETURNS = { localPart: "SRS0=x", domain: "Bounce.test" };
const REWRITERS = [createRewriter({ secrets: ["a secret of the return domain"], domain: "bounce.test" })];
const DELIVERED: SettledMail["outcome"] = { kind: "delivered" };
const FAILED: SettledMail["outcome"] = { kind: "failed", enhanced: "5.1.1", class: "hard" };

function untold(): void {
  assert.fail("nothing is to be told");
}

function job(reversePath: Job["recipient"]["reversePath"], more: Partial<Job["recipient"]> = {}): Job {
  const lease = { messageId: "m1", message: 1, recipient: 0, attempt: 1 };
  return { lease, message: message("m1"), recipient: recipient("a@home.example", { reversePath, ...more }) };
}

/** What is stored stays; `away` while the storage cannot be asked. */
function scene(settled: SentMail["settled"], report: (event: ForwarderEvent) => void = untold) {
  const stored = new Map<string, Note>();
  let isAway = false;
  const notes = {
    find: async (of: string, key: string) => (isAway ? "away" : stored.get(`${of} ${key}`)),
  };
  const withNotes = createSettledNotes({ sentMail: { settled, rewriters: REWRITERS }, notes, report });
  return {
    away() {
      isAway = true;
    },
    /** @returns the notes that are not about the count of destinations. @param isStored the lease was valid */
    end: (one: Job, outcome: SettledMail["outcome"], isStored = true): Promise<readonly Note[]> =>
      withNotes({ job: one, outcome, now: T0 }, async (written) => {
        // Others have their chance meanwhile.
        await new Promise(setImmediate);
        if (isStored) for (const note of written) stored.set(`${note.of} ${note.key}`, note);
        return written.filter(({ of }) => of !== "shared-end");
      }),
  };
}

test("whoever sent the mail is asked once, in terms of the recipient to whom it was sent", async () => {
  const asked: SettledMail[] = [];
  const { end } = scene((mail) => {
    asked.push(mail);
    return [NOTE];
  });
  assert.deepEqual(await end(job(RETURNS), DELIVERED), [NOTE]);
  const sentTo = { localPart: "Alice", domain: "forwarder.example" };
  assert.deepEqual(asked, [
    { id: "m1", reversePath: RETURNS, recipient: sentTo, outcome: DELIVERED, now: T0 },
  ]);
});

test("of mail to which nothing returns, or that is nobody's here, nobody is asked", async () => {
  const { end } = scene(() => assert.fail("asked"));
  assert.deepEqual(await end(job(NULL_PATH), DELIVERED), []);
  assert.deepEqual(await end(job({ localPart: "SRS0=x", domain: "ours.test" }, { targets: 2 }), FAILED), []);
  const notes = { find: () => assert.fail("asked") };
  const without = createSettledNotes({ sentMail: undefined, notes, report: untold });
  await without({ job: job(RETURNS), outcome: DELIVERED, now: T0 }, async (written) =>
    assert.deepEqual(written, []),
  );
});

test("a bug in the answer is told, and keeps nothing from being written down", async () => {
  const events: ForwarderEvent[] = [];
  const bug = (): readonly Note[] => {
    throw new Error("a bug");
  };
  const { end } = scene(bug, (event) => void events.push(event));
  assert.deepEqual(await end(job(RETURNS), DELIVERED), []);
  const [event] = events;
  assert.match(event?.event === "error" ? event.message : "", /a bug/);
});

const endings: [what: string, outcomes: SettledMail["outcome"][], told: string[]][] = [
  ["all have it", [DELIVERED, DELIVERED, DELIVERED], ["delivered"]],
  ["one fails first", [FAILED, DELIVERED, DELIVERED], ["delivered"]],
  ["all but one fail", [FAILED, FAILED, DELIVERED], ["delivered"]],
  ["some fail behind the first that has it", [DELIVERED, FAILED, FAILED], ["delivered"]],
  ["all fail", [FAILED, FAILED, FAILED], ["failed"]],
  ["one is still under way", [FAILED, FAILED], []],
];
for (const [what, outcomes, told] of endings) {
  for (const pace of ["one after the other", "at the same time"]) {
    test(`of three destinations one end is told where ${what}, ${pace}`, async () => {
      const asked: string[] = [];
      const { end } = scene(({ outcome }) => {
        asked.push(outcome.kind);
        return [NOTE];
      });
      const shared = job(RETURNS, { targets: 3 });
      if (pace === "at the same time") await Promise.all(outcomes.map((outcome) => end(shared, outcome)));
      else for (const outcome of outcomes) await end(shared, outcome);
      assert.deepEqual(asked, told);
    });
  }
}

test("an end that was not stored counts for nothing, and neither does that of another message or recipient", async () => {
  const asked: string[] = [];
  const { end } = scene(({ id, recipient: { localPart } }) => {
    asked.push(`${id} ${localPart}`);
    return [NOTE];
  });
  const shared = job(RETURNS, { targets: 2 });
  const other = { ...shared, message: message("m2") };
  const bob = job(RETURNS, { targets: 2, alias: { localPart: "Bob", domain: "forwarder.example" } });
  await end(shared, FAILED, false);
  for (const one of [shared, other, bob]) await end(one, FAILED);
  assert.deepEqual(asked, []);
  for (const one of [bob, other, shared]) await end(one, FAILED);
  assert.deepEqual(asked, ["m1 Bob", "m2 Alice", "m1 Alice"]);
});

test("with a closed spool nothing is asked: nothing will be written", async () => {
  const { end, away } = scene(() => assert.fail("asked"));
  away();
  assert.deepEqual(await end(job(RETURNS, { targets: 2 }), DELIVERED), []);
});
