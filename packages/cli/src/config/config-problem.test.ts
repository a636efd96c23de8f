import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandFailure } from "../failure.ts";
import {
  type ConfigProblem,
  configFailure,
  parseProblem,
  problemsOf,
  renderProblem,
} from "./config-problem.ts";

const lines: [line: string, problem: ConfigProblem][] = [
  ["f:3:1 x: what", { file: "f", line: 3, column: 1, message: "x: what" }],
  ["/etc/a:b:3:1 what", { file: "/etc/a:b", line: 3, column: 1, message: "what" }],
  ["no place", { message: "no place" }],
  ["word", { message: "word" }],
  ["", { message: "" }],
  [":1:2 x", { file: "", line: 1, column: 2, message: "x" }],
  ["f:3 half a place", { message: "f:3 half a place" }],
  ["f:x:1 no line", { message: "f:x:1 no line" }],
  ["see f:3:1 for more", { message: "see f:3:1 for more" }],
];
for (const [line, problem] of lines) {
  test(`the line "${line}" is a problem, and rendered is that line again`, () => {
    assert.deepEqual(parseProblem(line), problem);
    assert.equal(renderProblem(problem), line);
  });
}

test("a failure keeps its problems, and its message has a line for each", () => {
  const problem = { file: "my files/f", line: 1, column: 2, message: "wrong" };
  const failure = configFailure([problem, "g:3:4 wrong, too"]);
  assert.equal(failure.reason, "config");
  assert.equal(failure.message, "my files/f:1:2 wrong\ng:3:4 wrong, too");
  assert.deepEqual(problemsOf(failure), [problem, { file: "g", line: 3, column: 4, message: "wrong, too" }]);
});

test("another failure has a problem for each of its lines", () => {
  const failure = new CommandFailure("permission", "secrets file s: not allowed\nf:1:2 wrong");
  assert.deepEqual(problemsOf(failure), [
    { message: "secrets file s: not allowed" },
    { file: "f", line: 1, column: 2, message: "wrong" },
  ]);
});
