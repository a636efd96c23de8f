import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_PLACE, Roster } from "./roster.ts";

const one = (name: string) => ({ name, place: NO_PLACE });

test("who is added is counted and found, until it is deleted", () => {
  const roster = new Roster<ReturnType<typeof one>>();
  const [first, second] = [one("first"), one("second")];
  assert.equal(roster.delete(first), false);
  roster.add(first).add(second);
  assert.equal(roster.size, 2);
  assert.equal(roster.delete(first), true);
  assert.equal(roster.delete(first), false);
  assert.equal(roster.size, 1);
  assert.deepEqual(
    [...roster].map(({ name }) => name),
    ["second"],
  );
});

test("all are called, also where each leaves when it is called: so does the library at its end", () => {
  const roster = new Roster<ReturnType<typeof one>>();
  for (const name of ["first", "second", "third"]) roster.add(one(name));
  const called: string[] = [];
  roster.forEach((listed) => {
    called.push(listed.name);
    roster.delete(listed);
  });
  assert.deepEqual(called, ["first", "second", "third"]);
  assert.equal(roster.size, 0);
});
