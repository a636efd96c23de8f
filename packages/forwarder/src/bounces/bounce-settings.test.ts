import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mailbox } from "@homing/srs-core";
import {
  BOUNCE_SETTINGS,
  type BounceSettings,
  bounceSettingsKey,
  createBouncePolicy,
} from "./bounce-settings.ts";

const bob: Mailbox = { localPart: "bob", domain: "ours.test" };
const marked = (localPart: string): BounceSettings => {
  return { ...BOUNCE_SETTINGS, owner: { localPart, domain: "owners.test" } };
};
const [ofAll, ofDomain, ofAlias] = [marked("all"), marked("domain"), marked("alias")];

const policy = createBouncePolicy({
  all: ofAll,
  byDomain: new Map([["ours.test", ofDomain]]),
  byAlias: new Map([
    [bounceSettingsKey(bob), ofAlias],
    [bounceSettingsKey({ localPart: "B B", domain: "Other.test" }), ofAlias],
  ]),
});

const rows: [what: string, alias: Mailbox | undefined, expected: BounceSettings][] = [
  ["an alias that nobody knows has the settings of all", undefined, ofAll],
  ["an alias of another domain has the settings of all", { ...bob, domain: "other.test" }, ofAll],
  ["an alias without settings has those of its domain", { ...bob, localPart: "eve" }, ofDomain],
  ["the case of a domain does not matter", { localPart: "eve", domain: "OURS.Test" }, ofDomain],
  ["a domain below has settings of its own", { ...bob, domain: "sub.ours.test" }, ofAll],
  ["an alias has its own settings", bob, ofAlias],
  ["the case of an alias does not matter", { localPart: "BOB", domain: "Ours.TEST" }, ofAlias],
  ["a quoted local part is found, too", { localPart: "b b", domain: "other.test" }, ofAlias],
];
for (const [what, alias, expected] of rows) {
  test(what, () => assert.equal(policy(alias), expected));
}

test("with nothing by domain and by alias, all aliases have the same settings", () => {
  assert.equal(createBouncePolicy({ all: ofAll })(bob), ofAll);
});

test("letters beyond US-ASCII have their case, as SMTP compares them", () => {
  const byAlias = new Map([[bounceSettingsKey({ localPart: "Ärger", domain: "ours.test" }), ofAlias]]);
  const policy = createBouncePolicy({ all: ofAll, byAlias });
  assert.equal(policy({ localPart: "ÄRGER", domain: "OURS.test" }), ofAlias);
  assert.equal(policy({ localPart: "ärger", domain: "ours.test" }), ofAll);
});

test("an address with an extension has the settings of the address without, unless it has its own", () => {
  const extended = { ...bob, localPart: "bob+x" };
  assert.equal(policy(extended, bob), ofAlias);
  assert.equal(policy(extended), ofDomain);
  assert.equal(policy(bob, { ...bob, localPart: "eve" }), ofAlias);
});
