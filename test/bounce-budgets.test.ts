// What is beyond the five bounces of an SRS address: taken, told once, in the name of its own alias, and nothing that grows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNCE_SETTINGS, createBouncePolicy, type ReturnWay } from "@homing/forwarder";
import { bringAll, type Scene, startScene } from "./harness/bounce-crowd.ts";
import { BOB, remoteBounce, srsAddress } from "./harness/bounce-peers.ts";

const HOUR = 3600;
const ALICE = "alice@forwarder.example";
const TARGET = "hidden@home.example";

function returning(hard: ReturnWay) {
  return createBouncePolicy({ all: { ...BOUNCE_SETTINGS, ways: { ...BOUNCE_SETTINGS.ways, hard } } });
}

async function taken({ forwarder }: Scene, to: string, messages: readonly string[]): Promise<void> {
  const replies = await bringAll(
    forwarder,
    messages.map((message) => ({ from: "", to, message })),
  );
  for (const reply of replies) assert.match(reply, /^250 /);
}

function numbered(count: number, target = TARGET): readonly string[] {
  return Array.from({ length: count }, (_, nth) =>
    remoteBounce({ target, messageId: `<${nth}@source.example>` }),
  );
}

test("with verbatim the sixth bounce is taken as the others, and the sender's notice names it", async (t) => {
  const bouncePolicy = returning("verbatim");
  await using scene = await startScene(t, { aliases: `alice: ${TARGET}`, bouncePolicy });
  await taken(scene, srsAddress(scene.forwarder.rewriter, ALICE), numbered(8));
  assert.equal(scene.hop.taken.length, 5);
  assert.deepEqual(
    scene.told("bounce").map(({ outcome }) => outcome),
    [...Array(5).fill("told"), ...Array(3).fill("folded")],
  );
  await scene.pass(HOUR + 120);
  const [notice, ...others] = (await scene.taken(6)).slice(5);
  assert.deepEqual([notice?.recipient, others], [BOB, []]);
  for (const nth of [5, 6, 7]) assert.match(String(notice?.message), new RegExp(`<${nth}@source\\.example>`));
  assert.match(String(notice?.message), /^Final-Recipient: rfc822; alice@forwarder\.example\r$/m);
  assert.doesNotMatch(String(notice?.message), /home\.example/);
});

for (const way of ["owner", "both", "reissue", "verbatim"] as const) {
  test(`with ${way} each failure is once in the log of failures, also of those that notices tell`, async (t) => {
    const aliases = `alice: ${TARGET}\npostmaster: keeper@office.example`;
    await using scene = await startScene(t, { aliases, bouncePolicy: returning(way) });
    await taken(scene, srsAddress(scene.forwarder.rewriter, ALICE), numbered(12));
    await scene.pass(2 * HOUR);
    const counts = (await scene.failures()).map(({ count }) => count);
    assert.deepEqual(counts.toSorted(), [1, 1, 1, 1, 1, 7]);
  });
}

test("of an SRS address without a selector each alias that a header mark proves has its own DSNs and its own notice", async (t) => {
  const names = ["a0", "a1"];
  const aliases = names.map((name) => `${name}: ${name}@home.example`).join("\n");
  await using scene = await startScene(t, { aliases });
  const { forwarder, hop } = scene;
  const srs = srsAddress(forwarder.rewriter, undefined);
  const letters = Array.from({ length: 7 }, (_, nth) =>
    names.map((name) => ({
      ...{ from: BOB, to: `${name}@forwarder.example` },
      message: `Message-ID: <${name}.${nth}@source.example>\r\nFrom: <${BOB}>\r\n\r\nHello!\r\n`,
    })),
  ).flat();
  for (const reply of await bringAll(forwarder, letters)) assert.match(reply, /^250 /);
  const bounces = (await scene.taken(letters.length)).map(({ recipient, message }) =>
    remoteBounce({ target: recipient, returned: message.slice(0, message.indexOf("\r\n\r\n")) }),
  );
  await taken(scene, srs, bounces);
  // An attempt that the clock overtakes would be made again.
  await scene.taken(letters.length + 10);
  await scene.pass(2 * HOUR);
  const told = hop.taken.slice(letters.length).map(({ message }) => message);
  assert.equal(told.length, 12);
  for (const name of names) {
    const own = told.filter((message) =>
      message.includes(`\r\nFinal-Recipient: rfc822; ${name}@forwarder.example\r\n`),
    );
    assert.equal(own.length, 6, `${name}: five, and a notice`);
    const named = own.flatMap((message) => message.match(/<a\d\.\d@source\.example>/g) ?? []);
    assert.deepEqual(
      [...new Set(named)].toSorted(),
      Array.from({ length: 7 }, (_, nth) => `<${name}.${nth}@source.example>`),
    );
  }
});

test("forged bounces beyond the budget leave no partial failures, and proven ones do", async (t) => {
  await using scene = await startScene(t, { aliases: "alice: eve@home.example, carol@office.example" });
  const { forwarder } = scene;
  const kept = async (): Promise<number> => {
    let count = 0;
    for await (const _ of forwarder.state?.failures.notes.all("partial-failure") ?? []) count++;
    return count;
  };
  const srs = srsAddress(forwarder.rewriter, ALICE);
  await taken(scene, srs, numbered(100, "eve@home.example"));
  assert.equal(await kept(), 5);
  const message = `Message-ID: <real@source.example>\r\nFrom: <${BOB}>\r\n\r\nHello!\r\n`;
  const before = scene.hop.taken.length;
  await bringAll(forwarder, [{ from: BOB, to: ALICE, message }]);
  const letter = (await scene.taken(before + 2))
    .slice(before)
    .find(({ recipient }) => recipient.startsWith("eve"));
  const returned = String(letter?.message).split("\r\n\r\n")[0] ?? "";
  await taken(scene, srs, [remoteBounce({ target: "eve@home.example", returned })]);
  assert.equal(await kept(), 6);
  await taken(scene, srs, [
    remoteBounce({ target: "carol@office.example", messageId: "<3@source.example>" }),
  ]);
  assert.equal(await kept(), 6, "what is there is written over");
});
