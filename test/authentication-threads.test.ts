// A thread that reads messages is lost: what it had to do is put off, and the client's next try finds another one. A forwarder
// in this process, whose threads the story ends.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Worker } from "node:worker_threads";
import { signed, testKey } from "../packages/forwarder/src/authentication/content/testing/signed-mail.ts";
import {
  authenticationScene,
  fieldsOf,
  message,
  type StoryZone,
  texts,
} from "./harness/authentication-scene.ts";
import { waitFor } from "./harness/wait.ts";

const BOB = "bob@bank.example";
const KEY = testKey("rsa", "bank.example", "s");
const SEAL = testKey("rsa", "forwarder.example", "seal");

function storyZone(): StoryZone {
  return {
    "bank.example": texts("v=spf1 ip4:192.0.2.1 -all"),
    "_dmarc.bank.example": texts("v=DMARC1; p=reject"),
    "good.example": texts("v=spf1 ip4:127.0.0.1 -all"),
    [KEY.dns[0]]: texts(KEY.dns[1]),
  };
}

/** Threads that begin during the test. */
function workersOf(t: TestContext): readonly Worker[] {
  const workers: Worker[] = [];
  const began = (worker: Worker): void => void workers.push(worker);
  process.on("worker", began);
  t.after(() => process.off("worker", began));
  return workers;
}

test("a message whose thread is lost is put off, and its client's second try passes in another one", async (t) => {
  const workers = workersOf(t);
  const zone = storyZone();
  // So that it waits there.
  zone[KEY.dns[0]] = "silence";
  const { send, asked, told, hop } = await authenticationScene(t, zone);
  const sending = { from: BOB, message: signed(message(BOB), KEY) };
  const answer = send(sending);
  await waitFor(() => asked.find((one) => one === `TXT ${KEY.dns[0]}`), {
    seconds: 10,
    otherwise: () => "nobody asks for the key",
  });
  assert.equal(workers.length, 1);
  await workers[0]?.terminate();
  assert.match(await answer, /^451 4\.3\.0 the sender could not be checked, try again later/);
  assert.equal(hop.messages.length, 0);
  assert.deepEqual(
    told("error").map((one) => one.event === "error" && /the thread that had it is gone/.test(one.message)),
    [true],
  );
  zone[KEY.dns[0]] = texts(KEY.dns[1]);
  assert.match(await send(sending), /^250 /);
  assert.equal(workers.length, 2);
});

test("a thread that is lost between two messages is missed by nobody", async (t) => {
  const workers = workersOf(t);
  const { send, told, arrived } = await authenticationScene(t, storyZone(), {
    authentication: { sealKey: SEAL },
  });
  assert.match(await send({ from: "bob@good.example" }), /^250 /);
  await workers[0]?.terminate();
  assert.match(await send({ from: "bob@good.example" }), /^250 /);
  assert.equal(fieldsOf(arrived())[0]?.[0], "arc-seal");
  assert.equal(workers.length, 2);
  assert.deepEqual(told("error"), []);
});
