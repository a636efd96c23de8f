// The questions of the wizard, with answers from a list.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Senders } from "@homing/spf/records";
import { CommandFailure } from "../failure.ts";
import { askSenders } from "./ask-senders.ts";

const NOBODY: Senders = {
  domain: "d.example",
  mx: false,
  a: false,
  hosts: [],
  ip4: [],
  ip6: [],
  includes: [],
  all: "fail",
};

interface Asked {
  readonly questions: string[];
  readonly said: string[];
}

function dialogue(answers: readonly string[]): Parameters<typeof askSenders>[0] & Asked {
  const left = [...answers];
  const questions: string[] = [];
  const said: string[] = [];
  return {
    questions,
    said,
    async ask(question) {
      questions.push(question);
      return left.shift();
    },
    say: (line) => void said.push(line),
  };
}

const cases: [what: string, answers: string[], senders: Partial<Senders>][] = [
  ["a domain that sends nothing is not asked for more", ["d.example", "n"], {}],
  [
    "blank answers are the usual case: its MX hosts send, and -all comes later",
    ["D.Example.", "", "", "", "", "", "", ""],
    { mx: true, all: "softfail" },
  ],
  [
    "all that can be said",
    [
      "d.example",
      "yes",
      "no",
      "y",
      "h1.d.example, h2.d.example",
      "192.0.2.0/24 2001:DB8::1",
      "p.example",
      "YES",
    ],
    {
      a: true,
      hosts: ["h1.d.example", "h2.d.example"],
      ip4: ["192.0.2.0/24"],
      ip6: ["2001:db8::1"],
      includes: ["p.example"],
    },
  ],
];
for (const [what, answers, senders] of cases) {
  test(what, async () => {
    const person = dialogue(answers);
    assert.deepEqual(await askSenders(person), { ...NOBODY, ...senders });
    assert.equal(person.questions.length, answers.length);
    assert.deepEqual(person.said, []);
  });
}

test("an answer that cannot be read is told, and the question comes again", async () => {
  const person = dialogue([
    "what?",
    "d.example",
    "perhaps",
    "y",
    "y",
    "n",
    "no host",
    "",
    "300.1.1.1",
    "",
    "",
    "y",
  ]);
  assert.deepEqual(await askSenders(person), { ...NOBODY, mx: true });
  assert.equal(person.said.length, 4);
  assert.equal(person.questions[0], person.questions[1]);
  assert.match(person.said[3] ?? "", /300\.1\.1\.1: this is no network: write 192\.0\.2\.1/);
});

test("a domain that is known is not asked for", async () => {
  const person = dialogue(["n"]);
  assert.deepEqual(await askSenders(person, "d.example"), NOBODY);
});

test("who leaves in the middle gets no record", async () => {
  await assert.rejects(askSenders(dialogue(["d.example", "y"])), CommandFailure);
});
