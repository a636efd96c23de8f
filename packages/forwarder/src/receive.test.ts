// What becomes of senders that do not fit into an SRS address. The rest of receive.ts has its tests in smtp-in-*.test.ts and in the
// stories.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createRewriter, type Mailbox } from "@homing/srs-core";
import { keptCopies } from "./receive.ts";
import { openKeptSenders } from "./spool/kept-senders.ts";
import { openSpool } from "./spool/open-spool.ts";
import { temporaryFolder } from "./spool/testing/folder.ts";
import { T0 } from "./spool/testing/messages.ts";

const RECIPIENT: Mailbox = { localPart: "alice", domain: "ours.test" };
const LONG: Mailbox = { localPart: `bounces+${"1".repeat(40)}`, domain: "bulk.test" };
const OTHER: Mailbox = { ...LONG, localPart: `bounces+${"2".repeat(40)}` };
/** No octet more fits behind the tag, not even a token. */
const LONG_SRS_DOMAIN = `${"s".repeat(63)}.${"s".repeat(63)}.${"s".repeat(63)}.${"s".repeat(40)}.test`;

async function scene(t: TestContext, { maxSenders = 1, srsDomain = "ours.test" } = {}) {
  const spool = await openSpool({ folder: await temporaryFolder(t) });
  t.after(() => spool.close());
  const keptSenders = await openKeptSenders(spool.notes, { maxAgeDays: 21, maxSenders });
  const secrets = ["a long random secret"];
  const rewriter = createRewriter({ secrets, domain: srsDomain, store: keptSenders.store });
  const options = {
    keptSenders,
    isOurServer: () => false,
    rewriterFor: () => rewriter,
    isOurDomain: () => false,
  };
  const client = { session: "s", address: "192.0.2.1", helo: "bulk.test", protocol: "ESMTP" } as const;
  const destinations = [{ mailbox: { localPart: "a", domain: "home.test" } }];
  const route = { kind: "alias", destinations, dropped: [] } as const;
  return async (reversePath: Mailbox) => {
    const leading = { route, recipient: RECIPIENT, now: T0 };
    const made = await keptCopies(options, { reversePath, client }, leading);
    return made.ok ? "taken" : [made.reason, made.reply.code, made.reply.enhanced];
  };
}

test("a long sender for whom there is no room comes again; one who is kept has his", async (t) => {
  const ask = await scene(t);
  assert.equal(await ask(LONG), "taken");
  assert.deepEqual(await ask(OTHER), ["sender-no-room", 451, "4.1.7"]);
  assert.equal(await ask(LONG), "taken");
  assert.equal(await ask({ localPart: "bob", domain: "bulk.test" }), "taken");
});

test("a sender who does not fit with a token either is refused for good, room or none", async (t) => {
  for (const maxSenders of [0, 1]) {
    const ask = await scene(t, { maxSenders, srsDomain: LONG_SRS_DOMAIN });
    assert.deepEqual(await ask(LONG), ["sender-too-long", 550, "5.1.7"]);
  }
});
