import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type SpfRefused, spfRefusal } from "./refusal.ts";

const FAIL: SpfRefused = {
  fault: "spf-fail",
  action: "refuse",
  client: "192.0.2.1",
  answer: { domain: "origin.example" },
};
const DENIED = "SPF: origin.example does not let 192.0.2.1 send its mail";

const CASES: readonly [what: string, changes: Partial<SpfRefused>, enhanced: string, text: string][] = [
  ["a fail", {}, "7.23", DENIED],
  [
    "a fail with an explanation, which is told in the domain's name",
    { answer: { domain: "origin.example", explanation: "see https://origin.example" } },
    "7.23",
    `${DENIED}. origin.example explains: see https://origin.example`,
  ],
  [
    "a fail with an explanation and a link of ours",
    { answer: { domain: "origin.example", explanation: "no" }, url: "https://mx.example/why" },
    "7.23",
    `${DENIED}. origin.example explains: no. See https://mx.example/why`,
  ],
  ["a fail that is deferred", { action: "defer" }, "7.23", `${DENIED}, try again later`],
  [
    "temperror",
    { fault: "spf-temperror", action: "defer" },
    "4.3",
    "SPF: DNS did not answer about origin.example, try again later",
  ],
  ["permerror", { fault: "spf-permerror" }, "7.24", "SPF: the record of origin.example is wrong"],
  [
    "none of no domain",
    { fault: "spf-none", answer: { domain: "" } },
    "7.1",
    "SPF: the sender does not say who sends its mail, as this server asks",
  ],
  [
    "softfail, whose explanation would not be of a fail (RFC 7208 §6.2)",
    { fault: "spf-softfail", answer: { domain: "origin.example", explanation: "no" } },
    "7.23",
    "SPF: origin.example does not name 192.0.2.1 as a sender of its mail",
  ],
];
for (const [what, changes, enhanced, text] of CASES) {
  test(`the words of ${what}`, () => {
    assert.deepEqual(spfRefusal({ ...FAIL, ...changes }), { enhanced, text });
  });
}

test("an explanation has the room that is left, and none where that is not worth reading", () => {
  const answer = { domain: "origin.example", explanation: "x".repeat(250) };
  assert.equal(spfRefusal({ ...FAIL, answer, maxText: 200 }).text.length, 200);
  assert.equal(spfRefusal({ ...FAIL, answer, maxText: 100 }).text, DENIED);
});

test("whatever DNS and the domain hold, the text is one printable line of its length", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.string({ unit: "binary", maxLength: 300 }),
      (domain, explanation) => {
        const { text } = spfRefusal({ ...FAIL, answer: { domain, explanation } });
        assert.match(text, /^[\x20-\x7e]{1,480}$/);
      },
    ),
  );
});
