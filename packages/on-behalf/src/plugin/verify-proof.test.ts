import assert from "node:assert/strict";
import { test } from "node:test";
import { createTokens } from "../tokens/create-tokens.ts";
import { verifyProof } from "./verify-proof.ts";

const NOW = 1_780_000_000;
const tokens = createTokens(["the secret of the service's keys"]);
const FACTS = {
  purpose: "identity",
  address: "a@b.example",
  site: "cards",
  nonce: "n".repeat(22),
  expires: NOW + 1,
} as const;
const question = { identityKeys: tokens.publicKeys, site: "cards", now: NOW };

test("a proof says whose address is confirmed, and for how long", () => {
  assert.deepEqual(verifyProof(tokens.sign(FACTS), question), {
    ok: true,
    address: "a@b.example",
    expires: NOW + 1,
  });
});

test("a proof for another site, another purpose or another time is none", () => {
  const proof = tokens.sign(FACTS);
  assert.deepEqual(verifyProof(proof, { ...question, site: "other" }), { ok: false, reason: "wrong-site" });
  assert.deepEqual(verifyProof(proof, { ...question, now: NOW + 1 }), { ok: false, reason: "expired" });
  const link = tokens.sign({ ...FACTS, purpose: "manage" });
  assert.deepEqual(verifyProof(link, question), { ok: false, reason: "wrong-purpose" });
  assert.deepEqual(verifyProof("x", question), { ok: false, reason: "malformed" });
  assert.throws(() => verifyProof(proof, { ...question, identityKeys: [] }), RangeError);
});
