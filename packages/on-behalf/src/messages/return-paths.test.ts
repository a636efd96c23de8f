// SRS on itself: what stands in the envelope, and what comes out of it again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import fc from "fast-check";
import { DAY, type MessageScene, messageScene } from "../testing/message-scene.ts";
import { returnPaths } from "./return-paths.ts";

function pathOf(scene: MessageScene, place = -1): Mailbox {
  const mail = scene.store.mails.at(place) ?? assert.fail();
  assert.equal(typeof mail.reversePath, "object");
  return mail.reversePath as Mailbox;
}

test("the return path verifies, gives the user back, and says which recipient it was made for", async () => {
  const scene = messageScene();
  await scene.confirm("Alice@Example.org");
  const { id } = await scene.sent({
    onBehalfOf: "alice@example.org",
    to: ["bob@example.net", "carol@example.net"],
  });
  for (const [place, recipient] of [[-2, "bob@example.net"] as const, [-1, "carol@example.net"] as const]) {
    const srs = pathOf(scene, place);
    const back = scene.rewriter.reverse(srs, scene.now + 20 * DAY);
    assert.ok(back.ok);
    assert.equal(renderMailbox(back.address), "Alice@example.org");
    for (const text of [renderMailbox(srs), renderMailbox(srs).toUpperCase()]) {
      const parsed = parseMailbox(text);
      assert.ok(parsed.ok);
      const sent = await scene.service.returns.sentFor(parsed.mailbox, scene.now + 20 * DAY);
      assert.ok(sent && sent !== "away");
      assert.equal(sent.recipient && renderMailbox(sent.recipient), recipient);
      assert.deepEqual([sent.site, sent.copies.map(({ messageId }) => messageId)], ["cards", [id]]);
    }
  }
});

test("whatever the user's address is, it comes back as it was, or is refused with its length", () => {
  const scene = messageScene();
  const users = fc
    .tuple(
      fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
      fc.constantFrom("example.org", "a.b.example"),
    )
    .map(([localPart, domain]) => ({ localPart, domain }))
    .filter((mailbox) => parseMailbox(renderMailbox(mailbox)).ok);
  fc.assert(
    fc.property(users, (user) => {
      const paths = returnPaths({
        ...{ site: scene.site, rewriter: scene.rewriter, now: scene.now, user },
        profile: "on-behalf",
        recipients: [{ localPart: "bob", domain: "example.net" }],
      });
      if (!paths.ok) return assert.equal(paths.problem.type, "sender-too-long");
      const back = scene.rewriter.reverse(paths.list[0]?.reversePath ?? assert.fail(), scene.now);
      assert.ok(back.ok);
      assert.equal(renderMailbox(back.address), renderMailbox(user));
    }),
    { numRuns: 300 },
  );
});

test("a user whose address does not fit into a return path is told before he confirms, and gets no mail", async () => {
  const scene = messageScene();
  const address = `${"l".repeat(50)}@example.org`;
  const outcome = await scene.service.identities.request(scene.site, { address, scope: "user" });
  assert.ok(!outcome.ok);
  const { type, field, detail, hint } = outcome.problem;
  assert.deepEqual([type, field, hint], ["sender-too-long", "address", "the user needs a shorter address"]);
  assert.match(detail, /octets, the limit is 64/);
  assert.equal(scene.store.mails.length, 0);
});

async function recipientOf(scene: MessageScene): Promise<string> {
  const sent = await scene.service.returns.sentFor(pathOf(scene), scene.now);
  assert.ok(sent && sent !== "away");
  return sent.recipient ? renderMailbox(sent.recipient) : "nobody";
}

// With the recipient's mark in the tag it would be too long; without it, all recipients of a day share one return path.
const LONG = "firstname.lastname.of.department@example.org";

test("a return path that several recipients share names none of them: better nobody than the wrong one", async () => {
  const scene = messageScene();
  await scene.confirm(LONG);
  await scene.sent({ onBehalfOf: LONG, to: ["bob@example.net", "carol@example.net"] });
  assert.deepEqual(pathOf(scene, -1), pathOf(scene, -2));
  assert.equal(await recipientOf(scene), "nobody");
});

test("the same, where the second recipient comes with a later message, or with one at the same time", async () => {
  for (const together of [false, true]) {
    const scene = messageScene();
    await scene.confirm(LONG);
    const send = (to: string) => scene.sent({ onBehalfOf: LONG, to: [to] });
    if (together) {
      await Promise.all([send("bob@example.net"), send("carol@example.net")]);
    } else {
      await send("bob@example.net");
      assert.equal(await recipientOf(scene), "bob@example.net");
      await send("bob@example.net");
      assert.equal(await recipientOf(scene), "bob@example.net", "still bob alone");
      await send("carol@example.net");
    }
    assert.equal(await recipientOf(scene), "nobody");
    await send("bob@example.net");
    assert.equal(await recipientOf(scene), "nobody");
    assert.equal(scene.store.mails.length, together ? 4 : 5);
  }
});

test("what a return path was made for is known for as long as it is good", async () => {
  const scene = messageScene();
  await scene.confirm("alice@example.org");
  await scene.sent({ reference: "card 7" });
  const srs = pathOf(scene);
  const last = scene.now + 22 * DAY;
  assert.ok(!scene.rewriter.reverse(srs, last + DAY).ok);
  const sent = await scene.service.returns.sentFor(srs, last);
  assert.ok(sent && sent !== "away");
  assert.equal(sent.copies[0]?.reference, "card 7");
  assert.equal(await scene.service.returns.sentFor(srs, scene.now + 24 * DAY), undefined);
  scene.store.state = "away";
  assert.equal(await scene.service.returns.sentFor(srs, last), "away");
});
