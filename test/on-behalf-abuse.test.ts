// Attacks on mail that sites send for their users: over HTTP, on the pages behind mailed links, over submission, and at the port
// where bounces come home. Each is answered with what is documented, and nothing leaves. The rows are in on-behalf-abuse/.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type AbuseScene, startAbuseScene } from "./harness/abuse-scene.ts";
import { API, RETURNS } from "./on-behalf-abuse/api.ts";
import type { Attack } from "./on-behalf-abuse/attack.ts";
import { CLOCK } from "./on-behalf-abuse/clock.ts";
import { IDENTITIES } from "./on-behalf-abuse/identities.ts";
import { LIMITS, MESSAGES } from "./on-behalf-abuse/messages.ts";
import { PORT_25, SUBMISSION } from "./on-behalf-abuse/submission.ts";

let scene: AbuseScene;
before(async () => {
  scene = await startAbuseScene();
});
after(() => scene[Symbol.asyncDispose]());

const GROUPS: Readonly<Record<string, readonly Attack[]>> = {
  "identities and links": IDENTITIES,
  "where users are sent back to": RETURNS,
  "what stands in a message": MESSAGES,
  limits: LIMITS,
  "the API": API,
  submission: SUBMISSION,
  "where bounces come home": PORT_25,
  "the clock": CLOCK,
};
const SPOKEN = new Set([SUBMISSION, PORT_25]);

const arrived = (): readonly string[] => scene.site.hop.taken.map(({ recipient }) => recipient);

const atVictims = (): readonly string[] =>
  arrived().filter((recipient) => recipient.endsWith("@victims.example"));

for (const [group, attacks] of Object.entries(GROUPS)) {
  for (const { name, act, sees } of attacks) {
    test(`${group}: ${name}: ${sees}`, async () => {
      const before = atVictims();
      const seen = await act(scene);
      const compared = SPOKEN.has(attacks) ? seen.slice(0, sees.length) : seen;
      assert.equal(compared, sees, seen);
      assert.deepEqual(atVictims(), before);
    });
  }
}

test("to the end: what was allowed has arrived, and nothing else; nothing waits, and no bug was logged", async (t) => {
  await scene.site.settled();
  assert.deepEqual(arrived().toSorted(), scene.expected.toSorted());
  assert.doesNotMatch(scene.site.log(), /"event":"error"/);
  const count = Object.values(GROUPS).flat().length;
  assert.ok(count >= 45);
  t.diagnostic(`${count} attacks`);
});
