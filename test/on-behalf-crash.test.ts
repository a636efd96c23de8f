// The service is killed while sites hand in messages under an Idempotency-Key and users press buttons, and started again on the
// same state. Whoever had no answer asks again: exactly one message leaves to each recipient, and each address is confirmed once.
// HOMING_CRASH_ROUNDS=20 for the long form.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { problemOf } from "./harness/on-behalf-calls.ts";
import { type Answer, type OnBehalfSite, startOnBehalfSite } from "./harness/on-behalf-site.ts";
import { waitFor } from "./harness/wait.ts";

const ROUNDS = Number(process.env.HOMING_CRASH_ROUNDS ?? 3);
const timeout = (120 + 20 * ROUNDS) * 1000;
/** At the same time. */
const SENDERS = 8;
const BUTTONS = 6;
/** Behind so many answers at most no further one is heard; the kill comes a moment later, which is as long as some requests take. */
const MOST_ANSWERS = 24;
const MOST_MS = 30;
const ALICE = "alice@users.example";
const UNLIMITED = { userPerDay: 100_000, recipientPerDay: 100_000, sitePerDay: 100_000 };
const CARDS = { title: "Example Cards", from: "cards@site.example", bounceDomain: "bounce.site.example" };

/** Something that is asked until it is answered. */
interface Wanted {
  readonly ask: (site: OnBehalfSite) => Promise<Answer>;
  /** Before the kill. */
  answer: Answer | undefined;
  /** Behind it. */
  again: Answer | undefined;
}

interface WantedMessage extends Wanted {
  readonly to: readonly string[];
}

interface WantedButton extends Wanted {
  readonly address: string;
}

/** While it is shut, the next hop says nothing to RCPT: all that is taken stays in the queue. */
function createGate() {
  let open = Promise.resolve();
  let letThrough = (): void => {};
  return {
    passed: (): Promise<undefined> => open.then(() => undefined),
    shut(): void {
      const { promise, resolve } = Promise.withResolvers<void>();
      [open, letThrough] = [promise, resolve];
    },
    open: (): void => letThrough(),
  };
}

function wantedMessage(name: string, recipients: number): WantedMessage {
  const to = Array.from({ length: recipients }, (_, nth) => `${name}-${nth}@friends.example`);
  const body = { profile: "on-behalf", onBehalfOf: ALICE, to, subject: name, text: "Hello." };
  const headers = { "Idempotency-Key": name };
  const ask: Wanted["ask"] = (site) => site.api("POST", "/v1/messages", { body, headers });
  return { to, ask, answer: undefined, again: undefined };
}

async function wantedButton(site: OnBehalfSite, address: string): Promise<WantedButton> {
  const t = await site.asked(address);
  return { address, ask: (at) => at.page("POST", "/confirm", { t }), answer: undefined, again: undefined };
}

/** Each client asks for one after the other, until answers are lost, and the service is killed amid what it has begun. */
async function askedUntilKilled(
  site: OnBehalfSite,
  clients: readonly (() => Wanted | undefined)[],
): Promise<void> {
  const enough = Math.floor(Math.random() * MOST_ANSWERS);
  const heardEnough = Promise.withResolvers<void>();
  let heard = 0;
  const lost = heardEnough.promise.then(() => undefined);
  const client = async (next: () => Wanted | undefined): Promise<void> => {
    for (let one = next(); one; one = next()) {
      // No answer: the connection ended.
      const asked = one.ask(site).catch(() => undefined);
      one.answer = await Promise.race([asked, lost]);
      if (!one.answer) return;
      heard++;
      if (heard >= enough) heardEnough.resolve();
    }
  };
  const asking = clients.map(client);
  await heardEnough.promise;
  await sleep(Math.random() * MOST_MS);
  await site.kill();
  await Promise.all(asking);
}

/** As a site does that had no answer. */
async function askAgain(site: OnBehalfSite, one: Wanted): Promise<void> {
  one.again = await waitFor(
    async () => {
      const answer = await one.ask(site);
      return answer.status === 503 || problemOf(answer) === "idempotency-under-way" ? undefined : answer;
    },
    { seconds: 20, otherwise: () => "no answer" },
  );
}

function assertMessage({ answer, again }: WantedMessage): void {
  const id = again?.body.id;
  assert.ok(id, again?.text);
  if (!answer) {
    assert.ok(again?.status === 202 || again?.status === 200, again?.text);
    return;
  }
  assert.equal(answer.status, 202, answer.text);
  assert.deepEqual([again?.status, id], [200, answer.body.id], "what was answered is there");
  assert.equal(again?.headers.get("idempotent-replayed"), "true");
}

function assertButton({ answer, again }: WantedButton): void {
  if (answer) {
    assert.equal(answer.status, 200, answer.text);
    assert.equal(again?.status, 410, "what was answered is done");
  } else assert.ok(again?.status === 200 || again?.status === 410, again?.text);
}

test(`killed ${ROUNDS} times between request and delivery: one message to each recipient, and each button works once`, {
  timeout,
}, async (t) => {
  const gate = createGate();
  await using site = await startOnBehalfSite({
    sites: { cards: { ...CARDS, limits: UNLIMITED } },
    refusal: () => gate.passed(),
  });
  await site.confirmed(ALICE);
  const messages: WantedMessage[] = [];
  const buttons: WantedButton[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const wanted: Wanted[] = [];
    const kept = <T extends Wanted>(one: T, all: T[]): T => {
      all.push(one);
      wanted.push(one);
      return one;
    };
    const addresses = Array.from({ length: BUTTONS }, (_, nth) => `r${round}b${nth}@users.example`);
    const pressed = await Promise.all(addresses.map((address) => wantedButton(site, address)));
    const senders = Array.from({ length: SENDERS }, (_, sender) => {
      let nth = 0;
      return () => kept(wantedMessage(`r${round}s${sender}m${nth++}`, 1 + (nth % 2)), messages);
    });
    const press = (): Wanted | undefined => {
      const button = pressed.pop();
      return button && kept(button, buttons);
    };
    gate.shut();
    await askedUntilKilled(site, [press, ...senders]);
    await site.start();
    await Promise.all(wanted.map((one) => askAgain(site, one)));
    gate.open();
    // Not killed between a delivery and the note of it: then a second copy may come, as of any mail.
    await site.waitForEvents("message.delivered", messages.flatMap(({ to }) => to).length);
  }

  for (const one of messages) assertMessage(one);
  for (const one of buttons) assertButton(one);
  await site.settled();
  const arrived = site.hop.taken
    .map(({ recipient }) => recipient)
    .filter((one) => one.endsWith("@friends.example"));
  assert.deepEqual(arrived.toSorted(), messages.flatMap(({ to }) => to).toSorted());
  const queued = (await site.eventsOf("cards", "message.queued")).map(({ data }) => data.message);
  assert.deepEqual(queued.toSorted(), messages.map(({ again }) => again?.body.id).toSorted());
  const confirmed = (await site.eventsOf("cards", "identity.confirmed")).map(({ data }) => data.address);
  assert.deepEqual(confirmed.toSorted(), [ALICE, ...buttons.map(({ address }) => address)].toSorted());

  const unheard = (some: readonly Wanted[], done: number): string => {
    const without = some.filter(({ answer }) => !answer);
    const wasDone = without.filter(({ again }) => again?.status === done).length;
    return `${some.length - without.length} answered, ${wasDone} done and not heard, ${without.length - wasDone} not begun`;
  };
  t.diagnostic(`messages: ${unheard(messages, 200)}; buttons: ${unheard(buttons, 410)}`);
});
