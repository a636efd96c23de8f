import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePolicyAddress } from "./policy-address.ts";

const table: readonly (readonly [told: string, address: string])[] = [
  ["bob@origin.example", "bob@origin.example"],
  ["bob@origin.example.", "bob@origin.example"],
  ["two words@origin.example", '"two words"@origin.example'],
  ['say "hi"@origin.example', '"say \\"hi\\""@origin.example'],
  ["bob@origin.example@home.example", '"bob@origin.example"@home.example'],
  ["bob%origin.example", "bob%origin.example"],
  ["bob@(c)origin.example", "bob@(c)origin.example"],
  ["@origin.example", "@origin.example"],
  ["", ""],
];
for (const [told, address] of table)
  test(`Postfix tells <${told}> of ${address}`, () => assert.equal(parsePolicyAddress(told), address));
