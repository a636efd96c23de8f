// The bounce's way home: a DSN of our own about the alias, with nothing of the address behind it, on the disk before the bounce
// is answered; what is too much is folded.
import assert from "node:assert/strict";
import { test } from "node:test";
import { failuresAfter, type KeptFailure } from "@homing/forwarder";
import { createFakeClock } from "../packages/forwarder/src/testing/fake-clock.ts";
import { startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import {
  assertSilent,
  BOB,
  bounceForwarder,
  bring,
  mailAt,
  remoteBounce,
  srsAddress,
  secretAddress as unique,
} from "./harness/bounce-peers.ts";
import type { InProcessForwarder } from "./harness/in-process.ts";
import { waitFor } from "./harness/wait.ts";

const ALICE = "alice@forwarder.example";

async function failuresOf({ state }: InProcessForwarder): Promise<readonly KeptFailure[]> {
  assert.ok(state);
  const failures: KeptFailure[] = [];
  for await (const failure of failuresAfter(state.failures.notes)) failures.push(failure);
  return failures;
}

test("a bounce comes home as a DSN about the alias, and nothing of the address behind it with it", async (t) => {
  const target = unique();
  await using home = await startHop();
  await using forwarder = await bounceForwarder(t, home, { aliases: `alice: ${target}` });
  const srs = srsAddress(forwarder.rewriter, ALICE);

  assert.match(await bring(forwarder, srs, remoteBounce({ target })), /^250 2\.0\.0 /);
  const [dsn = ""] = await mailAt(home, 1);

  assert.match(dsn, /^Content-Type: multipart\/report; report-type=delivery-status/m);
  assert.match(dsn, /^Reporting-MTA: dns; mx\.forwarder\.example\r$/m);
  assert.match(dsn, /^Final-Recipient: rfc822; alice@forwarder\.example\r$/m);
  assert.match(dsn, /^Action: failed\r$/m);
  assert.match(dsn, /^Status: 5\.1\.1\r$/m);
  assert.match(dsn, /^Diagnostic-Code: smtp; 550 5\.1\.1\r?$/m);
  assert.match(dsn, /^Message-ID: <1@source\.example>\r$/m);
  assert.doesNotMatch(dsn, /Lunch/, "whoever has the address could have written it");
  assert.ok(home.commands.some((line) => /^MAIL FROM:<>/.test(line)));
  assert.ok(home.commands.some((line) => line.startsWith("RCPT TO:<bob@source.example>")));
  assertSilent(dsn, target);
  assert.deepEqual(
    forwarder.events.find((event) => event.event === "bounce"),
    {
      ...{ event: "bounce", id: "id2", to: "bob@source.example", alias: ALICE, dsn: "id3" },
      ...{ action: "failed", enhanced: "5.1.1", class: "hard", way: "reissue", outcome: "told" },
    },
  );
  const [failure] = await failuresOf(forwarder);
  assert.equal(failure?.alias, ALICE);
  assert.equal(failure?.destination, target);
  assert.equal(failure?.trustworthy, false, "anybody could have written it");
});

test("a header that comes back with our trace is the sender's own, and so is the alias in it", async (t) => {
  const target = unique();
  await using home = await startHop();
  await using forwarder = await bounceForwarder(t, home, { virtual: `@forwarder.example ${target}` });
  const message = [
    "Message-ID: <1@source.example>",
    "Date: Fri, 20 Nov 2026 20:31:40 +0000",
    "Subject: Lunch",
    "From: Bob <bob@source.example>",
    `To: anything@forwarder.example, ${target}`,
    "",
    "Hello!",
    "",
  ].join("\r\n");
  assert.match(await bring(forwarder, "anything@forwarder.example", message, BOB), /^250 /);
  const [forwarded = ""] = await mailAt(home, 1);
  const [, srs = ""] = /MAIL FROM:<([^>]+)>/.exec(home.commands.join("\n")) ?? [];
  const returned = forwarded.slice(0, forwarded.indexOf("\r\n\r\n"));

  assert.match(await bring(forwarder, srs, remoteBounce({ target, returned })), /^250 /);
  const [, dsn = ""] = await mailAt(home, 2);
  assert.match(
    dsn,
    /^Final-Recipient: rfc822; anything@forwarder\.example\r$/m,
    "a catch-all has no selector",
  );
  for (const field of [
    "Date: Fri, 20 Nov 2026 20:31:40 \\+0000",
    "Subject: Lunch",
    "From: Bob <bob@source.example>",
  ])
    assert.match(dsn, new RegExp(`^${field}\r$`, "m"));
  assert.ok(dsn.includes(target), "the sender wrote it himself");

  const forged = returned.replace("Subject: Lunch", "Subject: Your account is locked");
  assert.match(await bring(forwarder, srs, remoteBounce({ target, returned: forged })), /^250 /);
  const [, , second = ""] = await mailAt(home, 3);
  assert.doesNotMatch(second, /locked|Lunch|^From: Bob/m);
  assert.match(second, /^Final-Recipient: x-homing; withheld\r$/m);
  assertSilent(second, target);
});

test("five are told one by one, the further ones in a notice within the hour, each Message-ID in one of them", async (t) => {
  const target = unique();
  const clock = createFakeClock();
  await using home = await startHop();
  await using forwarder = await bounceForwarder(t, home, { aliases: `alice: ${target}`, clock });
  const srs = srsAddress(forwarder.rewriter, ALICE);
  const ids = Array.from({ length: 30 }, (_, at) => `<m${at}@source.example>`);
  for (const messageId of ids) {
    const reply = await bring(forwarder, srs, remoteBounce({ target, messageId }));
    assert.match(reply, /^250 2\.0\.0 /, "no real bounce is refused");
  }
  assert.equal((await mailAt(home, 5)).length, 5);
  clock.advance(3600_000);
  const all = await mailAt(home, 6);
  assert.equal(all.length, 6);
  const notice = all[5] ?? "";
  assert.match(notice, /^Subject: 25 further mails of yours could not be delivered\r$/m);
  assert.match(notice, /^Final-Recipient: rfc822; alice@forwarder\.example\r$/m);
  for (const [at, id] of ids.entries()) assert.ok((at < 5 ? (all[at] ?? "") : notice).includes(id), id);
  for (const mail of all) assertSilent(mail, target);
  const outcomes = forwarder.events.filter((event) => event.event === "bounce").map(({ outcome }) => outcome);
  assert.deepEqual(
    [outcomes.filter((one) => one === "told").length, outcomes.filter((one) => one === "folded").length],
    [5, 25],
  );
  const failures = await failuresOf(forwarder);
  assert.deepEqual(
    failures.map(({ count }) => count).toSorted((a, b) => a - b),
    [1, 1, 1, 1, 1, 25],
  );
});

test("another alias of the same sender has a budget of its own, and so has another day", async (t) => {
  const target = unique();
  await using home = await startHop();
  const aliases = `alice: ${target}\ncarol: ${target}`;
  await using forwarder = await bounceForwarder(t, home, { aliases });
  const addresses = [
    srsAddress(forwarder.rewriter, ALICE),
    srsAddress(forwarder.rewriter, "carol@forwarder.example"),
    srsAddress(forwarder.rewriter, ALICE, "bob@source.example", 1_800_000_000 - 86_400),
  ];
  for (const srs of addresses)
    for (let count = 0; count < 7; count++) await bring(forwarder, srs, remoteBounce({ target }));
  const told = await mailAt(home, 15);
  assert.equal(told.length, 15);
  const about = (alias: string) =>
    told.filter((dsn) => dsn.includes(`Final-Recipient: rfc822; ${alias}`)).length;
  assert.deepEqual([about(ALICE), about("carol@forwarder.example")], [10, 5]);
});

test("a bounce to an address that names no alias is told in the neutral form", async (t) => {
  const target = unique();
  await using home = await startHop();
  await using forwarder = await bounceForwarder(t, home, { aliases: `alice: ${target}` });
  for (const alias of [undefined, "deleted@forwarder.example"]) {
    assert.match(
      await bring(forwarder, srsAddress(forwarder.rewriter, alias), remoteBounce({ target })),
      /^250 /,
    );
  }
  for (const dsn of await mailAt(home, 2)) {
    assert.match(dsn, /^Final-Recipient: x-homing; withheld\r$/m);
    assertSilent(dsn, target);
  }
});

test("what is no bounce is refused after its final dot, and costs nothing", async (t) => {
  await using home = await startHop();
  await using forwarder = await bounceForwarder(t, home, { aliases: "alice: x@y.example" });
  const srs = srsAddress(forwarder.rewriter, ALICE);
  const spam = "From: x@spam.example\r\nSubject: cheap\r\n\r\nBuy!\r\n";
  for (let count = 0; count < 6; count++) assert.match(await bring(forwarder, srs, spam), /^550 5\.7\.1 /);
  const vacation = `Auto-Submitted: auto-replied\r\n${spam}`;
  assert.match(await bring(forwarder, srs, vacation), /^550 5\.7\.1 .*no automatic answers/);
  assert.match(await bring(forwarder, srs, remoteBounce({ target: "x@y.example" })), /^250 /);
  assert.equal((await mailAt(home, 1)).length, 1);
});

test("without room on the disk a bounce is put off, and spends nothing", async (t) => {
  await using home = await startHop();
  const minFreeOctets = Number.MAX_SAFE_INTEGER;
  await using forwarder = await bounceForwarder(t, home, { aliases: "alice: x@y.example", minFreeOctets });
  const srs = srsAddress(forwarder.rewriter, ALICE);
  assert.match(await bring(forwarder, srs, remoteBounce({ target: "x@y.example" })), /^452 4\.3\.1 /);
  assert.equal(home.messages.length, 0);
});

test("without a queue the DSN is delivered while the bounce waits, and its answer is the bounce's", async (t) => {
  const target = unique();
  await using home = await startHop();
  await using forwarder = await bounceForwarder(t, home, { aliases: `alice: ${target}`, queue: false });
  const srs = srsAddress(forwarder.rewriter, ALICE);
  for (let count = 0; count < 5; count++)
    assert.match(await bring(forwarder, srs, remoteBounce({ target })), /^250 2\.0\.0 /);
  assert.equal(home.messages.length, 5);
  assertSilent(String(home.messages[0]), target);
  assert.match(
    await bring(forwarder, srs, remoteBounce({ target })),
    /^451 4\.7\.1 /,
    "nobody would tell of it",
  );
});

test("of an alias with two destinations the sender hears only when both have failed", async (t) => {
  const targets = [unique(), unique()] as const;
  await using home = await startHop();
  await using forwarder = await bounceForwarder(t, home, { aliases: `alice: ${targets.join(", ")}` });
  const srs = srsAddress(forwarder.rewriter, ALICE);
  const says = async (target: string, messageId: string) =>
    assert.match(await bring(forwarder, srs, remoteBounce({ target, messageId })), /^250 /);
  await says(targets[0], "<a@source.example>");
  await says(targets[0], "<a@source.example>");
  await says(targets[1], "<b@source.example>");
  await says("stranger@elsewhere.example", "<a@source.example>");
  const ways = () => forwarder.events.filter((event) => event.event === "bounce").map(({ way }) => way);
  assert.deepEqual(ways(), ["owner", "owner", "owner", "owner"]);
  await says(targets[1], "<a@source.example>");
  assert.deepEqual(ways()[4], "both");
  const all = await mailAt(home, 6);
  const forBob = all.filter((mail) => mail.includes("\r\nTo: <bob@source.example>\r\n"));
  assert.equal(forBob.length, 1, "the others are the owner's, as they came");
  const [dsn = ""] = forBob;
  assert.match(dsn, /^Message-ID: <a@source\.example>\r$/m);
  for (const target of targets) assertSilent(dsn, target);
});

test("an SRS1 address is passed on while the client waits, as it came", async (t) => {
  await using first = await startHop();
  await using forwarder = await bounceForwarder(t, first, { aliases: "alice: x@y.example" });
  const inner = "SRS0=abcdefgh=G3=origin.example=bob@first.example";
  const bounce = remoteBounce({ target: "x@y.example" });
  assert.match(await bring(forwarder, srsAddress(forwarder.rewriter, ALICE, inner), bounce), /^250 /);
  assert.equal(first.messages.length, 1, "before the answer");
  assert.ok(String(first.messages[0]).includes(bounce));
});

for (const [what, owner] of [
  ["without an owner", ""],
  ["with an owner", "\nowner-alice: boss@owner.example"],
] as const) {
  test(`of an alias with two destinations, ${what}, each message is told of whose bounces are beyond the budget`, async (t) => {
    const targets = [unique(), unique()] as const;
    const clock = createFakeClock();
    await using home = await startHop();
    const aliases = `alice: ${targets.join(", ")}${owner}`;
    await using forwarder = await bounceForwarder(t, home, { aliases, clock });
    const srs = srsAddress(forwarder.rewriter, ALICE);
    const ids = Array.from({ length: 12 }, (_, at) => `<m${at}@source.example>`);
    for (const id of ids)
      assert.match(await bring(forwarder, ALICE, `Message-ID: ${id}\r\n\r\nHello!\r\n`, BOB), /^250 /);
    const headers = home.messages.map((mail) => String(mail).split("\r\n\r\n")[0] ?? "");
    // Beyond the budget only a header mark proves that there was such a message.
    for (const id of ids)
      for (const target of targets) {
        const returned = headers.find((header) => header.includes(id)) ?? "";
        assert.match(await bring(forwarder, srs, remoteBounce({ target, returned })), /^250 /);
      }
    clock.advance(3600_000);
    const told = (): string =>
      home.messages
        .map(String)
        .filter((mail) => mail.includes("To: <bob@"))
        .join("");
    await waitFor(() => ids.every((id) => told().includes(id)) || undefined, {
      seconds: 10,
      otherwise: () => `not told: ${ids.filter((id) => !told().includes(id))}`,
    });
  });
}
