import assert from "node:assert/strict";
import { test } from "node:test";
import type { Mailbox } from "@homing/srs-core";
import type { Note } from "../spool/notes.ts";
import {
  type Added,
  createPartialFailures,
  messageKeyOf,
  type PartialFailure,
  returnedMessageKey,
} from "./partial-failures.ts";

const T0 = 1_800_000_000;
const at = (localPart: string): Mailbox => ({ localPart, domain: "home.test" });
const FAILURE: PartialFailure = {
  sender: { localPart: "bob", domain: "source.test" },
  alias: { localPart: "alice", domain: "ours.test" },
  message: "<1@source.test>",
  destinations: [at("a"), at("b")],
  failed: [],
};

/** Notes in memory, with a turn of the loop before each answer. */
function scene() {
  const kept = new Map<string, Note>();
  let away = false;
  const partial = createPartialFailures({
    async find(_, key) {
      await new Promise(setImmediate);
      return away ? "away" : kept.get(key);
    },
    async change({ write }) {
      for (const note of write) kept.set(note.key, note);
      return !away;
    },
  });
  return {
    kept,
    partial,
    goAway: () => {
      away = true;
    },
    /** @returns whether all have failed */
    fail: (more: Partial<PartialFailure>, isStored = true) =>
      partial.add({ ...FAILURE, ...more }, T0, async (added) => {
        if (added === "away") return added;
        if (added.note && isStored) kept.set(added.note.key, added.note);
        return added.allFailed;
      }),
  };
}

test("all have failed when each was reported, in any case and more than once", async () => {
  const { fail } = scene();
  assert.equal(await fail({ failed: ["a@home.test"] }), false);
  assert.equal(await fail({ failed: ["A@Home.Test"] }), false);
  assert.equal(await fail({ failed: ["B@home.test"] }), true);
  assert.equal(await fail({ failed: ["a@home.test"] }), true, "and stays so");
});

test("one report may name several", async () => {
  const { fail } = scene();
  assert.equal(await fail({ failed: ["a@home.test", "b@home.test"] }), true);
});

const others: [what: string, more: Partial<PartialFailure>][] = [
  ["another message", { message: "<2@source.test>" }],
  ["another sender", { sender: { localPart: "eve", domain: "source.test" } }],
  ["another alias", { alias: { localPart: "carol", domain: "ours.test" } }],
];
for (const [what, more] of others) {
  test(`${what} has failures of its own`, async () => {
    const { fail } = scene();
    await fail({ failed: ["a@home.test"] });
    assert.equal(await fail({ ...more, failed: ["b@home.test"] }), false);
  });
}

const unknown: [what: string, more: Partial<PartialFailure>][] = [
  ["an address that is no destination", { failed: ["stranger@elsewhere.test"] }],
  ["nobody at all", { failed: [] }],
  ["a message that nobody can name", { message: "", failed: ["a@home.test", "b@home.test"] }],
];
for (const [what, more] of unknown) {
  test(`a report about ${what} says nothing, and nothing is kept`, async () => {
    const { fail, kept } = scene();
    assert.equal(await fail(more), false);
    assert.equal(kept.size, 0);
  });
}

test("a refusal while the client waited counts with the bounce of another destination, by the Message-ID of both", async () => {
  const { partial, fail } = scene();
  const start = Buffer.from("Subject: x\r\nMessage-ID:  <1@Source.test>\r\n\r\n");
  const { sender, alias } = FAILURE;
  await partial.keep({ sender, alias, start, id: "m1", target: at("B") }, T0);
  const message = returnedMessageKey([{ name: "Message-ID", value: "<1@source.TEST>" }]);
  assert.equal(await fail({ message, failed: ["a@home.test"] }), true);
});

test("a message without a Message-ID has our id, and nothing returned names it", () => {
  assert.equal(messageKeyOf(Buffer.from("Subject: x\r\n\r\n"), "m1"), "m1");
  assert.equal(returnedMessageKey([]), "");
  assert.equal(returnedMessageKey(), "");
});

test("of each message it is known whether anything was kept of it before", async () => {
  const { partial, kept } = scene();
  const added: (Added | "away")[] = [];
  for (const failed of [["stranger@elsewhere.test"], ["a@home.test"], ["b@home.test"]])
    await partial.add({ ...FAILURE, failed }, T0, async (one) => {
      added.push(one);
      if (one !== "away" && one.note) kept.set(one.note.key, one.note);
    });
  assert.deepEqual(
    added.map((one) => one !== "away" && one.isNew),
    [false, true, false],
  );
});

test("a destination that was taken from the alias since need not fail, and a new one must", async () => {
  const { fail } = scene();
  assert.equal(await fail({ failed: ["a@home.test"] }), false);
  assert.equal(await fail({ failed: ["a@home.test"], destinations: [at("a"), at("c")] }), false);
  assert.equal(await fail({ failed: ["a@home.test"], destinations: [at("a")] }), true);
});

test("failures of one message have their turns: of those that come at the same time the last one sees all", async () => {
  const { fail } = scene();
  const both = await Promise.all([fail({ failed: ["a@home.test"] }), fail({ failed: ["b@home.test"] })]);
  assert.deepEqual(both, [false, true]);
});

test("what is not stored is not known", async () => {
  const { fail } = scene();
  assert.equal(await fail({ failed: ["a@home.test"] }, false), false);
  assert.equal(await fail({ failed: ["b@home.test"] }), false);
});

test("while the storage is away nothing is decided", async () => {
  const { fail, goAway } = scene();
  goAway();
  assert.equal(await fail({ failed: ["a@home.test"] }), "away");
});

test("what is kept has neither addresses nor the Message-ID in it, and an end", async () => {
  const { fail, kept } = scene();
  await fail({ failed: ["a@home.test"], message: `<${"x".repeat(5000)}@source.test>` });
  const [note] = kept.values();
  assert.doesNotMatch(JSON.stringify(note), /home|source|ours|xxx/);
  assert.ok((note?.key.length ?? 99) < 30);
  assert.equal(note?.expires, T0 + 14 * 86_400);
});

test("whoever throws keeps nobody from his turn", async () => {
  const partial = createPartialFailures({ find: async () => undefined, change: async () => true });
  const failure = { ...FAILURE, failed: ["a@home.test"] };
  await assert.rejects(
    partial.add(failure, T0, () => Promise.reject(new Error("a bug"))),
    /a bug/,
  );
  const next = await partial.add(failure, T0, async (added) => added);
  assert.equal((next as Added).allFailed, false);
});
