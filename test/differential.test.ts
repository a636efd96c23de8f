// The short form of `npm run differential`: random addresses against a running Mail::SRS.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter } from "../packages/srs-core/src/index.ts";
import { differential } from "./differential/differential.ts";
import { startMailSrsBatch } from "./differential/mail-srs-batch.ts";
import { storiesNeed } from "./harness/availability.ts";

const skip = (await storiesNeed("libmail-srs-perl")) ?? false;
const SEED = 20_261_121;
const COUNT = 10_000;

test("10,000 random addresses: no difference from Mail::SRS that no rule explains", { skip }, async (t) => {
  await using peer = await startMailSrsBatch();
  const tally = await differential(peer, COUNT, SEED);
  t.diagnostic(`seed ${SEED}: ${tally.comparisons} comparisons, ${tally.agree} agree`);
  assert.deepEqual(tally.unexplained, []);
  assert.equal(tally.differ, 0);
  assert.ok(tally.agreeOnAddress > 2 * COUNT, `${tally.agreeOnAddress} answers were the same address`);
  // Rules that no observed answer shows are shown here.
  for (const id of ["specials", "control-characters", "equals-in-domain", "empty-rest"]) {
    assert.ok(tally.byRule.has(id), id);
  }
});

test("an equals sign that has moved keeps Mail::SRS counting without end, and is malformed here", {
  skip,
}, async () => {
  await using peer = await startMailSrsBatch();
  const options = {
    scheme: "classic",
    secrets: ["shared with an older site"],
    domain: "fwd.example",
    separator: "=",
    tagLength: 4,
    minTagLength: 4,
    maxAgeDays: 21,
    alwaysRewrite: false,
  } as const;
  const now = 1_700_000_000;
  const [forged] = await peer.ask([{ op: "forward", options, address: "bob@abcdefghijkl.example", now }]);
  assert.ok(forged && "address" in forged);
  const address = forged.address.replace("=G3=abcdefghijkl.", "=G3abcdefghijkl=.");
  const [answer] = await peer.ask([{ op: "reverse", options, address, now }]);
  assert.ok(answer && "refused" in answer && answer.refused.includes("hangs"), JSON.stringify(answer));
  const outcome = createRewriter(options).reverse(
    { localPart: address.replace(/@.*/, ""), domain: "fwd.example" },
    now,
  );
  assert.deepEqual(outcome, { ok: false, reason: "malformed" });
});
