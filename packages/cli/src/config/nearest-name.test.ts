import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName, slipsBetween } from "./nearest-name.ts";

const slips: [a: string, b: string, slips: number][] = [
  ["", "", 0],
  ["", "ab", 2],
  ["listen", "listen", 0],
  ["listn", "listen", 1],
  ["listen", "listenn", 1],
  ["listem", "listen", 1],
  ["lsiten", "listen", 1],
  ["lsitne", "listen", 2],
  ["ca", "abc", 3],
  ["kitten", "sitting", 3],
];
for (const [a, b, expected] of slips) {
  test(`from "${a}" to "${b}" there are ${expected} slips, and as many back`, () => {
    assert.equal(slipsBetween(a, b), expected);
    assert.equal(slipsBetween(b, a), expected);
  });
}

const NAMES = ["hostname", "listen", "domains", "aliasesFile", "srs", "tagLength", "minTagLength"];
const meant: [word: string, name: string | undefined][] = [
  ["aliasFile", "aliasesFile"],
  ["HOSTNAME", "hostname"],
  ["hsotname", "hostname"],
  ["domain", "domains"],
  ["sr", "srs"],
  ["srss", "srs"],
  ["ss", "srs"],
  ["host", "hostname"],
  ["Alias", "aliasesFile"],
  ["al", undefined],
  ["x", undefined],
  ["dkim", undefined],
  ["tagSize", undefined],
  ["", undefined],
  ["h".repeat(1_000_000), undefined],
];
for (const [word, name] of meant) {
  test(`"${word.slice(0, 20)}" stands for ${name ?? "none of the names"}`, () => {
    assert.equal(nearestName(word, NAMES), name);
  });
}

test("a beginning that several names have stands for none of them", () => {
  assert.equal(nearestName("maxMe", ["maxMessages", "maxMembers"]), undefined);
  assert.equal(nearestName("maxMes", ["maxMessages", "maxMembers"]), "maxMessages");
});

test("of several near names the nearest is taken, and of equally near ones the first", () => {
  assert.equal(nearestName("clients", ["client", "clients", "clientss"]), "clients");
  assert.equal(nearestName("cat", ["hat", "bat"]), "hat");
});
