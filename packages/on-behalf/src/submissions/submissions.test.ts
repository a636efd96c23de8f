import assert from "node:assert/strict";
import { test } from "node:test";
import { type Mailbox, parseMailbox } from "@homing/srs-core";
import { type MessageScene, messageScene } from "../testing/message-scene.ts";

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok);
  return parsed.mailbox;
}

/** As the submission does it: sender, recipients, message. */
async function submitted(scene: MessageScene, from: string, author: string) {
  const { submissions } = scene.service;
  const named = await submissions.sender(scene.site, mailbox(from));
  assert.ok(named.ok, JSON.stringify(named));
  const admitted = await submissions.message(scene.site, named.sender, {
    queueId: "q1",
    recipients: [mailbox("bob@example.net")],
    author: mailbox(author),
    subject: "Hi",
  });
  assert.ok(admitted.ok, JSON.stringify(admitted));
  return admitted;
}

async function modeOf(from: string, author: string): Promise<string> {
  const scene = messageScene();
  await scene.confirm("alice@example.org");
  const { changes, settle } = await submitted(scene, from, author);
  assert.equal(await scene.store.change(changes), "done");
  settle("done");
  const found = await scene.service.messages.find(scene.site, "msg_q1");
  assert.ok(found.ok);
  return found.message.from.mode;
}

test("the mode is that of the user where he stands in From, and else the site's, whichever address of it", async () => {
  assert.equal(await modeOf("alice@example.org", "Alice@Example.org"), "user");
  assert.equal(await modeOf("alice@example.org", "cards@site.example"), "site");
  assert.equal(await modeOf("cards@site.example", "cards@site.example"), "site");
  assert.equal(await modeOf("bounces@site.example", "billing@site.example"), "site");
});

test("an event of a message whose transaction takes minutes holds back those behind it, until it is settled", async () => {
  const scene = messageScene();
  const { changes, settle } = await submitted(scene, "cards@site.example", "cards@site.example");
  const later = await scene.sent({ profile: "transactional", to: ["carol@example.net"] });
  scene.now += 300;
  assert.deepEqual(await scene.events(), []);
  assert.equal(await scene.store.change({ ...changes, now: scene.now }), "done");
  settle("done");
  assert.deepEqual(
    (await scene.events()).map(({ data }) => data.message),
    ["msg_q1", later.id],
  );
});

test("over SMTP the user stands in From where the operator's from mode lets him, and the site always", async () => {
  for (const [fromMode, author, isTaken] of [
    ["auto", "alice@example.org", true],
    ["user", "alice@example.org", true],
    ["site", "alice@example.org", false],
    ["auto", "cards@site.example", true],
    ["user", "cards@site.example", true],
    ["site", "cards@site.example", true],
  ] as const) {
    const scene = messageScene({ site: { fromMode } });
    await scene.confirm("alice@example.org");
    const outcome = await scene.service.submissions.message(
      scene.site,
      { profile: "on-behalf", user: mailbox("alice@example.org") },
      { queueId: "q1", recipients: [mailbox("bob@example.net")], author: mailbox(author), subject: "Hi" },
    );
    assert.equal(
      outcome.ok || outcome.problem.type,
      isTaken || "from-not-permitted",
      `${fromMode} ${author}`,
    );
  }
});
