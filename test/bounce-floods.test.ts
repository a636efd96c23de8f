// Many bounces at a time: everybody is told of his own, whoever else floods, and of each message once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bringAll, type Scene, startScene } from "./harness/bounce-crowd.ts";
import { assertSilent, BOB, remoteBounce, secretAddress, srsAddress } from "./harness/bounce-peers.ts";
import type { Taken } from "./harness/scripted-hop.ts";

const EVE = "eve@elsewhere.example";
const HOUR = 3600;

function letter(messageId: string): string {
  return `Message-ID: ${messageId}\r\nFrom: <${BOB}>\r\nSubject: x\r\n\r\nHello!\r\n`;
}

/** Brings them from several servers at a time. */
async function bounceAll(
  { forwarder }: Scene,
  bounces: readonly { readonly to: string; readonly message: string }[],
  servers = 4,
): Promise<void> {
  const shares = Array.from({ length: servers }, (_, server) =>
    bounces.filter((_, at) => at % servers === server).map((one) => ({ from: "", ...one })),
  );
  const replies = (await Promise.all(shares.map((share) => bringAll(forwarder, share)))).flat();
  for (const reply of replies) assert.match(reply, /^250 2\.0\.0 /, "no real bounce is refused");
}

function aliasIn({ message }: Taken): string | undefined {
  return /^Final-Recipient: rfc822; (.*)$/m.exec(message)?.[1]?.trim();
}

for (const flood of [0, 3000]) {
  const meanwhile = flood === 0 ? "" : ", while somebody floods another's SRS address";
  test(`1,000 mails of one sender to 1,000 aliases bounce${meanwhile}: 1,000 DSNs, each names its own alias`, async (t) => {
    const target = secretAddress();
    const host = target.slice(target.indexOf("@") + 1);
    const names = Array.from({ length: 1000 }, (_, at) => `a${at}`);
    const aliases = [...names.map((name) => `${name}: ${name}@${host}`), `flooded: ${target}`].join("\n");
    await using scene = await startScene(t, { aliases });
    const { forwarder, hop } = scene;
    const mails = names.map((name) => ({
      from: BOB,
      to: `${name}@forwarder.example`,
      message: letter(`<${name}@source.example>`),
    }));
    for (const reply of await bringAll(forwarder, mails)) assert.match(reply, /^250 /);
    const forwarded = [...(await scene.taken(1000))];

    const flooded = srsAddress(forwarder.rewriter, "flooded@forwarder.example", EVE);
    const bounces = forwarded.map(({ reversePath, recipient }) => ({
      to: reversePath,
      message: remoteBounce({ target: recipient, messageId: `<${recipient.split("@")[0]}@source.example>` }),
    }));
    const floods = Array.from({ length: flood }, (_, at) => ({
      to: flooded,
      message: remoteBounce({ target, messageId: `<f${at}@elsewhere.example>` }),
    }));
    await Promise.all([bounceAll(scene, floods), bounceAll(scene, bounces)]);

    const alarms = scene.told("many-bounces").map(({ scope, domain }) => [scope, domain].join(" ").trim());
    assert.deepEqual(
      alarms.toSorted(),
      flood === 0
        ? ["domain source.example"]
        : ["domain elsewhere.example", "domain source.example", "total"],
    );

    const toldOfFlood = flood === 0 ? 0 : 5;
    await scene.taken(2000 + toldOfFlood);
    await scene.pass(3 * HOUR);
    const [home, toEve] = [BOB, EVE].map((who) =>
      hop.taken.slice(1000).filter((one) => one.recipient === who),
    );
    assert.deepEqual(
      home?.map(aliasIn).toSorted(),
      names.map((name) => `${name}@forwarder.example`).toSorted(),
    );
    for (const dsn of home ?? []) {
      const [name] = aliasIn(dsn)?.split("@") ?? [];
      assert.ok(dsn.message.includes(`Message-ID: <${name}@source.example>`), "each of its own message");
      assert.ok(!dsn.message.includes(host));
    }
    assert.equal(toEve?.length, toldOfFlood === 0 ? 0 : toldOfFlood + 1, "five, and one notice");
    assert.deepEqual(
      scene.told("notice").map(({ to, count }) => [to, count]),
      toldOfFlood === 0 ? [] : [[EVE, flood - 5]],
    );
    if (flood === 0) return;
    await bounceAll(scene, floods.slice(0, 50));
    await scene.pass(3 * HOUR);
    assert.deepEqual(
      scene.told("notice").map(({ count }) => count),
      [flood - 5, 50],
      "one in an hour",
    );
    assert.equal(hop.taken.length, 2000 + toldOfFlood + 2);
  });
}

test("500 mails to one dead alias bounce over three hours: 5 DSNs and hourly notices tell of each Message-ID once", async (t) => {
  const target = secretAddress();
  await using scene = await startScene(t, { aliases: `alice: ${target}` });
  const { forwarder, hop } = scene;
  const ids = Array.from({ length: 500 }, (_, at) => `<m${at}@source.example>`);
  const mails = ids.map((id) => ({ from: BOB, to: "alice@forwarder.example", message: letter(id) }));
  for (const reply of await bringAll(forwarder, mails)) assert.match(reply, /^250 /);
  const bounces = (await scene.taken(500)).map(({ reversePath: to, message }) => ({
    to,
    message: remoteBounce({ target, returned: message.slice(0, message.indexOf("\r\n\r\n")) }),
  }));
  assert.equal(new Set(bounces.map(({ to }) => to)).size, 1, "one SRS address");

  for (const [from, to] of [
    [0, 200],
    [200, 400],
    [400, 500],
  ]) {
    await bounceAll(scene, bounces.slice(from, to));
    await scene.pass(HOUR + 120);
  }
  assert.deepEqual(scene.told("many-bounces"), [], "200 a minute are no alarm");
  const told = hop.taken.slice(500);
  assert.equal(told.length, 8);
  assert.deepEqual(
    scene.told("notice").map(({ count }) => count),
    [195, 200, 100],
  );
  for (const { recipient, reversePath, message } of told) {
    assert.deepEqual([reversePath, recipient], ["", BOB]);
    assertSilent(message, target);
  }
  const mentions = (id: string) => told.filter(({ message }) => message.includes(id)).length;
  assert.deepEqual(new Set(ids.map(mentions)), new Set([1]));
});
