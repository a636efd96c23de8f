// The whole way with the real service: a user is asked, confirms, is written for, and a recipient has enough.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { z } from "zod";
import { Event } from "./api/event-schemas.ts";
import { EventList, Identity, Message, Problem, Suppression, SuppressionList } from "./api/schemas.ts";
import { createApp } from "./app.ts";
import { createRealService, NOW, SITE_KEY } from "./testing/real-service.ts";

const publicUrl = "https://mail.demo.example";

function scene() {
  const service = createRealService(publicUrl);
  const bugs: unknown[] = [];
  const app = createApp({
    hostname: "mx.demo.example",
    whyLinks: { read: () => ({ kind: "not-ours" }) },
    failed: (error) => bugs.push(error),
    onBehalf: service,
  });
  /** What comes is of the shape that is described, and has nothing else in it. */
  async function ask<T>(schema: z.ZodType<T>, method: string, path: string, body?: object, key?: string) {
    const response = await app.request(path, {
      method,
      headers: {
        Authorization: `Bearer ${SITE_KEY}`,
        "Content-Type": "application/json",
        ...(key === undefined ? {} : { "Idempotency-Key": key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const value: unknown = await response.json();
    assert.deepEqual(bugs, []);
    const parsed = schema.safeParse(value);
    assert.ok(parsed.success, `${response.status} ${JSON.stringify(value)} ${parsed.error}`);
    assert.deepEqual(parsed.data, value);
    return { status: response.status, body: parsed.data, headers: response.headers };
  }
  const press = async (path: string, form: Record<string, string>) => {
    const response = await app.request(path, { method: "POST", body: new URLSearchParams(form) });
    return { status: response.status, text: await response.text() };
  };
  const open = async (path: string) => {
    const response = await app.request(path);
    return { status: response.status, text: await response.text() };
  };
  return { service, ask, press, open };
}

const MESSAGE = {
  profile: "on-behalf",
  onBehalfOf: "alice@example.org",
  to: "bob@example.net",
  subject: "An article for you",
  text: "Look at this.",
};

test("a user confirms, is written for once, and the recipient ends it with one click", async () => {
  const { service, ask, press, open } = scene();
  const asked = await ask(Identity, "POST", "/v1/identities", {
    address: "alice@example.org",
    returnUrl: "http://localhost:3000/account",
  });
  assert.deepEqual([asked.status, asked.body.status], [202, "pending"]);
  const early = await ask(Problem, "POST", "/v1/messages", MESSAGE);
  assert.equal(early.body.type, `${publicUrl}/problems/identity-not-confirmed`);
  const again = await ask(Problem, "POST", "/v1/identities", { address: "alice@example.org" });
  assert.deepEqual([again.status, Number(again.headers.get("retry-after")) > 0], [429, true]);

  const token = service.tokenTo("confirm");
  for (let round = 0; round < 3; round += 1) {
    const page = await open(`/confirm?t=${token}`);
    assert.equal(page.status, 200);
    assert.match(page.text, /alice@example\.org[\s\S]*Homing Demo/);
  }
  assert.equal((await ask(Identity, "GET", "/v1/identities/alice@example.org")).body.status, "pending");
  const pressed = await press("/confirm", { t: token });
  assert.equal(pressed.status, 200, pressed.text);
  assert.match(
    pressed.text,
    /<a href="http:\/\/localhost:3000\/account">Back to <bdi>Homing Demo<\/bdi><\/a>/,
  );
  assert.equal((await press("/confirm", { t: token })).status, 410);
  const confirmed = await ask(Identity, "GET", `/v1/identities/${asked.body.id}`);
  assert.equal(confirmed.body.status, "confirmed");
  assert.equal((await ask(Identity, "POST", "/v1/identities", { address: "alice@example.org" })).status, 200);

  const sent = await ask(Message, "POST", "/v1/messages", MESSAGE, "key-1");
  const repeated = await ask(Message, "POST", "/v1/messages", MESSAGE, "key-1");
  assert.deepEqual([sent.status, repeated.status, repeated.body.id], [202, 200, sent.body.id]);
  const other = await ask(Problem, "POST", "/v1/messages", { ...MESSAGE, subject: "Another" }, "key-1");
  assert.equal(other.status, 409);
  assert.equal(service.store.mails.filter(({ recipient }) => recipient.localPart === "bob").length, 1);
  assert.equal(
    (await ask(Message, "GET", `/v1/messages/${sent.body.id}`)).body.recipients[0]?.status,
    "queued",
  );

  const mine = service.tokenTo("mine");
  const page = await open(`/mine?t=${mine}`);
  assert.equal(page.status, 200);
  assert.match(page.text, /bob@example\.net[\s\S]*No more mail from Homing Demo/);
  assert.equal((await press(`/mine?t=${mine}`, { "List-Unsubscribe": "One-Click" })).status, 200);
  const refused = await ask(Problem, "POST", "/v1/messages", MESSAGE);
  assert.deepEqual(
    [refused.body.type, refused.body.field],
    [`${publicUrl}/problems/recipient-suppressed`, "to[0]"],
  );

  const events = await ask(EventList, "GET", "/v1/events?limit=2");
  const rest = await ask(EventList, "GET", `/v1/events?after=${events.body.next}`);
  const types = [...events.body.events, ...rest.body.events].map(({ type }): string => type);
  for (const type of ["identity.pending", "identity.confirmed", "message.queued", "recipient.never"])
    assert.ok(types.includes(type), types.join());
});

test("a user sees who may write for him, and ends it; then the site is refused", async () => {
  const { service, ask, press, open } = scene();
  await ask(Identity, "POST", "/v1/identities", { address: "alice@example.org" });
  await press("/confirm", { t: service.tokenTo("confirm") });
  await press("/mine", { address: "alice@example.org" });
  const mine = service.tokenTo("mine");
  const { text } = await open(`/mine?t=${mine}`);
  const id = /name="id" value="(idn_[^"]+)"/.exec(text)?.[1];
  assert.ok(id, text);
  const done = await press("/mine", { t: mine, action: "revoke", id });
  assert.match(done.text, /Done: this web site can no longer send in your name/);
  assert.equal((await ask(Problem, "POST", "/v1/messages", MESSAGE)).status, 403);
});

test("suppressions are added, listed and taken away", async () => {
  const { ask } = scene();
  await ask(Suppression, "POST", "/v1/suppressions", { address: "grace@example.net" });
  const listed = await ask(SuppressionList, "GET", "/v1/suppressions");
  assert.deepEqual(listed.body.suppressions.length, 1);
});

test("a storage that is away is 503 with Retry-After, for sites and for people, and nothing is done", async () => {
  const { service, ask, press } = scene();
  await ask(Identity, "POST", "/v1/identities", { address: "alice@example.org" });
  const token = service.tokenTo("confirm");
  service.store.state = "away";
  for (const [method, path, body] of [
    ["POST", "/v1/identities", { address: "bob@example.org" }],
    ["POST", "/v1/messages", { ...MESSAGE, profile: "transactional", onBehalfOf: undefined }],
    ["GET", "/v1/identities/alice@example.org"],
    ["GET", "/v1/suppressions"],
    ["GET", "/v1/events"],
  ] as const) {
    const got = await ask(Problem, method, path, body);
    assert.deepEqual([got.status, got.headers.has("retry-after")], [503, true], `${method} ${path}`);
  }
  assert.equal((await press("/confirm", { t: token })).status, 503);
  service.store.state = "here";
  assert.equal((await press("/confirm", { t: token })).status, 200);
});

test("one click in the mail of a site that is not there any more refuses that site, and not all", async () => {
  const { service, ask, press, open } = scene();
  const token = service.manageToken("bob@example.net", "gone");
  assert.match((await open(`/mine?t=${token}`)).text, /No more mail from gone/);
  const done = await press(`/mine?t=${token}`, { "List-Unsubscribe": "One-Click" });
  assert.equal(done.status, 200);
  assert.doesNotMatch(done.text, /No web site can send you mail/);
  assert.match(done.text, /Allow mail from gone again/);
  const sent = await ask(Message, "POST", "/v1/messages", {
    ...MESSAGE,
    profile: "transactional",
    onBehalfOf: undefined,
  });
  assert.equal(sent.status, 202);
});

test("one click in a mail of no site refuses all", async () => {
  const { service, press } = scene();
  const token = service.manageToken("bob@example.net", "");
  const done = await press(`/mine?t=${token}`, { "List-Unsubscribe": "One-Click" });
  assert.match(done.text, /No web site can send you mail/);
});

test("a user refuses what a site has asked for and he has not confirmed; then its link confirms nothing", async () => {
  const { service, ask, press, open } = scene();
  await ask(Identity, "POST", "/v1/identities", { address: "alice@example.org" });
  const [confirm, mine] = [service.tokenTo("confirm"), service.tokenTo("mine")];
  const { text } = await open(`/mine?t=${mine}`);
  assert.match(text, /<button>Refuse it to Homing Demo<\/button>/);
  const id = /name="id" value="(idn_[^"]+)"/.exec(text)?.[1] ?? "";
  assert.match((await press("/mine", { t: mine, action: "revoke", id })).text, /role="status">Done/);
  assert.ok((await press("/confirm", { t: confirm })).status >= 400);
});

test("every event that there is has the shape that is described", async () => {
  const { service, ask, press } = scene();
  const asked = await ask(Identity, "POST", "/v1/identities", { address: "alice@example.org" });
  await press("/confirm", { t: service.tokenTo("confirm") });
  await ask(Message, "POST", "/v1/messages", { ...MESSAGE, reference: "r" });
  const [mail] = service.store.mails.slice(-1);
  assert.ok(mail && typeof mail.reversePath === "object");
  const { reversePath: srs, recipient } = mail;
  const sent = await service.returns.sentFor(srs, NOW);
  assert.ok(sent && sent !== "away");
  const user = { localPart: "alice", domain: "example.org" };
  const failure = { enhanced: "5.1.1", class: "hard" };
  const attempt = { queueId: mail.id, reversePath: srs, recipient };
  await service.store.change({
    now: NOW,
    write: [
      ...service.returns.settled(attempt, { kind: "delivered" }, NOW),
      ...service.returns.settled(attempt, { kind: "failed", ...failure }, NOW),
      ...service.returns.returned({ srs, sent, user, action: "failed", ...failure, now: NOW }),
      ...service.returns.returned({ srs, sent: undefined, user, action: "failed", ...failure, now: NOW }),
    ],
  });
  await service.returns.eaten({ localPart: "nobody", domain: "bounce.demo.example" }, NOW);
  await ask(Suppression, "POST", "/v1/suppressions", { address: "grace@example.net" });
  const token = service.manageToken("bob@example.net", "demo");
  await press(`/mine?t=${token}`, { "List-Unsubscribe": "One-Click" });
  await ask(Identity, "DELETE", `/v1/identities/${asked.body.id}`);
  const { events } = (await ask(EventList, "GET", "/v1/events")).body;
  const types = new Set(events.map(({ type }) => type));
  assert.deepEqual([...types].sort(), Event.options.map(({ shape }) => shape.type.value).sort());
});
