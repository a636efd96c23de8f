import assert from "node:assert/strict";
import { test } from "node:test";
import { PROBLEMS, type ProblemType } from "@homing/on-behalf";
import fc from "fast-check";
import { createApp } from "../app.ts";
import { AT, createFake, type Fake, refusal, site } from "../testing/fake-on-behalf.ts";

interface Scene {
  readonly fake: Fake;
  readonly bugs: unknown[];
  readonly get: (path: string, method?: string) => Promise<Got>;
  readonly post: (path: string, form: Readonly<Record<string, string>>) => Promise<Got>;
  readonly send: (path: string, init: RequestInit, env?: object) => Promise<Got>;
  readonly ask: (path: string, form: Readonly<Record<string, string>>, ...from: From) => Promise<Got>;
}

type From = readonly [peer: string, forwardedFor?: string | undefined];

interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const ALICE = "alice@example.org";

function scene(fake: Fake = createFake()): Scene {
  fake.links.set("c", {
    purpose: "confirm",
    address: ALICE,
    returnUrl: "https://site.example/account?a=1&b=2",
  });
  fake.links.set("m", { purpose: "manage", address: ALICE, from: "cards" });
  fake.links.set("mine", { purpose: "manage", address: ALICE });
  fake.identitiesByAddress.set(ALICE, {
    id: "idn_1",
    site: "cards",
    address: ALICE,
    scope: "user",
    status: "confirmed",
    requestedAt: AT,
    confirmedAt: AT,
    expires: AT + 180 * 86_400,
  });
  const bugs: unknown[] = [];
  const app = createApp({
    hostname: "mx.site.example",
    whyLinks: { read: () => ({ kind: "not-ours" }) },
    failed: (error) => bugs.push(error),
    onBehalf: fake,
  });
  const send: Scene["send"] = async (path, init, env) => {
    const response = await app.request(path, init, env);
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return {
    fake,
    bugs,
    send,
    get: (path, method = "GET") => send(path, { method }),
    post: (path, form) => send(path, { method: "POST", body: new URLSearchParams(form) }),
    ask: (path, form, remoteAddress, forwardedFor) =>
      send(
        path,
        {
          method: "POST",
          body: new URLSearchParams(form),
          ...(forwardedFor === undefined ? {} : { headers: { "X-Forwarded-For": forwardedFor } }),
        },
        { incoming: { socket: { remoteAddress } } },
      ),
  };
}

/** As a reader sees it. */
function seen(text: string): string {
  return text
    .slice(text.indexOf("<main>"), text.indexOf("</main>"))
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .replaceAll("&#39;", "'");
}

/** What a browser sends where the button is pressed. */
function formOf({ text }: Got, button: RegExp): Record<string, string> {
  const forms = text.match(/<form[\s\S]*?<\/form>/g) ?? [];
  const form = forms.find((one) => button.test(seen(`<main>${one}</main>`)));
  assert.ok(form, `no button ${button} in ${text}`);
  return Object.fromEntries(
    [...form.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
}

test("the link of a confirmation shows who asks and what it means, and only the button confirms", async () => {
  const { fake, get, post } = scene();
  const page = await get("/confirm?t=c");
  assert.equal(page.status, 200);
  for (const words of [
    ALICE,
    "Asked by Example Cards",
    "mail in your name",
    "Do nothing, and close this page",
  ])
    assert.ok(seen(page.text).includes(words), seen(page.text));
  assert.deepEqual(fake.changes, []);
  const done = await post("/confirm", formOf(page, /Yes, this is my address/));
  assert.equal(done.status, 200);
  assert.match(seen(done.text), /Your address is confirmed/);
  assert.ok(
    done.text.includes(
      '<a href="https://site.example/account?a=1&amp;b=2">Back to <bdi>Example Cards</bdi></a>',
    ),
  );
  assert.ok(done.text.includes('<a href="mine?t=manage-token">'));
  assert.deepEqual(fake.changes, ["confirm"]);
});

test("GET and HEAD of every page change nothing, however often, with whatever parameters", async () => {
  const { fake, get } = scene();
  const paths = [
    "/confirm?t=c",
    "/confirm?t=c&confirm=1",
    "/mine?t=m",
    "/mine?t=m&action=never&site=all",
    "/mine?t=m&action=revoke&id=idn_1",
    "/mine?t=m&List-Unsubscribe=One-Click",
    `/mine?address=${ALICE}`,
    "/mine",
    "/problems/unauthorized",
  ];
  for (let round = 0; round < 20; round += 1)
    for (const path of paths)
      for (const method of ["GET", "HEAD"]) assert.equal((await get(path, method)).status, 200);
  assert.deepEqual(fake.changes, []);
});

test("two presses of the button confirm once, and the second is told so kindly", async () => {
  const { post } = scene();
  assert.equal((await post("/confirm", { t: "c" })).status, 200);
  const again = await post("/confirm", { t: "c" });
  assert.equal(again.status, 410);
  assert.match(seen(again.text), /pressed the button twice, your address is confirmed/);
});

test("a POST confirms with the token in its form alone, not with one in the URL", async () => {
  const { fake, post } = scene();
  assert.equal((await post("/confirm?t=c", {})).status, 400);
  assert.equal((await post("/confirm?t=c", { t: "" })).status, 400);
  assert.equal((await post("/mine?t=m", { action: "never", site: "all" })).status, 400);
  assert.deepEqual(fake.changes, []);
});

test("behind the link of a message a person sees who may send in his name, ends it, and the page says so", async () => {
  const { fake, get, post } = scene();
  const page = await get("/mine?t=m");
  for (const words of [ALICE, "Example Cards : confirmed on 2026-09-21, not used yet, ends on 2027-03-20."])
    assert.ok(seen(page.text).includes(words), seen(page.text));
  const done = await post("/mine", formOf(page, /End it for Example Cards/));
  assert.match(seen(done.text), /Done: this web site can no longer send in your name\./);
  assert.match(seen(done.text), /Example Cards : ended on/);
  assert.doesNotMatch(done.text, /End it for/);
  assert.deepEqual(fake.changes, ["revoke"]);
});

test("a person refuses a site's mail, all mail, and allows it again", async () => {
  const { fake, get, post } = scene();
  let page = await get("/mine?t=m");
  page = await post("/mine", formOf(page, /No more mail from Example Cards/));
  assert.match(seen(page.text), /Done: no more mail .* Example Cards can send you no mail\./);
  page = await post("/mine", formOf(page, /Allow mail from Example Cards again/));
  assert.match(seen(page.text), /Done: mail may come/);
  page = await post("/mine", formOf(page, /No more mail from any site/));
  assert.match(seen(page.text), /No web site can send you mail through this server/);
  page = await post("/mine", formOf(page, /Allow mail again/));
  assert.deepEqual(fake.changes, ["never cards", "again cards", "never all", "again all"]);
  assert.match(seen(page.text), /The mail with this link came from Example Cards/);
});

test("each state of an identity has its words", async () => {
  const { fake, get } = scene();
  const identity = fake.identitiesByAddress.get(ALICE);
  assert.ok(identity);
  const words = {
    pending: /You have not confirmed it/,
    expired: /because it was not used/,
    revoked: /ended\. Nothing/,
  };
  for (const status of ["pending", "expired", "revoked"] as const) {
    fake.identitiesByAddress.set(ALICE, { ...identity, status });
    const { text } = await get("/mine?t=m");
    assert.match(seen(text), words[status]);
    assert.doesNotMatch(text, /End it for|undefined/);
    assert.equal(/<button>Refuse it to Example Cards<\/button>/.test(text), status === "pending");
  }
  fake.identitiesByAddress.set(ALICE, { ...identity, lastUsedAt: AT + 86_400 });
  assert.match(seen((await get("/mine?t=m")).text), /last used on 2026-09-22/);
  fake.identitiesByAddress.clear();
  assert.match(seen((await get("/mine?t=m")).text), /No web site\./);
});

test("what a site has asked for and nobody confirmed yet is refused with a button", async () => {
  const { fake, get, post } = scene();
  const identity = fake.identitiesByAddress.get(ALICE);
  assert.ok(identity);
  fake.identitiesByAddress.set(ALICE, { ...identity, status: "pending" });
  const done = await post("/mine", formOf(await get("/mine?t=m"), /Refuse it to Example Cards/));
  assert.match(seen(done.text), /Done: this web site can no longer send in your name\./);
  assert.deepEqual(fake.changes, ["revoke"]);
});

test("no page promises the user a link at the foot of mail that others get", async () => {
  const { get, post } = scene();
  await post("/confirm", { t: "c" });
  for (const { text } of [await post("/confirm", { t: "c" }), await scene().get("/confirm?t=c")]) {
    assert.doesNotMatch(seen(text), /\bfoot\b/);
    assert.match(seen(text), /every report about mail that came back/);
    assert.match(text, /<a href="mine">a new one is mailed to you<\/a>/);
  }
  assert.match(seen((await get("/mine")).text), /It stands in the mail that asks you to confirm/);
});

test("who asks for a link is told to the service, from behind a web server on this machine, too", async () => {
  const { fake, ask } = scene();
  const asked = (peer: string, forwardedFor?: string) => ask("/mine", { address: ALICE }, peer, forwardedFor);
  await asked("192.0.2.1", "198.51.100.7");
  await asked("127.0.0.1", "10.0.0.1, 198.51.100.7");
  assert.deepEqual(fake.changes, [`mailLink ${ALICE} 192.0.2.1`, `mailLink ${ALICE} 198.51.100.7`]);
});

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
const oneClicks: [type: string, init: () => RequestInit][] = [
  [
    "a form",
    () => ({
      body: "List-Unsubscribe=One-Click",
      headers: FORM,
    }),
  ],
  [
    "multipart/form-data",
    () => {
      const body = new FormData();
      body.set("List-Unsubscribe", "One-Click");
      return { body };
    },
  ],
];
for (const [type, init] of oneClicks) {
  test(`one click of a mail program, as ${type}, is enough: no cookie, no question, no redirect (RFC 8058)`, async () => {
    const { fake, send } = scene();
    for (let round = 0; round < 2; round += 1) {
      const { status, headers } = await send("/mine?t=m", { method: "POST", ...init() });
      assert.deepEqual([status, headers.get("location"), headers.get("set-cookie")], [200, null, null]);
    }
    assert.deepEqual(fake.changes, ["never cards", "never cards"]);
    assert.deepEqual([...fake.neverFor], ["cards"]);
  });
}

test("one click with a link that stood in no site's message means all sites; with a foreign link nothing", async () => {
  const { fake, post } = scene();
  const oneClick = { "List-Unsubscribe": "One-Click" };
  assert.equal((await post("/mine?t=mine", oneClick)).status, 200);
  assert.equal((await post("/mine?t=eve", oneClick)).status, 400);
  assert.equal((await post("/mine?t=c", oneClick)).status, 400);
  assert.equal((await post("/mine", oneClick)).status, 400);
  assert.equal((await post("/mine?t=m", { "List-Unsubscribe": "Eve" })).status, 400);
  assert.deepEqual(fake.changes, ["never all"]);
});

test("without a link a person has one mailed, and the page tells nobody whether the address is known", async () => {
  const { fake, get, post } = scene();
  const page = await get("/mine");
  assert.match(page.text, /<label for="address">Your address<\/label>\n<input id="address" name="address"/);
  const [known, unknown] = [
    await post("/mine", { address: ` ${ALICE} ` }),
    await post("/mine", { address: "eve@e.example" }),
  ];
  assert.deepEqual([known.status, known.text], [200, unknown.text]);
  assert.deepEqual(fake.changes, [`mailLink ${ALICE}`, "mailLink eve@e.example"]);
  const wrong = await post("/mine", { address: "alice" });
  assert.equal(wrong.status, 422);
  assert.match(wrong.text, /role="alert" id="wrong">That is no mail address/);
  assert.match(wrong.text, /aria-describedby="wrong"/);
});

const wrong: [what: string, path: string, init: RequestInit, status: number][] = [
  ["JSON", "/confirm", { body: '{"t":"c"}', headers: { "Content-Type": "application/json" } }, 400],
  ["text", "/confirm", { body: "t=c", headers: { "Content-Type": "text/plain" } }, 400],
  ["no type", "/confirm", { body: Buffer.from("t=c") }, 400],
  [
    "a body that is too long",
    "/confirm",
    { body: new URLSearchParams({ t: "c", x: "x".repeat(9000) }) },
    413,
  ],
  ["a token twice", "/confirm", { body: new URLSearchParams("t=c&t=c") }, 400],
  [
    "a broken multipart",
    "/mine?t=m",
    { body: "--x\r\n", headers: { "Content-Type": "multipart/form-data; boundary=x" } },
    400,
  ],
  [
    "a multipart without a boundary",
    "/mine?t=m",
    { body: "eve", headers: { "Content-Type": "multipart/form-data" } },
    400,
  ],
  ["no action", "/mine", { body: new URLSearchParams({ t: "m", site: "all" }) }, 400],
  [
    "an action that there is not",
    "/mine",
    { body: new URLSearchParams({ t: "m", action: "toString", site: "all" }) },
    400,
  ],
  ["an action without its object", "/mine", { body: new URLSearchParams({ t: "m", action: "never" }) }, 400],
  [
    "the link of a message where a confirmation belongs",
    "/confirm",
    { body: new URLSearchParams({ t: "m" }) },
    400,
  ],
];
for (const [what, path, init, status] of wrong) {
  test(`a POST of ${what} is ${status} in plain words, with nothing of it in the page, and changes nothing`, async () => {
    const { fake, send, bugs } = scene();
    const got = await send(path, { method: "POST", ...init });
    assert.equal(got.status, status, got.text);
    assert.doesNotMatch(got.text, /eve(?!r)|xxx/);
    assert.deepEqual(fake.neverFor.size, 0);
    assert.equal(fake.links.get("c")?.used, undefined);
    assert.deepEqual(bugs, []);
  });
}

test("other methods are 405, and the answer names those that there are", async () => {
  const { fake, send } = scene();
  for (const path of ["/confirm?t=c", "/mine?t=m"])
    for (const method of ["PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const { status, headers } = await send(path, { method });
      assert.deepEqual([status, headers.get("allow")], [405, "GET, HEAD, POST"]);
    }
  for (const path of ["/", "/why", "/problems", "/confirm/", "/mine/x"])
    assert.equal(
      (await send(path, { method: "POST", body: new URLSearchParams({ t: "c" }) })).headers.get("allow"),
      "GET, HEAD",
    );
  assert.deepEqual(fake.changes, []);
});

for (const type of Object.keys(PROBLEMS) as ProblemType[]) {
  test(`${type}: people are told in words of theirs`, async () => {
    const { fake, get, post } = scene();
    fake.refusal = { ...refusal(type), problem: { ...refusal(type).problem, retryAfter: 9 } };
    for (const got of [
      await get("/confirm?t=c"),
      await post("/confirm", { t: "c" }),
      await get("/mine?t=m"),
      await post("/mine", { t: "m", action: "never", site: "all" }),
      await post("/mine?t=m", { "List-Unsubscribe": "One-Click" }),
    ]) {
      assert.ok(got.status >= 400 && got.status < 600);
      assert.match(seen(got.text), /[Nn]othing was changed|Copy all of the link|ends the permission/);
      assert.doesNotMatch(got.text, /It is refused in this test|undefined/);
      assert.equal(got.headers.get("retry-after"), "9");
    }
  });
}

test("a button that did its work says so, also where the page cannot be shown then", async () => {
  const { fake, post } = scene();
  const mine = fake.people.mine;
  Object.assign(fake.people, { mine: () => Promise.resolve(refusal("unavailable")) });
  const got = await post("/mine", { t: "m", action: "never", site: "cards" });
  Object.assign(fake.people, { mine });
  assert.equal(got.status, 200);
  assert.match(seen(got.text), /Done: no more mail/);
});

test("a bug is 500 in plain words", async () => {
  const { fake, get, bugs } = scene();
  fake.bug = new Error("secret");
  const got = await get("/mine?t=m");
  assert.equal(got.status, 500);
  assert.doesNotMatch(got.text, /secret/);
  assert.deepEqual(bugs.map(String), ["Error: secret"]);
});

const TAG =
  /^<(?:!doctype html|html lang="en"|meta [a-z-]+="[^"<>]*"(?: content="[^"<>]*")?|\/?[a-z1-2]+|form method="post" action="(?:mine|confirm)"|input type="hidden" name="(?:t|action|id|site)" value="[^"<>]*"|input id="address" [^<>]*|label for="address"|p class="done" role="(?:status|alert)"(?: id="wrong")?|a href="(?:mine|mine\?t=[\w%.!~*'()-]*|https:\/\/[^"<>]*)")>$/;

function assertOurs(text: string): void {
  for (const [tag] of text.matchAll(/<[^>]*>/g)) assert.match(tag, TAG);
  assert.doesNotMatch(text, /<script|javascript:[^<]*">/i);
}

test("a property of every page: whatever title, address, token and page to return to, its tags are ours", async () => {
  const hostile = fc.string({ unit: fc.constantFrom(..."<>&\"'`=/ \r\n\0ab@:;%\u202e#?{}$"), maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(hostile, hostile, hostile, fc.nat(), async (title, address, rest, number) => {
      const fake = createFake({ site: site({ title }) });
      const { get, post } = scene(fake);
      const token = `t${number}`;
      fake.links.set(token, { purpose: "confirm", address, returnUrl: `https://site.example/${rest}` });
      fake.links.set(`m${token}`, { purpose: "manage", address, from: "cards" });
      const known = fake.identitiesByAddress.get(ALICE);
      if (known) fake.identitiesByAddress.set(address, { ...known, id: rest, address });
      for (const got of [
        await get(`/confirm?t=${token}`),
        await post("/confirm", { t: token }),
        await get(`/mine?t=m${token}`),
        await post("/mine", { t: `m${token}`, action: "never", site: "cards" }),
        await post("/mine", { address: rest }),
      ])
        assertOurs(got.text);
    }),
    { numRuns: 60 },
  );
});

for (const returnUrl of [
  "javascript:alert(1)",
  "data:text/html,x",
  " javascript:alert(1)",
  "//evil.example",
]) {
  test(`${returnUrl} is no page to return to, whatever the settings say`, async () => {
    const { fake, post } = scene();
    fake.links.set("c", { purpose: "confirm", address: ALICE, returnUrl });
    const { status, text } = await post("/confirm", { t: "c" });
    assert.equal(status, 200);
    assert.doesNotMatch(text, /Back to/);
  });
}

for (const path of [
  "/confirm?t=c",
  "/confirm",
  "/mine?t=m",
  "/mine",
  "/mine?t=eve",
  "/problems",
  "/problems/unauthorized",
]) {
  test(`${path}: a language, one heading of the first order, labels, names of buttons; nothing loaded, run, framed or kept`, async () => {
    const { get } = scene();
    const { text, headers } = await get(path);
    assert.match(text, /^<!doctype html>\n<html lang="en">/);
    assert.match(text, /<title>[^<]+<\/title>/);
    assert.match(text, /<meta name="viewport"/);
    assert.equal(text.match(/<h1>/g)?.length, 1);
    const levels = [...text.matchAll(/<h([1-6])>/g)].map(([, level]) => Number(level));
    assert.ok(levels.every((level, index) => level <= (levels[index - 1] ?? 0) + 1));
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const [input] of text.matchAll(/<input (?!type="hidden")[^>]*>/g))
      assert.ok(text.includes(`<label for="${/id="(\w+)"/.exec(input)?.[1]}">`), input);
    const names = [...text.matchAll(/<button>([^<]*)<\/button>/g)].map(([, name]) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(!names.includes(""));
    assert.doesNotMatch(text, /<script|<link|<img|<iframe|\bsrc=|url\(|@import|\son[a-z]+=|style=/);
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'; style-src 'sha256-[^ ]+'; base-uri 'none'; /);
    assert.ok(
      policy.endsWith(`form-action ${text.includes("<form") ? "'self'" : "'none'"}; frame-ancestors 'none'`),
    );
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("set-cookie"), null);
  });
}
