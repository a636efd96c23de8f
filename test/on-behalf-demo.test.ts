// The sample site of deploy/on-behalf-demo as its user sees it, in a browser: signing in, confirming his address by the mailed
// link, sending, getting back what came back, and ending it. Behind it, `homing local --http`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text as streamText } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { storiesNeed } from "./harness/availability.ts";
import { CHROMIUM_PACKAGE, startChromium } from "./harness/chromium.ts";
import { plainEnvironment, startHoming, watch } from "./harness/homing.ts";
import { pageFaults } from "./harness/page-faults.ts";
import { waitFor } from "./harness/wait.ts";

const SITE = resolve(import.meta.dirname, "../deploy/on-behalf-demo/site.ts");
const KEY = "a site key of the stories: long enough";
const ALICE = "alice@example.org";
const PASSWORD = "swifts sleep aloft";
/** A page or a button that does not come. */
const PAGE_SECONDS = 10;
const SRS_OF_ALICE = /^SRS0=[^=@]+=[A-Z2-7]{2}=example\.org=alice@bounce\.demo\.example$/i;

interface InboxMail {
  readonly id: number;
  readonly reversePath: string;
  readonly recipient: string;
  readonly subject: string;
  readonly message: string;
  readonly text: string;
}

interface Demo extends AsyncDisposable {
  /** Of the site, and of Homing. */
  readonly site: string;
  readonly homing: string;
  /** All that arrived anywhere for this recipient, once there are so many. */
  mailsTo(recipient: string, count?: number): Promise<readonly InboxMail[]>;
  stopHoming(): Promise<unknown>;
}

async function startDemo(): Promise<Demo> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  const keyFile = join(folder, "key");
  await writeFile(keyFile, `${KEY}\n`, { mode: 0o600 });
  const local = startHoming(["local", "--port", "0", "--http", "0", "--site-key-file", keyFile, "--json"]);
  const processes = [local];
  const end = async (): Promise<void> => {
    await Promise.all(processes.map((one) => one.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [, port] = await local.waitForOutput(/"event":"http-listening".*"port":(\d+)/);
    const homing = `http://127.0.0.1:${port}`;
    const argv = [SITE, "--port", "0", "--homing", homing, "--key-file", keyFile];
    const site = watch(spawn(process.execPath, argv, { env: plainEnvironment() }));
    processes.push(site);
    const [, url = ""] = await site.waitForOutput(/The site is at (\S+)/);
    return {
      ...{ site: url, homing, stopHoming: () => local.stop(), [Symbol.asyncDispose]: end },
      mailsTo: (recipient, count = 1) => waitForMails(homing, recipient, count),
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function waitForMails(homing: string, recipient: string, count: number): Promise<readonly InboxMail[]> {
  let all: readonly InboxMail[] = [];
  return waitFor(
    async () => {
      all = (await (await fetch(`${homing}/inbox.json`)).json()) as InboxMail[];
      const mails = all.filter((mail) => mail.recipient === recipient);
      return mails.length >= count ? mails : undefined;
    },
    { seconds: 15, otherwise: () => `not ${count} for ${recipient}: ${JSON.stringify(all)}` },
  );
}

/** It remembers whatever broke a Content-Security-Policy. */
async function openPage(context: BrowserContext): Promise<{ page: Page; violations: readonly string[] }> {
  const page = await context.newPage();
  page.setDefaultTimeout(PAGE_SECONDS * 1000);
  const violations: string[] = [];
  page.on("console", (message) => {
    if (/Content.Security.Policy/i.test(message.text())) violations.push(message.text());
  });
  return { page, violations };
}

async function signIn(page: Page, site: string, password = PASSWORD): Promise<void> {
  await page.goto(`${site}/sign-in`);
  await page.getByLabel("User name").fill("alice");
  await page.getByLabel("Password").fill(password);
  await follow(page.getByRole("button", { name: "Sign in" }));
}

async function sendTo(page: Page, site: string, to: string, note = ""): Promise<void> {
  await page.goto(`${site}/send`);
  await page.getByLabel("To", { exact: true }).fill(to);
  await page.getByLabel("Your note").fill(note);
  await follow(page.getByRole("button", { name: "Send the article" }));
}

/** Presses what leads to another page, and waits until that is there with its style. */
async function follow(target: Locator): Promise<void> {
  const loaded = target.page().waitForEvent("load");
  await Promise.all([loaded, target.click()]);
}

/** @param look at each page on the way */
async function confirm(page: Page, demo: Demo, look = async (): Promise<void> => {}): Promise<void> {
  await follow(page.getByRole("button", { name: "Mail me a link" }));
  await look();
  await demo.mailsTo(ALICE);
  await page.goto(`${demo.homing}/inbox`);
  await look();
  await follow(linkTo(page, "/confirm?t="));
  await look();
  await follow(page.getByRole("button", { name: "Yes, this is my address" }));
  await look();
  await follow(page.getByRole("link", { name: "Back to Homing Demo" }));
}

/** In the confirmation mail that the inbox shows. */
function linkTo(page: Page, path: string): Locator {
  const mail = page.getByRole("article").filter({ hasText: "Confirm your address for Homing Demo" });
  return mail.locator(`a[href*="${path}"]`);
}

/** A field of the header, unfolded. */
function field({ message }: InboxMail, name: string): string | undefined {
  const header = message.split("\r\n\r\n", 1)[0]?.replace(/\r\n[ \t]+/g, " ") ?? "";
  const line = header.split("\r\n").find((text) => text.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}

const skip = (await storiesNeed(CHROMIUM_PACKAGE)) ?? false;

/** One for all: each test has a context of its own, with its own cookies. */
let chromium: Awaited<ReturnType<typeof startChromium>> | undefined;
before(async () => {
  if (!skip) chromium = await startChromium();
});
after(() => chromium?.[Symbol.asyncDispose]());

function browser(): Browser {
  assert.ok(chromium);
  return chromium;
}

test("a user confirms, sends, gets the bounce as a DSN, and ends it: all in a browser without scripts", {
  skip,
}, async () => {
  await using demo = await startDemo();
  const { page, violations } = await openPage(await browser().newContext({ javaScriptEnabled: false }));
  const heading = (): Promise<string> => page.getByRole("heading", { level: 1 }).innerText();

  await page.goto(demo.site);
  await follow(page.getByRole("link", { name: "Send this article to a friend" }));
  assert.equal(await heading(), "Sign in");
  await signIn(page, demo.site);
  assert.equal(await heading(), "Confirm your address first");

  await follow(page.getByRole("button", { name: "Mail me a link" }));
  assert.match(await page.getByRole("status").innerText(), /A link was mailed to alice@example\.org/);
  const [asked] = await demo.mailsTo(ALICE);
  assert.equal(asked?.reversePath, "");
  await page.goto(`${demo.homing}/inbox`);
  const link = (await linkTo(page, "/confirm?t=").getAttribute("href")) ?? "";

  // What looks for malware in mail follows every link of it.
  for (const method of ["HEAD", "GET", "GET"]) assert.equal((await fetch(link, { method })).status, 200);
  await page.goto(`${demo.site}/send`);
  assert.equal(await heading(), "Confirm your address first");

  await page.goto(link);
  await follow(page.getByRole("button", { name: "Yes, this is my address" }));
  await follow(page.getByRole("link", { name: "Back to Homing Demo" }));
  assert.equal(page.url(), `${demo.site}/send`);
  assert.match(await heading(), /^Send /);

  await sendTo(page, demo.site, "bob@elsewhere.example", "Look up this evening <b>& listen</b>!\nYours, A.");
  assert.match(await page.getByRole("status").innerText(), /on its way/);
  const [letter, ...more] = await demo.mailsTo("bob@elsewhere.example");
  assert.ok(letter && more.length === 0);
  assert.match(letter.reversePath, SRS_OF_ALICE);
  assert.match(field(letter, "from") ?? "", /^"?Alice Archer via Homing Demo"? <demo@demo\.example>$/);
  assert.match(field(letter, "reply-to") ?? "", /<?alice@example\.org>?$/);
  assert.match(field(letter, "message-id") ?? "", /@demo\.example>$/);
  assert.match(letter.text, /Look up this evening <b>& listen<\/b>!\nYours, A\.\n/);
  assert.match(letter.text, /A common swift can stay in the air/);

  await sendTo(page, demo.site, "full@elsewhere.example");
  const [, report, ...others] = await demo.mailsTo(ALICE, 2);
  assert.ok(report && others.length === 0);
  assert.equal(report.reversePath, "");
  assert.match(field(report, "content-type") ?? "", /^multipart\/report; *report-type="?delivery-status/i);
  assert.match(report.message, /^Final-Recipient: rfc822; *full@elsewhere\.example\r$/im);
  assert.match(report.message, /^Action: failed\r$/im);
  await page.goto(`${demo.site}/mail`);
  assert.deepEqual(await page.getByRole("list", { name: "Sent" }).getByRole("listitem").count(), 2);
  const sent = await page.getByRole("list", { name: "Sent" }).innerText();
  assert.match(sent, /full@elsewhere\.example\s+Came back[\s\S]+bob@elsewhere\.example\s+Arrived at/);
  const returned = await page.getByRole("list", { name: "Came back" }).innerText();
  assert.match(returned, /full@elsewhere\.example\s+The mailbox is full \(5\.2\.2\)/);

  await page.goto(`${demo.homing}/inbox`);
  await follow(linkTo(page, "/mine?t="));
  await follow(page.getByRole("button", { name: "End it for Homing Demo" }));
  await page.goto(`${demo.site}/send`);
  assert.match(await page.getByRole("main").innerText(), /this site may not send mail for you any more/);
  const again = await fetch(`${demo.homing}/v1/messages`, {
    method: "POST",
    headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      ...{ profile: "on-behalf", onBehalfOf: ALICE, to: "bob@elsewhere.example", subject: "x", text: "x" },
    }),
  });
  assert.equal(again.status, 403);
  assert.match(((await again.json()) as { type: string }).type, /\/identity-not-confirmed$/);
  assert.deepEqual(violations, []);
});

test("a form that is sent twice is one mail, limits are told in plain words, and a note is text on every page", {
  skip,
}, async () => {
  await using demo = await startDemo();
  const context = await browser().newContext({ javaScriptEnabled: false });
  const { page } = await openPage(context);
  await signIn(page, demo.site);
  await confirm(page, demo);

  const hidden = (name: string): Promise<string> => page.locator(`main input[name=${name}]`).inputValue();
  const form = {
    csrf: await hidden("csrf"),
    key: await hidden("key"),
    to: "bob@elsewhere.example",
    note: "Hi",
  };
  const post = (fields: object) =>
    context.request.post(`${demo.site}/send`, {
      form: { ...form, ...fields },
      headers: { Origin: demo.site },
    });
  for (let time = 0; time < 3; time++) assert.match((await post({})).url(), /\/mail\?sent$/);
  const other = await post({ note: "something else" });
  assert.equal(other.status(), 422);
  assert.match(await other.text(), /This form was sent before, with something else in it/);

  for (const note of ["two", "three"]) await sendTo(page, demo.site, "bob@elsewhere.example", note);
  assert.equal((await demo.mailsTo("bob@elsewhere.example", 3)).length, 3);
  await sendTo(page, demo.site, "bob@elsewhere.example", '"><img src=x>');
  assert.match(await page.getByRole("alert").innerText(), /had enough mail.*Try again in \d+ hours\./);
  assert.equal(await page.getByLabel("Your note").inputValue(), '"><img src=x>');
  assert.equal(await page.locator("main img").count(), 0);
  assert.equal((await demo.mailsTo("bob@elsewhere.example", 3)).length, 3);

  await demo.stopHoming();
  await follow(page.getByRole("button", { name: "Send the article" }));
  assert.match(await page.getByRole("alert").innerText(), /The mail server does not answer/);
  await page.goto(`${demo.site}/send`);
  assert.match(await page.getByRole("main").innerText(), /^Not now\s+The mail server does not answer/);
});

test("each page has labels, words and contrast, and fits on a telephone, in light and in dark", {
  skip,
}, async () => {
  await using demo = await startDemo();
  const { page, violations } = await openPage(await browser().newContext());
  const faults: string[] = [];
  const look = async (): Promise<void> => void faults.push(...(await pageFaults(page)));

  await page.setContent(`<p style="color: #999; width: 500px">grey</p><input><img><button></button>`);
  const bad = (await pageFaults(page)).join("\n");
  for (const fault of [
    /no lang/,
    /no title/,
    /no label/,
    /no alt/,
    /no words/,
    /contrast 2\.8: grey/,
    /500|5\d\d wide/,
  ])
    assert.match(bad, fault);

  await page.goto(demo.site);
  await look();
  await signIn(page, demo.site, "another");
  await look();
  await signIn(page, demo.site);
  await look();
  await confirm(page, demo, look);
  await look();
  await sendTo(page, demo.site, "bob@elsewhere");
  await look();
  await sendTo(page, demo.site, "full@elsewhere.example");
  await demo.mailsTo(ALICE, 2);
  await look();
  await page.goto(`${demo.site}/mail`);
  await look();
  await page.goto(`${demo.homing}/inbox`);
  await follow(linkTo(page, "/mine?t="));
  await look();
  await page.goto(`${demo.site}/nowhere`);
  await look();
  assert.deepEqual(faults, []);
  assert.deepEqual(violations, []);
});

test("a form of another site, or without the token of its user, does nothing", async () => {
  await using demo = await startDemo();
  const post = (path: string, fields: Record<string, string>, headers: Record<string, string>) =>
    fetch(`${demo.site}${path}`, {
      ...{ method: "POST", redirect: "manual" as const, body: new URLSearchParams(fields), headers },
    });
  const ours = { Origin: demo.site };
  const credentials = { name: "alice", password: PASSWORD };
  assert.equal((await post("/sign-in", credentials, { Origin: "https://other.example" })).status, 403);
  assert.equal((await post("/sign-in", credentials, {})).status, 403);
  assert.equal((await post("/sign-in", { ...credentials, password: "guess" }, ours)).status, 401);

  const signedIn = await post("/sign-in", credentials, ours);
  assert.equal(signedIn.status, 303);
  const cookie = signedIn.headers.get("set-cookie") ?? "";
  assert.match(cookie, /; HttpOnly; SameSite=Lax$/);
  const Cookie = cookie.split(";", 1)[0] ?? "";
  for (const path of ["/confirm", "/send", "/sign-out"])
    for (const csrf of ["", "guess"])
      assert.equal((await post(path, { csrf }, { ...ours, Cookie })).status, 403, path);
  const page = await fetch(`${demo.site}/send`, { headers: { Cookie } });
  const text = await page.text();
  assert.match(text, /Alice Archer[\s\S]+You have not yet confirmed/);
  assert.match(page.headers.get("content-security-policy") ?? "", /^default-src 'none';/);
  const [, csrf = ""] = /name="csrf" value="([^"]+)"/.exec(text) ?? [];
  assert.equal((await post("/sign-out", { csrf }, { Origin: "null", Cookie })).status, 403);

  assert.equal((await post("/sign-in", { ...credentials, more: "x".repeat(20_000) }, ours)).status, 413);
  for (let guess = 0; guess < 10; guess++) await post("/sign-in", { name: "ben", password: "guess" }, ours);
  assert.equal((await post("/sign-in", { name: "ben", password: "tea before sunrise" }, ours)).status, 429);
});

test("the site is as good at localhost, and at no other name", async () => {
  await using demo = await startDemo();
  const { port } = new URL(demo.site);
  /** What a browser sends that was told to open the site there. */
  const signIn = (host: string, origin = `http://${host}`): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const body = String(new URLSearchParams({ name: "alice", password: PASSWORD }));
      const headers = {
        ...{ Host: host, Origin: origin, "Content-Length": body.length },
        "Content-Type": "application/x-www-form-urlencoded",
      };
      const sent = request(`${demo.site}/sign-in`, { method: "POST", headers }, async (response) => {
        resolve({ status: response.statusCode ?? 0, text: await streamText(response) });
      });
      sent.on("error", reject).end(body);
    });
  assert.equal((await signIn(`localhost:${port}`)).status, 303);
  assert.equal((await signIn(`127.0.0.1:${port}`)).status, 303);
  for (const [host, origin] of [
    [`localhost:${port}`, `http://127.0.0.1:${port}`],
    [`elsewhere.example:${port}`],
    ["localhost"],
  ] as const) {
    const { status, text } = await signIn(host, origin);
    assert.equal(status, 403, host);
    assert.match(text, /Open http:\/\/(?:localhost|127\.0\.0\.1):\d+ and try again/);
  }
});

test("what is wrong at the start is one line that says what to do", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const address = server.address();
  const taken = typeof address === "object" && address ? String(address.port) : "";
  const empty = join(folder, "empty");
  await writeFile(empty, "\n# no key yet\n", { mode: 0o600 });
  const good = join(folder, "good");
  await writeFile(good, `# made today\n${KEY}\n`, { mode: 0o600 });
  const cases: readonly (readonly [argv: readonly string[], told: RegExp])[] = [
    [
      ["--key-file", join(folder, "none")],
      /^site: the site key cannot be read: .*none.*: make one as README\.md says/,
    ],
    [["--key-file", empty], /^site: .*empty holds no site key: make one/],
    [
      ["--key-file", good, "--port", taken],
      /^site: cannot listen on 127\.0\.0\.1:\d+: .*: choose another port/,
    ],
    [["--key-file", good, "--port", "http"], /^site: --port http: write a number/],
    [["--keyfile", good], /^site: .*--keyfile/],
  ];
  for (const [argv, told] of cases) {
    const site = spawn(process.execPath, [SITE, ...argv], { env: plainEnvironment() });
    const ended = once(site, "close");
    const stderr = await streamText(site.stderr);
    assert.deepEqual(await ended, [1, null]);
    assert.match(stderr, told);
    assert.equal(stderr.trimEnd().split("\n").length, 1, stderr);
  }
});

test("mail to gone@ is returned for good, and the address is suppressed; to full@ it may be sent again", async () => {
  await using demo = await startDemo();
  const call = async (path: string, body: object): Promise<{ status: number; body: { type?: string } }> => {
    const headers = { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" };
    const response = await fetch(`${demo.homing}/v1/${path}`, {
      ...{ method: "POST", headers, body: JSON.stringify(body) },
    });
    return { status: response.status, body: (await response.json()) as { type?: string } };
  };
  const send = (to: string) =>
    call("messages", { profile: "transactional", to, subject: "Hello", text: "Hello." });
  const returnedTo = "demo@demo.example";
  assert.equal((await send("full@elsewhere.example")).status, 202);
  const [full] = await demo.mailsTo(returnedTo, 1);
  assert.match(full?.message ?? "", /^Status: 5\.2\.2\r$/m);
  assert.equal((await send("full@elsewhere.example")).status, 202);
  await demo.mailsTo(returnedTo, 2);
  assert.equal((await send("gone@elsewhere.example")).status, 202);
  const gone = (await demo.mailsTo(returnedTo, 3)).at(-1);
  assert.match(gone?.message ?? "", /^Status: 5\.1\.1\r$/m);
  const again = await send("gone@elsewhere.example");
  assert.equal(again.status, 422);
  assert.match(again.body.type ?? "", /recipient-suppressed$/);
});
