import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { Register } from "./register.ts";

test("each has a number of its own, also after it left", () => {
  const register = new Register<{ name: string }>();
  const first = register.add({ name: "first" });
  const second = register.add({ name: "second" });
  assert.notEqual(first, second);
  assert.equal(register.get(second)?.name, "second");
  assert.equal(register.size, 2);

  assert.equal(register.delete(first), true);
  assert.equal(register.delete(first), false);
  assert.equal(register.has(first), false);
  assert.equal(register.get(first), undefined);
  assert.equal(register.size, 1);
  const third = register.add({ name: "third" });
  assert.ok(third !== first && third !== second);
});

test("numbers begin again, without those that are in use", () => {
  const register = new Register<{ name: string }>(3);
  assert.deepEqual(
    ["a", "b", "c"].map((name) => register.add({ name })),
    [1, 2, 3],
  );
  register.delete(2);
  assert.equal(register.add({ name: "d" }), 2);
  assert.deepEqual(
    [...register].map(({ name }) => name),
    ["a", "d", "c"],
  );
});

test("they come in the order in which they were added, without those that leave meanwhile", () => {
  const register = new Register<{ name: string }>();
  const numbers = ["a", "b", "c", "d"].map((name) => register.add({ name }));
  register.delete(numbers[1] ?? 0);
  const seen: string[] = [];
  for (const { name } of register) {
    seen.push(name);
    register.delete(numbers[2] ?? 0);
  }
  assert.deepEqual(seen, ["a", "d"]);
});

test("what left is not kept for what came later: a quick collection takes it, as it would not from a Set", () => {
  const ofRegister = keptBy("register");
  assert.ok(ofRegister < 50_000, `${ofRegister} octets`);
  // Where V8 keeps nothing for a Set either, the register is not needed any more.
  const ofSet = keptBy("set");
  assert.ok(ofSet > 200_000, `${ofSet} octets`);
});

const FLAGS = ["--expose-gc", "--min-semi-space-size=16", "--max-semi-space-size=16", "--input-type=module"];

function keptBy(kind: "register" | "set"): number {
  return Number(execFileSync(process.execPath, [...FLAGS, "-e", PROGRAM(kind)]));
}

/** Fifty at a time, and five thousand in all: how many octets reach the old generation? */
const PROGRAM = (kind: string): string => `
  import { getHeapSpaceStatistics } from "node:v8";
  import { Register } from ${JSON.stringify(new URL("./register.ts", import.meta.url).href)};
  const old = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space").space_used_size;
  const register = new Register();
  const set = new Set();
  const pass = (count) => {
    const leaving = [];
    for (let at = 0; at < count; at++) {
      const one = { octets: [at, at, at, at, at, at, at, at] };
      const number = "${kind}" === "set" ? set.add(one) && one : register.add(one);
      leaving.push(number);
      if (leaving.length > 50) ("${kind}" === "set" ? set : register).delete(leaving.shift());
    }
    for (const number of leaving) ("${kind}" === "set" ? set : register).delete(number);
  };
  pass(1000);
  gc();
  const before = old();
  pass(5000);
  gc({ type: "minor" });
  gc({ type: "minor" });
  console.log(old() - before);
`;
