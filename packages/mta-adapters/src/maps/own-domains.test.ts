import assert from "node:assert/strict";
import { test } from "node:test";
import { createOwnDomains } from "./own-domains.ts";

const own = createOwnDomains(["Club.example", ".customers.example", "bücher.example"]);

const domains: readonly [domain: string, isOwn: boolean][] = [
  ["club.example", true],
  ["CLUB.EXAMPLE", true],
  ["mail.club.example", false],
  ["xclub.example", false],
  ["a.customers.example", true],
  ["a.b.Customers.example", true],
  ["customers.example", false],
  ["xcustomers.example", false],
  ["xn--bcher-kva.example", true],
  ["bücher.example", true],
  ["[192.0.2.1]", false],
  ["", false],
  [".", false],
  ["example", false],
];
for (const [domain, isOwn] of domains) {
  test(`${JSON.stringify(domain)} is ${isOwn ? "" : "not "}ours`, () => {
    assert.equal(own.has(domain), isOwn);
  });
}
