import assert from "node:assert/strict";
import { test } from "node:test";
import type { SpfAnswer } from "@homing/spf";
import fc from "fast-check";
import { receivedSpfLine } from "./received-spf-line.ts";

const QUESTION = { client: "192.0.2.1", helo: "mail.origin.example", sender: "bob@origin.example" };
const ANSWER: SpfAnswer = {
  result: "pass",
  identity: "mailfrom",
  domain: "origin.example",
  sender: "bob@origin.example",
  mechanism: "ip4:192.0.2.0/24",
  path: [],
  namesNobody: false,
  passesEverybody: false,
  lookups: 0,
  voidLookups: 0,
  trace: [],
};

test("the field stands on one line, whole", () => {
  assert.equal(
    receivedSpfLine(ANSWER, QUESTION, "mx.ours.example"),
    "Received-SPF: pass (mx.ours.example: 192.0.2.1 may send for origin.example)" +
      ' receiver=mx.ours.example; identity=mailfrom; envelope-from="bob@origin.example";' +
      ' helo=mail.origin.example; client-ip=192.0.2.1; mechanism="ip4:192.0.2.0/24";',
  );
});

test("the longest addresses of RFC 5321 stand whole", () => {
  const domain = `${"a".repeat(60)}.${"b".repeat(60)}.example`;
  const sender = `${"x".repeat(64)}@${domain}`;
  const line = receivedSpfLine({ ...ANSWER, domain }, { ...QUESTION, sender, helo: domain }, "mx.example");
  assert.ok(line.includes(`"${sender}"`), line);
});

test("whatever anybody wrote, it is one printable line that no server folds", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 2000 }),
    fc.nat(2000).map((length) => '"'.repeat(length)),
    fc.nat(2000).map((length) => "(".repeat(length)),
  );
  fc.assert(
    fc.property(text, text, text, text, (helo, sender, domain, problem) => {
      const answer = { ...ANSWER, domain, problem, mechanism: problem };
      const line = receivedSpfLine(answer, { client: "2001:db8::1", helo, sender }, "mx.ours.example");
      assert.match(line, /^Received-SPF: pass \([\x20-\x7e]{1,975};$/);
    }),
  );
});
