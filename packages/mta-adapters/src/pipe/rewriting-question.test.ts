import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRewritingAnswer, type RewritingAnswer, renderRewritingQuestion } from "./rewriting-question.ts";

const questions: readonly [sender: string, alias: string | undefined, question: string][] = [
  ["bob@x.example", undefined, "forward bob@x.example\n"],
  ["bob@x.example", "alice@home.example", "forward-alias alice@home.example bob@x.example\n"],
  ['"a b"@x.example', "alice@home.example", 'forward-alias alice@home.example "a b"@x.example\n'],
  ["bob@x.example", "alice", "forward bob@x.example\n"],
  ["bob@x.example", '"a b"@home.example', 'forward-alias "a b"@home.example bob@x.example\n'],
  ["bob@x.example", "a b@home.example", "forward bob@x.example\n"],
  ["bob@x.example", '"a\nb"@home.example', "forward bob@x.example\n"],
];

for (const [sender, alias, question] of questions) {
  test(`${sender} for ${alias ?? "nobody who is known"} is asked as ${question.trimEnd()}`, () => {
    assert.equal(renderRewritingQuestion(sender, alias), question);
  });
}

const SRS = "SRS0=aaaa=jj=x.example=bob@forwarder.example";
const answers: readonly [text: string, answer: RewritingAnswer][] = [
  [`OK ${SRS}\n`, { kind: "rewritten", sender: SRS }],
  [`OK ${SRS}`, { kind: "later", why: "its answer broke off" }],
  [`OK ${SRS}\r\n`, { kind: "rewritten", sender: SRS }],
  ["NOTFOUND a domain of ours\n", { kind: "as-it-is" }],
  ["NOTFOUND\n", { kind: "as-it-is" }],
  ["TEMP ask again\n", { kind: "later", why: "ask again" }],
  ["PERM the sender is too long\n", { kind: "unfit", why: "the sender is too long" }],
  ["", { kind: "later", why: "its answer broke off" }],
  ["\n", { kind: "wrong", why: "it said: " }],
  ["HELLO\n", { kind: "wrong", why: "it said: HELLO" }],
  ["OK \n", { kind: "wrong", why: "no sender: " }],
  ["OK -X/tmp/log\n", { kind: "wrong", why: "no sender: -X/tmp/log" }],
  [`OK ${SRS}\nOK other@x.example\n`, { kind: "wrong", why: `it said: OK ${SRS}?OK other@x.example` }],
  ["TEMP \u001b[2J\n", { kind: "later", why: "?[2J" }],
];

for (const [text, answer] of answers) {
  test(`the answer ${JSON.stringify(text)} is ${answer.kind}`, () => {
    assert.deepEqual(parseRewritingAnswer(text), answer);
  });
}
