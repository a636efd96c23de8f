import assert from "node:assert/strict";
import { test } from "node:test";
import type { Refused } from "../problem.ts";
import type { OnBehalfStore } from "../store.ts";
import { type IdentityScene, identityScene } from "../testing/identity-scene.ts";
import type { MemoryStore, StoreState } from "../testing/memory-store.ts";
import { manageUrl } from "./links.ts";
import { createNeverList } from "./never-list.ts";

const ADDRESS = "alice@example.org";

interface Break {
  /** Calls that go well before it. */
  left: number;
  /** `away`: this call and all after it fail. `stored-but-away`: of changes, the answer is lost. */
  readonly state: StoreState;
}

function never(state: StoreState): Break {
  return { left: Number.MAX_SAFE_INTEGER, state };
}

function breaksAt(call: Break) {
  return (store: MemoryStore): OnBehalfStore => {
    const count = (isChange: boolean) => {
      if (call.state === "stored-but-away" && !isChange) return;
      if (call.left-- === 0) store.state = call.state;
    };
    return {
      find: (...args) => {
        count(false);
        return store.find(...args);
      },
      async *all(...args) {
        count(false);
        yield* store.all(...args);
      },
      change: (...args) => {
        count(true);
        return store.change(...args);
      },
      send: (...args) => {
        count(true);
        return store.send(...args);
      },
    };
  };
}

type Operation = (scene: IdentityScene) => Promise<{ readonly ok: true } | Refused>;

type Prepared = "fresh" | "pending" | "confirmed";

/** Each with how often it asks the storage where all is well, and how often it changes it. */
const operations: [what: string, prepared: Prepared, calls: number, changes: number, operation: Operation][] =
  [
    ["request", "fresh", 6, 1, (scene) => request(scene)],
    ["find", "confirmed", 1, 0, ({ identities, cards }) => identities.find(cards, ADDRESS)],
    ["usable", "confirmed", 1, 0, ({ identities, cards, now }) => identities.usable(cards, ADDRESS, now)],
    ["revoke, pending", "pending", 2, 1, ({ identities, cards }) => identities.revoke(cards, ADDRESS)],
    ["revoke, confirmed", "confirmed", 2, 1, ({ identities, cards }) => identities.revoke(cards, ADDRESS)],
    ["look", "pending", 2, 0, (scene) => scene.people.look(scene.confirmToken())],
    ["confirm", "pending", 3, 1, (scene) => scene.people.confirm(scene.confirmToken())],
    ["mine", "confirmed", 5, 0, (scene) => scene.people.mine(manage(scene))],
    ["revoke by the person", "confirmed", 2, 1, (scene) => scene.people.revoke(manage(scene), idIn(scene))],
    ["never", "fresh", 1, 1, (scene) => scene.people.never(manage(scene), "cards")],
    ["again", "fresh", 1, 1, (scene) => scene.people.again(manage(scene), "cards")],
    ["mailLink", "fresh", 2, 1, (scene) => scene.people.mailLink(ADDRESS)],
  ];

async function prepare(prepared: Prepared, broken: Break): Promise<IdentityScene> {
  const scene = identityScene({ storeOver: breaksAt(broken) });
  if (prepared === "fresh") return scene;
  await request(scene);
  if (prepared === "confirmed") await scene.people.confirm(scene.confirmToken());
  return scene;
}

for (const [what, prepared, calls, , operation] of operations) {
  test(`${what}: at whichever of its ${calls} calls the storage goes away, nothing is done, and it is told`, async () => {
    for (let call = 0; call < calls; call++) {
      const broken = never("away");
      const scene = await prepare(prepared, broken);
      const { changes } = scene.store;
      broken.left = call;
      assert.equal(problemOf(await operation(scene)), "unavailable", `call ${call}`);
      assert.equal(scene.store.changes, changes);
      scene.store.state = "here";
      assert.ok((await operation(scene)).ok, "and it goes on once the storage is back");
    }
    const broken = never("away");
    const scene = await prepare(prepared, broken);
    broken.left = calls;
    assert.ok((await operation(scene)).ok, "it asks no more often");
  });
}

for (const [what, prepared, , changes, operation] of operations) {
  if (changes === 0) continue;
  test(`${what}: where it was stored and the answer is lost, asking again does nothing twice`, async () => {
    const broken = never("stored-but-away");
    const scene = await prepare(prepared, broken);
    broken.left = 0;
    assert.equal(problemOf(await operation(scene)), "unavailable");
    const events = scene.events().length;
    const mails = scene.store.mails.length;
    scene.store.state = "here";
    assert.match(problemOf(await operation(scene)), /^(none|token-used|confirmation-pending)$/);
    assert.deepEqual([scene.events().length, scene.store.mails.length], [events, mails]);
  });
}

function request({ identities, cards }: IdentityScene) {
  return identities.request(cards, { address: ADDRESS, scope: "user" });
}

function manage(scene: IdentityScene): string {
  return manageUrl(scene.options, ADDRESS, "cards").split("?t=")[1] ?? "";
}

function idIn(scene: IdentityScene): string {
  return scene.store.facts("ob-identity")[0]?.key.split(" ")[0] ?? "";
}

/** Each refusal for now says when to ask again. */
function problemOf(answer: { readonly ok: true } | Refused): string {
  if (answer.ok) return "none";
  if (answer.problem.type === "unavailable") assert.ok((answer.problem.retryAfter ?? 0) >= 1);
  return answer.problem.type;
}

test("a press that was stored though its answer was lost: the second one is told that it is done", async () => {
  const broken = never("stored-but-away");
  const scene = await prepare("pending", broken);
  const token = scene.confirmToken();
  broken.left = 0;
  assert.equal(problemOf(await scene.people.confirm(token)), "unavailable");
  scene.store.state = "here";
  const again = await scene.people.confirm(token);
  assert.ok(!again.ok && again.problem.type === "token-used");
  assert.match(again.problem.detail, /was confirmed with this link: nothing is left to do/);
  const found = await scene.identities.find(scene.cards, ADDRESS);
  assert.equal(found.ok && found.identity.status, "confirmed");
});

test("where no mail can be signed, nothing is stored, and the next request is mailed", async () => {
  const scene = identityScene();
  scene.canSign = false;
  assert.equal(problemOf(await request(scene)), "unavailable");
  assert.equal(problemOf(await scene.people.mailLink(ADDRESS)), "unavailable");
  assert.equal(scene.store.changes, 0);
  scene.canSign = true;
  assert.ok((await request(scene)).ok);
  assert.ok((await scene.people.mailLink(ADDRESS)).ok);
  assert.equal(scene.store.mails.length, 2);
});

test("never counts where it is known, though the rest of the list cannot be read", async () => {
  const scene = identityScene();
  assert.ok((await scene.people.never(manage(scene), "cards")).ok);
  const list = createNeverList({
    find: async (name, now) => (name.key.startsWith("*") ? "away" : scene.store.find(name, now)),
  });
  assert.equal(await list.refuses(ADDRESS, "cards", scene.now), true);
  assert.equal(await list.refuses(ADDRESS, "news", scene.now), "away");
});
