import assert from "node:assert/strict";
import { test } from "node:test";
import type { OnBehalf } from "@homing/on-behalf";
import { parseMailbox } from "@homing/srs-core";
import { sentMailOf } from "./site-mail.ts";

const CARDS = {
  title: "Example Cards",
  name: "cards",
  from: at("cards@site.example"),
  returnTo: at("b@site.example"),
};

function at(text: string) {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok);
  return parsed.mailbox;
}

/** What is asked of it here. */
const onBehalf = {
  returns: { isNobody: ({ localPart }: { localPart: string }) => localPart === "nobody" },
  sites: { ofBounceDomain: (domain: string) => (domain === "bounce.site.example" ? CARDS : undefined) },
  manageUrl: (address: string, site: string) => `https://mail.site.example/mine?t=${address}+${site}`,
} as unknown as OnBehalf;

function foot(sender: string, reversePath: string): readonly string[] | undefined {
  return sentMailOf(onBehalf, []).foot?.(at(sender), at(reversePath));
}

test("at the foot of what a user is told stands his own link, as the site knows him", () => {
  assert.deepEqual(foot("alice@users.example", "SRS0=x@bounce.site.example"), [
    "You sent this through Example Cards. To see or end what is sent in your name:",
    "https://mail.site.example/mine?t=alice@users.example+cards",
  ]);
});

test("the site itself, nobody, and whoever sent through no site have none", () => {
  for (const sender of ["cards@site.example", "Cards@SITE.example", "b@site.example"])
    assert.deepEqual(foot(sender, "SRS0=x@bounce.site.example"), []);
  assert.deepEqual(foot("alice@users.example", "nobody@bounce.site.example"), []);
  assert.deepEqual(foot("alice@users.example", "SRS0=x@srs.example"), []);
});
