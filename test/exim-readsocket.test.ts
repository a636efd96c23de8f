// Exim with Homing by the recipes of deploy/exim: the six things of docs/mta.md, what happens while Homing is down, and the ACL of
// 2004 that asks spfd.
import assert from "node:assert/strict";
import { test } from "node:test";
import { leaksIn } from "../packages/bounce-handler/src/testing/leaks.ts";
import type { Zone } from "../packages/forwarder/src/testing/dns-server.ts";
import { fieldsOf } from "./harness/authentication-scene.ts";
import { storiesNeed } from "./harness/availability.ts";
import { remoteBounce } from "./harness/bounce-peers.ts";
import { type EximSite, recipe, startEximSite } from "./harness/exim-site.ts";
import { waitFor } from "./harness/wait.ts";

const skip = (await storiesNeed("exim4-daemon-light")) ?? false;
const BOB = "bob@origin.example";
const ALICE = "alice@forwarder.example";
const PRIVATE = "private@home.example";
const GONE = "gone@home.example";
const SRS = /^SRS0=[a-z2-7]+=[A-Z2-7]{2}=origin\.example=bob@bounces\.forwarder\.example$/;
const FORGED = "SRS0=abcdefgh=JL=origin.example=bob@bounces.forwarder.example";
const spf = (text: string) => [{ type: "TXT", strings: [text] }] as const;
const ZONE: Zone = {
  "origin.example": spf("v=spf1 ip4:127.0.0.9 -all"),
  "fail.example": spf("v=spf1 -all"),
  "soft.example": spf("v=spf1 ~all"),
  "broken.example": "SERVFAIL",
};
const ALIASES = `
alice: ${PRIVATE}
gone: ${GONE}
both: carol, ${PRIVATE}
two: one@home.example, two@home.example
"a b": spaced@home.example
`;
/** Too long for an SRS address. */
const LONG = `${"v".repeat(65)}@origin.example`;

const options = {
  aliases: ALIASES,
  users: ["carol"],
  zone: ZONE,
  refusal: (recipient: string) =>
    recipient === GONE ? `550 5.1.1 <${GONE}>: nobody here of that name` : undefined,
};

test("Exim with homing serve", { skip }, async (t) => {
  await using site = await startEximSite(t, options);
  const { send, arrived } = site;
  await site.startHoming();

  await t.test(
    "Exim, readsocket | SRS out | what an alias leads elsewhere has a sender of ours",
    async () => {
      assert.match(await send({ from: BOB, to: ALICE }), /^250 /);
      assert.match((await arrived(PRIVATE)).reversePath, SRS);
    },
  );

  await t.test(
    "Exim, readsocket | bounce back | what the new home refuses is told to the original sender",
    async () => {
      assert.match(await send({ from: BOB, to: "gone@forwarder.example" }), /^250 /);
      const { reversePath, message } = await arrived(BOB);
      assert.equal(reversePath, "");
      assert.match(message, /^Content-Type: multipart\/report; report-type=delivery-status/m);
      assert.match(message, /^Action: failed\r$/m);
      assert.match(message, /^Status: 5\.1\.1\r$/m);
    },
  );

  await t.test(
    "Exim, readsocket | private DSN | what the original sender gets says nothing of the address behind the alias",
    async () => {
      const { message } = await arrived(BOB);
      assert.match(message, /^Reporting-MTA: dns; mx\.forwarder\.example\r$/m);
      assert.deepEqual(leaksIn(message, [GONE, "home.example"], []), []);
    },
  );

  await t.test("so it is with the bounce that the new home writes later", async () => {
    assert.match(await send({ from: "ann@origin.example", to: "two@forwarder.example" }), /^250 /);
    const { reversePath } = await arrived("two@home.example");
    const message = remoteBounce({ target: "two@home.example" });
    assert.match(await send({ from: "", to: reversePath, message, helo: "mx.home.example" }), /^250 /);
    const report = await arrived("ann@origin.example");
    assert.match(report.message, /^Action: failed\r$/m);
    assert.deepEqual(leaksIn(report.message, ["home.example"], []), []);
  });

  await t.test("Exim, readsocket | forged refused | a forged SRS recipient is refused at RCPT", async () => {
    assert.match(await send({ from: "", to: FORGED }), /^550[- ]5\.7\.1 .*takes only bounces/);
    const mistyped = (await arrived(PRIVATE)).reversePath.replace("=bob@", "=rob@");
    assert.match(await send({ from: "", to: mistyped }), /^550[- ]5\.7\.1 /);
    for (const to of ["stranger@bounces.forwarder.example", "carol@bounces.forwarder.example"])
      assert.equal(await send({ from: "", to }), "550 5.1.1 no such address here");
  });

  await t.test("so is a forged sender at the SRS domain, and every other spelling of the two", async () => {
    assert.match(await send({ from: FORGED, to: ALICE }), /^550[- ]5\.7\.1 the sender is at a domain/);
    const nobody = await send({ from: "ceo@bounces.forwarder.example", to: ALICE });
    assert.equal(nobody, "550 5.7.1 nobody sends mail from this domain");
    const percent = FORGED.replace("@", "%");
    for (const to of [
      ...[`${FORGED}.`, percent, `${percent}@forwarder.example`, `S\\${FORGED.slice(1)}`],
      ...["bounces.forwarder.example!x@forwarder.example", "|x@forwarder.example", "/x@forwarder.example"],
    ])
      assert.match(await send({ from: "", to }), /^5/, to);
    for (const from of [`${FORGED}.`, percent, "origin.example!bob", `S\\${FORGED.slice(1)}`])
      assert.match(await send({ from, to: ALICE }), /^5/, from);
  });

  await t.test("an alias with a blank in its name leads elsewhere, too", async () => {
    assert.match(await send({ from: BOB, to: '"a b"@forwarder.example' }), /^250 /);
    assert.match((await arrived("spaced@home.example")).reversePath, SRS);
  });

  await t.test("a sender who does not fit into an address is kept, and gets his bounces", async () => {
    assert.match(await send({ from: LONG, to: "gone@forwarder.example" }), /^250 /);
    const { message } = await arrived(LONG);
    assert.deepEqual(leaksIn(message, [GONE, "home.example"], []), []);
  });

  await t.test(
    "Exim, readsocket | SPF | a fail is refused, and a pass has one field on top for all recipients",
    async () => {
      assert.match(await send({ from: "bob@fail.example", to: ALICE }), /^550 5\.7\.23 SPF: fail\.example /);
      assert.match(await send({ from: "bob@broken.example", to: ALICE }), /^451 4\.\d+\.\d+ /);
      assert.match(
        await send({ from: BOB, to: ["both@forwarder.example", "two@forwarder.example"] }),
        /^250 /,
      );
      const { message } = await waitFor(
        () =>
          site.hop.taken.find(
            ({ recipient, message }) => recipient === "two@home.example" && message.includes(`From: ${BOB}`),
          ),
        { seconds: 20, otherwise: () => site.exim.tail() },
      );
      const fields = fieldsOf(message);
      assert.deepEqual(
        fields.slice(0, 2).map(([name]) => name),
        ["received-spf", "received"],
      );
      assert.equal(fields.filter(([name]) => name === "received-spf").length, 1);
      assert.match(
        fields[0]?.[1] ?? "",
        /^pass \(.*envelope-from="bob@origin\.example"; helo=mx\.origin\.example; /,
      );
    },
  );

  await t.test("a softfail is taken, and says so; a null sender is checked by its HELO name", async () => {
    const soft = { from: "bob@soft.example", to: "carol@forwarder.example" };
    assert.match(await send(soft), /^250 /);
    assert.match(await send({ from: "", to: ALICE, helo: "fail.example" }), /^550 5\.7\.23 /);
  });

  await t.test(
    "Exim, readsocket | local mail untouched | mail for a user keeps its sender, beside a copy that leaves",
    async () => {
      assert.match(await send({ from: BOB, to: "carol@forwarder.example" }), /^250 /);
      await waitFor(async () => (await site.mailbox("carol")).includes("<bob@origin.example>") || undefined, {
        seconds: 20,
        otherwise: () => site.mailbox("carol"),
      });
      const mailbox = await site.mailbox("carol");
      assert.match(mailbox, /^Return-path: <bob@origin\.example>$/m);
      assert.doesNotMatch(mailbox, /SRS/);
    },
  );

  await t.test("a good SRS address takes bounces only, whatever its case", async () => {
    const { reversePath } = await arrived(PRIVATE);
    assert.match(await send({ from: "eve@origin.example", to: reversePath }), /^550 5\.7\.1 .*bounces only/);
    const reply = await send({ from: "", to: reversePath.replace("SRS0", "srs0"), helo: "fail.example" });
    assert.match(reply, /^250 /, "a bounce is not refused for the SPF of its HELO name");
  });

  await t.test(
    "the null sender and our own senders stay as they are; what users send is not asked about",
    async () => {
      assert.match(await send({ from: "", to: "two@forwarder.example", client: "127.0.0.1" }), /^250 /);
      const own = { from: "carol@forwarder.example", to: ALICE, client: "127.0.0.1" };
      assert.match(await send(own), /^250 /);
      assert.match(await send({ from: BOB, to: "x@far.example", client: "127.0.0.1" }), /^250 /);
      assert.equal((await arrived("x@far.example")).reversePath, BOB);
      const senders = () => site.hop.taken.map(({ reversePath, recipient }) => `${recipient} ${reversePath}`);
      for (const taken of ["two@home.example ", `${PRIVATE} carol@forwarder.example`])
        await waitFor(() => senders().includes(taken) || undefined, {
          seconds: 20,
          otherwise: () => `no "${taken}" among ${senders().join(", ")}`,
        });
    },
  );
});

test("while Homing is down, nothing leaves as it is, and nothing comes back; then all goes on", {
  skip,
}, async (t) => {
  await using site = await startEximSite(t, options);
  const { send, hop, exim, arrived } = site;

  // From a client of the site, whom nobody checks: it is in the queue.
  assert.match(await send({ from: BOB, to: ALICE, client: "127.0.0.1" }), /^250 /);
  await exim.waitForLog(/alice@forwarder\.example.* the sender cannot be rewritten now/);
  const bounce = { from: "", to: FORGED, client: "127.0.0.1" };
  assert.match(await send(bounce), /^250 /);
  await exim.waitForLog(/SRS0=abcdefgh=.* Connection refused/);
  // Others come again: by SPF, and at an SRS address.
  assert.match(await send({ from: BOB, to: ALICE }), /^451 4\.3\.0 the sender cannot be checked now/);
  assert.match(await send({ from: "", to: FORGED }), /^451 4\.3\.0 this address cannot be looked at now/);
  // Tried again, and again in vain.
  const attempts = async () => (await exim.log()).split("the sender cannot be rewritten now").length - 1;
  await waitFor(async () => (await attempts()) > 1 || undefined, {
    seconds: 20,
    otherwise: () => exim.tail(),
  });
  assert.deepEqual(hop.taken, []);
  assert.doesNotMatch(await exim.log(), /frozen|<= <> R=/);

  await site.startHoming();
  assert.match((await arrived(PRIVATE)).reversePath, SRS);
  assert.equal(hop.taken.length, 1);
});

test("without homing serve, a bounce goes on to the original sender as it came, and says where it came from", {
  skip,
}, async (t) => {
  await using site = await startEximSite(t, {
    ...options,
    instead: { "homing/routers": await recipe("without-serve/routers") },
  });
  const { send, arrived } = site;
  const homing = await site.startHoming("readsocket");
  assert.match(await send({ from: BOB, to: ALICE }), /^250 /);
  const { reversePath } = await arrived(PRIVATE);
  const message = "Subject: not delivered\r\n\r\nprivate@home.example is gone\r\n";
  assert.match(await send({ from: "", to: reversePath, message }), /^250 /);
  assert.match((await arrived(BOB)).message, /private@home\.example is gone/);
  assert.equal((await arrived(BOB)).reversePath, "");
  assert.match(await send({ from: "", to: FORGED }), /^550[- ]5\.7\.1 /);

  // In the queue, when Homing is gone before it is looked up.
  await homing.stop();
  assert.match(await send({ from: "", to: reversePath, client: "127.0.0.1" }), /^250 /);
  await site.exim.waitForLog("the bounce cannot be returned now");
  await site.startHoming("readsocket");
  await waitFor(() => site.hop.taken.filter(({ recipient }) => recipient === BOB).length === 2 || undefined, {
    seconds: 20,
    otherwise: () => site.exim.tail(),
  });
});

test("where nothing keeps a sender who does not fit into an address, his mail is refused, and names no private address", {
  skip,
}, async (t) => {
  await using site = await startEximSite(t, {
    ...options,
    instead: { "homing/routers": await recipe("without-serve/routers") },
  });
  const { send, arrived, hop } = site;
  await site.startHoming("readsocket");
  assert.match(await send({ from: LONG, to: ALICE }), /^550 the sender address is none/);
  assert.match(await send({ from: LONG, to: "carol@forwarder.example" }), /^250 /, "who stays here gets it");
  // Exim does not look behind an alias of several addresses before it has the mail.
  assert.match(await send({ from: LONG, to: "two@forwarder.example" }), /^250 /);
  const { message } = await arrived(LONG);
  assert.match(message, /two@forwarder\.example/);
  assert.deepEqual(leaksIn(message, ["home.example"], []), []);
  assert.equal(hop.taken.length, 1);
});

test("the ACL of 2004 that asks spfd works as it stands", { skip }, async (t) => {
  const acl = await recipe("spfd-acl", [["/run/homing/", "/var/homing/"]]);
  await using site: EximSite = await startEximSite(t, { ...options, instead: { "homing/spf-acl": acl } });
  const { send, arrived } = site;
  assert.match(await send({ from: BOB, to: ALICE }), /^451 Cannot connect to spfd/);
  await site.startHoming();
  const refused = await send({ from: "bob@fail.example", to: ALICE });
  assert.equal(refused, "550 mx.forwarder.example: 127.0.0.9 must not send for fail.example");
  assert.match(await send({ from: "", to: ALICE, helo: "fail.example" }), /^550 /);
  assert.match(await send({ from: BOB, to: ALICE }), /^250 /);
  const fields = fieldsOf((await arrived(PRIVATE)).message);
  const field = "pass (mx.forwarder.example: 127.0.0.9 may send for origin.example)";
  assert.deepEqual(
    fields.filter(([name]) => name === "received-spf").map(([, value]) => value),
    [field],
  );
});
