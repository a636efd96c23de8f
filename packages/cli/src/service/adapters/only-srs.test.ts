import assert from "node:assert/strict";
import { test } from "node:test";
import { createTableRules, loadTables, type Tables } from "@homing/forwarder";
import { createOnlySrs } from "./only-srs.ts";

async function tables(aliases?: string): Promise<Tables> {
  const rules = createTableRules({
    domains: ["home.example"],
    ownNames: ["mx.home.example", "srs.example"],
    knowsUsers: () => true,
  });
  const loaded = await loadTables(aliases ? { aliases: "aliases" } : {}, rules, async function* () {
    yield Buffer.from(aliases ?? "");
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.tables;
}

function settings(srsDomain: string): Parameters<typeof createOnlySrs>[0] {
  return {
    srs: { domain: srsDomain },
    domains: ["home.example"],
    domainAliases: { "www.example": "home.example" },
    domainSettings: {},
  } as never;
}

test("at an SRS domain without mailboxes everybody is nobody, but for a postmaster of the tables", async () => {
  const without = await tables();
  const loaded = await tables("postmaster: ann@elsewhere.example\n");
  const { isNobody } = createOnlySrs(settings("SRS.example"), () => loaded);
  for (const recipient of [
    "ann@srs.example",
    "a b@Srs.Example",
    `${"x".repeat(300)}@srs.example`,
    "@srs.example",
  ])
    assert.equal(isNobody(recipient), true, recipient);
  for (const recipient of ["Postmaster@srs.example", "ann@home.example", "srs.example", ""])
    assert.equal(isNobody(recipient), false, recipient);
  assert.equal(
    createOnlySrs(settings("srs.example"), () => without).isNobody("postmaster@srs.example"),
    true,
  );
});

test("an SRS domain that is one of the site's domains has mailboxes that nobody here knows", async () => {
  const loaded = await tables("postmaster: ann@elsewhere.example\n");
  for (const domain of ["home.example", "www.example"]) {
    const { isNobody } = createOnlySrs(settings(domain), () => loaded);
    assert.equal(isNobody(`ann@${domain}`), false);
  }
});
