import assert from "node:assert/strict";
import { test } from "node:test";
import { createTableRules, loadTables, type Tables } from "@homing/forwarder";
import { createOwnDomains } from "@homing/mta-adapters";
import { parseMailbox } from "@homing/srs-core";
import { createLeavesSite } from "./leaves-site.ts";

const ALIASES = `ann: ann@elsewhere.example
joe: joe@club.example
both: joe@club.example, ann@elsewhere.example
twice: ann
gone: :fail: she has left
nothing: :blackhole:
postmaster: joe@club.example
`;

async function tables(): Promise<Tables> {
  const rules = createTableRules({
    domains: ["home.example"],
    ownNames: ["mx.home.example", "srs.example"],
    recipientDelimiter: "+",
    staysAt: () => true,
    knowsUsers: () => true,
  });
  const loaded = await loadTables({ aliases: "aliases" }, rules, async function* () {
    yield Buffer.from(ALIASES);
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.tables;
}

const table: readonly (readonly [recipient: string, answer: "leaves" | "stays" | "unknown"])[] = [
  ["bob@elsewhere.example", "leaves"],
  ["ann@home.example", "leaves"],
  ["ANN@Home.Example", "leaves"],
  ["ann+lists@home.example", "leaves"],
  ["twice@home.example", "leaves"],
  ["both@home.example", "leaves"],
  ["joe@home.example", "stays"],
  ["in-no-table@home.example", "stays"],
  ["nothing@home.example", "stays"],
  ["anybody@club.example", "stays"],
  ["ann@club.example", "stays"],
  ["root@mx.home.example", "stays"],
  ["x@srs.example", "stays"],
  ["gone@home.example", "unknown"],
  ["ann@mx.home.example", "leaves"],
  ["joe%elsewhere.example@home.example", "unknown"],
  ["elsewhere.example!joe@mx.home.example", "unknown"],
];
for (const [recipient, answer] of table)
  test(`mail to ${recipient}: ${answer}`, async () => {
    const loaded = await tables();
    const own = createOwnDomains(["home.example", "club.example", "srs.example"]);
    const leavesSite = createLeavesSite({ tables: () => loaded, ownDomains: () => own });
    const parsed = parseMailbox(recipient);
    assert.ok(parsed.ok);
    assert.equal(await leavesSite(parsed.mailbox), answer);
  });
