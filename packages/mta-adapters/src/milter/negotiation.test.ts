import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ACTIONS, agreeOn, parseOffer, renderAgreed, STEPS } from "./negotiation.ts";

const word = fc.integer({ min: 0, max: 0xffff_ffff });

test("of any offer, only bits that it has are taken, and a version that both speak", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 0xffff_ffff }), word, word, (version, actions, steps) => {
      const agreed = agreeOn({ version, actions, steps });
      assert.equal((agreed.actions & ~actions) >>> 0, 0);
      assert.equal((agreed.steps & ~steps) >>> 0, 0);
      assert.equal(agreed.version, Math.min(6, version));
    }),
  );
});

test("answers to RCPT and to the body are never given up, and no rejected recipient is asked for", () => {
  const { steps } = agreeOn({ version: 6, actions: 0xffff_ffff, steps: 0xffff_ffff });
  // SMFIP_RCPT_REJ, SMFIP_NR_RCPT, SMFIP_NR_BODY; SMFIP_NOMAIL, SMFIP_NORCPT; larger pieces of a body.
  assert.equal(steps & (0x800 | 0x8000 | 0x80000 | 0x04 | 0x08 | 0x30000000), 0);
});

test("macros are asked for where the mail server takes requests, and nothing stands behind the words elsewhere", () => {
  const offer = { version: 6, actions: ACTIONS.requestMacros, steps: 0 };
  assert.ok(renderAgreed(agreeOn(offer)).length > 17);
  assert.equal(renderAgreed(agreeOn({ ...offer, actions: 0xff })).length, 17);
});

test("recipients are changed only where one can be added and deleted", () => {
  const may = (actions: number): boolean => agreeOn({ version: 6, actions, steps: 0 }).mayChangeRecipients;
  assert.deepEqual([may(0x04), may(0x08), may(0x0c)], [false, false, true]);
});

test("what is agreed is told as an offer is", () => {
  const agreed = agreeOn({ version: 4, actions: ACTIONS.changeSender, steps: STEPS.leadingSpace });
  const { version, actions, steps } = parseOffer(renderAgreed(agreed).subarray(5));
  assert.deepEqual([version, actions, steps], [4, 0x40, 0x100000]);
});
