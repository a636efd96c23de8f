import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthDialogue, type AuthState } from "./auth-dialogue.ts";
import { createFront } from "./front.ts";

function dialogue(isOffered: boolean): AuthDialogue {
  const refuse = { kind: "refuse", reply: { code: 535, enhanced: "5.7.8", text: "no" } } as const;
  const front = createFront(
    { hostname: "mx.f.example", maxMessageOctets: 1000, maxClients: 1 },
    {
      mail: () => refuse,
      failed: () => {},
      ...(isOffered ? { logIn: () => Promise.resolve(refuse) } : {}),
    },
  );
  return new AuthDialogue(front);
}

const PLAIN: AuthState = { isSecure: false, saidEhlo: true, isLoggedIn: false };
const SECURE: AuthState = { ...PLAIN, isSecure: true };
const IN: AuthState = { ...SECURE, isLoggedIn: true };

const rules: readonly [verb: string, state: AuthState, refusal: string | undefined][] = [
  ["EHLO", PLAIN, undefined],
  ["MAIL", PLAIN, "530 5.7.0"],
  ["AUTH", PLAIN, "538 5.7.11"],
  ["MAIL", SECURE, "530 5.7.0"],
  ["RCPT", SECURE, "530 5.7.0"],
  ["DATA", SECURE, "530 5.7.0"],
  ["XCLIENT", SECURE, undefined],
  ["AUTH", SECURE, undefined],
  ["AUTH", { ...SECURE, saidEhlo: false }, "503 5.5.1"],
  ["AUTH", IN, "503 5.5.1"],
  ["XCLIENT", IN, "503 5.5.1"],
  ["MAIL", IN, undefined],
];

for (const [verb, state, expected] of rules) {
  const { isSecure, saidEhlo, isLoggedIn } = state;
  test(`${verb} ${isSecure ? "over TLS" : "in plain text"}, EHLO ${saidEhlo}, logged in ${isLoggedIn}`, () => {
    const refusal = dialogue(true).refusal(verb, state);
    assert.equal(refusal && `${refusal.code} ${refusal.enhanced}`, expected);
  });
}

test("AUTH is offered over TLS alone, once, and where there is anybody to ask", () => {
  const offers = [PLAIN, SECURE, IN].map((state) => dialogue(true).offered(state).length);
  assert.deepEqual(offers, [0, 1, 0]);
  assert.deepEqual(dialogue(false).offered(SECURE), []);
});

test("the lines of a log-in may be longer than commands, over TLS", () => {
  const one = dialogue(true);
  const other = Buffer.from("MAIL FROM:<a@b.example>");
  const auth = Buffer.from("AUTH PLAIN");
  const short = one.maxOctets(other, true);
  assert.ok(one.maxOctets(Buffer.from("AUTH PLAIN x"), true) > short);
  assert.equal(one.maxOctets(Buffer.from("AUTH PLAIN x"), false), short);
  assert.equal(one.tooLong(other, true), undefined);
  assert.equal(one.take(auth).kind, "ask");
  assert.equal(one.isUnderWay, true);
  assert.ok(one.maxOctets(other, true) > short);
  assert.equal(one.tooLong(other, true)?.code, 500);
  assert.equal(one.take(Buffer.from("*")).kind, "refuse");
  assert.equal(one.isUnderWay, false);
});
