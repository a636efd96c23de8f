// The page that says why mail was refused, served by the service beside its mail.
import assert from "node:assert/strict";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { type TestContext, test } from "node:test";
import { createWhyLinks } from "@homing/forwarder";
import { freePort } from "./harness/free-port.ts";
import { type HomingService, homing, startHomingService, writeServiceFiles } from "./harness/homing.ts";

const SECRET = "a secret of the stories, long enough";
const publicUrl = "https://mx.forwarder.example";

function configOf(http: string): string {
  return `hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
srs: { domain: forwarder.example, secretsFile: secrets }
${http}`;
}

const FILES = { aliases: "alice: alice@home.example\n", secret: SECRET };

interface Page {
  readonly service: HomingService;
  readonly port: number;
}

async function startPage(): Promise<Page & AsyncDisposable> {
  const config = configOf(`http: { listen: "127.0.0.1:0", publicUrl: "${publicUrl}/" }\n`);
  const service = await startHomingService({ ...FILES, config });
  const [, port] = await service.waitForOutput(/"event":"http-listening","host":"127\.0\.0\.1","port":(\d+)/);
  return { service, port: Number(port), [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() };
}

/** The path of a homing.yaml. */
async function filesOf(t: TestContext, config: string): Promise<string> {
  const path = await writeServiceFiles({ ...FILES, config });
  t.after(() => rm(dirname(path), { recursive: true, force: true }));
  return path;
}

function mint(ageDays: number, secret = SECRET): string {
  const now = Math.floor(Date.now() / 1000);
  const links = createWhyLinks({ publicUrl, secrets: [secret], now: () => now });
  return links
    .mint({
      fault: "spf-fail",
      action: "refuse",
      at: now - ageDays * 86_400,
      client: "192.0.2.1",
      helo: "mail.host.example",
      sender: "bob@origin.example",
      domain: "origin.example",
      mechanism: "-all",
    })
    .slice(publicUrl.length);
}

test("homing serve shows the page of a link that its secret signed, and says nothing to any other link", async () => {
  await using page = await startPage();
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${page.port}${path}`);
  const good = await get(mint(1));
  assert.equal(good.status, 200);
  const text = await good.text();
  for (const words of ["bob@origin.example", "192.0.2.1", "-all", "mx.forwarder.example"])
    assert.ok(text.includes(words), words);
  assert.equal((await get("/")).status, 200);
  for (const [path, status] of [
    [mint(1).replace("bob", "eve"), 404],
    [mint(1, "another site's secret, long enough"), 404],
    [mint(31), 410],
  ] as const) {
    const refused = await get(path);
    assert.equal(refused.status, status);
    assert.doesNotMatch(await refused.text(), /origin\.example/);
  }
});

test("browsers that go away leave no word in the log, and one that stays does not hold up the end", async () => {
  await using page = await startPage();
  for (let round = 0; round < 50; round++) {
    const gone = connect(page.port, "127.0.0.1");
    gone.on("error", () => {});
    gone.write(`GET ${mint(1)} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await once(gone, "connect");
    if (round % 2 === 0) gone.resetAndDestroy();
    else gone.destroy();
  }
  const stays = connect(page.port, "127.0.0.1");
  stays.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await once(stays, "data");
  const events = (await page.service.events()).map(({ event }) => String(event));
  assert.deepEqual(events, ["listening", "http-listening"]);
  const ended = once(stays, "close");
  assert.equal(await page.service.stop(), 0);
  await ended;
});

test("a port that another program has ends the start: nothing listens, and the message says what to do", async (t) => {
  const port = await freePort();
  const other = await startHomingService({ ...FILES, config: configOf("").replace(":0", `:${port}`) });
  await using _ = other;
  const smtp = await freePort();
  const config = configOf(`http: { listen: "127.0.0.1:${port}", publicUrl: "${publicUrl}" }\n`);
  const path = await filesOf(t, config.replace(":0", `:${smtp}`));
  const { code, stderr } = await homing(["serve", "--config", path]);
  assert.equal(code, 69);
  assert.match(
    stderr,
    /^homing: 127\.0\.0\.1:\d+ is taken by another program: stop it, or change http\.listen in .*homing\.yaml$/m,
  );
  await assert.rejects(once(connect(smtp, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
});

test("homing config check tells what is wrong with a public URL", async (t) => {
  for (const [url, words] of [
    ["mx.forwarder.example", "is no URL of a server: write one such as https://mx.forwarder.example"],
    ["https://mx.forwarder.example/?q=1", "is no URL of a server"],
    [`https://${"x".repeat(60)}.${"x".repeat(60)}.example`, "a link has room for 100"],
  ] as const) {
    const config = configOf(`http: { publicUrl: "${url}" }\n`);
    const path = await filesOf(t, config);
    const { code, stderr } = await homing(["config", "check", "--config", path]);
    assert.equal(code, 78);
    assert.match(stderr, /homing\.yaml:\d+:\d+ http\.publicUrl: /);
    assert.ok(stderr.includes(words), stderr);
  }
});
