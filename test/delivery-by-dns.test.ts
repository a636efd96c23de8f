// Where DNS leads the service: to private addresses only where its operator allows it, and past the hosts that a domain's
// MTA-STS policy does not name (RFC 8461). And what the configuration says of next hops reaches them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadConfig } from "../packages/cli/src/config/load-config.ts";
import { readForwarderSettings } from "../packages/cli/src/forwarder-settings.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "../packages/forwarder/src/testing/certificate.ts";
import { startDnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import { sendOne } from "./faults/harness/client.ts";
import { letter } from "./faults/harness/letters.ts";
import { type Sink, type SinkOptions, startSink } from "./faults/harness/sink.ts";
import { createSite, type Service } from "./faults/harness/site.ts";
import { address, texts } from "./harness/authentication-scene.ts";
import { storiesNeed } from "./harness/availability.ts";
import { waitFor } from "./harness/wait.ts";

/** Ports 25 and 443 want root. */
const skip = (await storiesNeed()) ?? false;
/** On loopback, and this process's own: whoever else has these ports open has them elsewhere. */
const HOP = `127.${64 + ((process.pid >> 15) & 63)}.${(process.pid >> 7) & 255}.${1 + (process.pid & 127)}`;
const OUR_OWN = { privateNetworks: [HOP] };
/** In the names of its certificate. */
const DOMAIN = "hop.example";
const PASSED_ON = /^250 .*: passed on$/;

interface Scene {
  readonly hop: Sink;
  readonly service: Service;
  /** Requests for the policy. */
  readonly fetches: () => number;
  /** To an alias at the domain. */
  send(): Promise<string>;
}

interface SceneOptions {
  /** The map of the configuration. */
  readonly delivery?: Readonly<Record<string, unknown>>;
  /** The text of the domain's policy file. */
  readonly policy?: readonly string[];
  readonly hopSays?: SinkOptions;
}

/** `homing serve`, DNS that leads to one address, and there a next hop and a web server with the policy. */
async function startScene(t: TestContext, { delivery = {}, policy, hopSays }: SceneOptions): Promise<Scene> {
  const hop = await startSink({ host: HOP, port: 25, ...hopSays });
  t.after(() => hop[Symbol.asyncDispose]());
  let fetches = 0;
  const web = createServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, (_, response) => {
    fetches++;
    response.writeHead(200, { "content-type": "text/plain" }).end(`${policy?.join("\n")}\n`);
  });
  web.listen(443, HOP);
  await once(web, "listening");
  t.after(() => {
    web.closeAllConnections();
    web.close();
  });
  const { place } = await startDnsServer(t, {
    [DOMAIN]: [{ type: "MX", priority: 10, exchange: `mx.${DOMAIN}` }],
    [`mx.${DOMAIN}`]: address(HOP),
    [`mta-sts.${DOMAIN}`]: address(HOP),
    ...(policy ? { [`_mta-sts.${DOMAIN}`]: texts("v=STSv1; id=1") } : {}),
  });
  const site = await createSite({
    aliases: `alice: alice@${DOMAIN}\n`,
    routes: {},
    acceptance: "in-session",
    // Nobody is kept: the client hears what became of its message.
    trustedNetworks: [],
    delivery,
    dnsPort: place.port,
  });
  t.after(() => site[Symbol.asyncDispose]());
  const trusted = join(site.stateFolder, "trusted.pem");
  await writeFile(trusted, CERTIFICATE);
  const service = await site.start({ behind: ["env", `NODE_EXTRA_CA_CERTS=${trusted}`] });
  const send = (): Promise<string> => sendOne(service.port, letter("one"));
  return { hop, service, fetches: () => fetches, send };
}

/** Why nothing was delivered: the log may come a moment after the reply. */
async function detailOf({ service }: Scene): Promise<string> {
  const failed = await waitFor(() => service.events().findLast((one) => one.event === "not-delivered"), {
    seconds: 5,
    otherwise: () => service.stdout(),
  });
  return failed.detail;
}

test("an MX record that leads to a private address is refused, and nobody is connected to", {
  skip,
}, async (t) => {
  const scene = await startScene(t, {});
  assert.match(await scene.send(), /^550 5\.4\.4 /);
  assert.match(await detailOf(scene), /an address that is no server of the Internet/);
  assert.equal(scene.hop.mostConnected(), 0);
});

test("to an address in privateNetworks mail is delivered", { skip }, async (t) => {
  const scene = await startScene(t, { delivery: OUR_OWN });
  assert.match(await scene.send(), PASSED_ON);
  assert.equal(scene.hop.copies.get("one"), 1);
  assert.equal(scene.fetches(), 0);
});

const OTHER = ["version: STSv1", "mode: enforce", "mx: other.example", "max_age: 86400"];
const THIS = ["version: STSv1", "mode: enforce", `mx: mx.${DOMAIN}`, "max_age: 86400"];
const TESTING = ["version: STSv1", "mode: testing", "mx: other.example", "max_age: 86400"];

test("a policy that does not name the MX host has mail deferred, and the log says why", {
  skip,
}, async (t) => {
  const scene = await startScene(t, { delivery: OUR_OWN, policy: OTHER });
  assert.match(await scene.send(), /^451 4\.7\.0 /);
  assert.match(
    await detailOf(scene),
    /no MX host is one that the MTA-STS policy of hop\.example names: mx\.hop\.example/,
  );
  assert.equal(scene.hop.mostConnected(), 0);
  assert.equal(scene.fetches(), 1);
});

test("a policy that names the MX host demands TLS of it", { skip }, async (t) => {
  const scene = await startScene(t, { delivery: OUR_OWN, policy: THIS });
  assert.match(await scene.send(), /^451 4\.7\./);
  assert.equal(scene.hop.copies.size, 0);
  assert.equal(scene.fetches(), 1);
});

for (const [what, delivery, policy] of [
  ["a policy in mode testing", OUR_OWN, TESTING],
  ["delivery.mtaSts: false", { ...OUR_OWN, mtaSts: false }, OTHER],
] as const) {
  test(`with ${what}, mail is delivered`, { skip }, async (t) => {
    const scene = await startScene(t, { delivery, policy });
    assert.match(await scene.send(), PASSED_ON);
    assert.equal(scene.hop.copies.get("one"), 1);
  });
}

test("no more connections to one server than connections.perServer", { skip }, async (t) => {
  const slowly = (): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), 20));
  const scene = await startScene(t, {
    delivery: { ...OUR_OWN, connections: { perServer: 2, perServerOfQueue: 1 } },
    hopSays: { dot: slowly },
  });
  const replies = await Promise.all(Array.from({ length: 10 }, scene.send));
  for (const reply of replies) assert.match(reply, PASSED_ON);
  assert.equal(scene.hop.mostConnected(), 2);
});

async function settingsOf(t: TestContext, delivery: object): ReturnType<typeof readForwarderSettings> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "homing.yaml");
  const srs = { domain: "f.example", secretsFile: "secrets" };
  const config = { hostname: "mx.f.example", domains: ["f.example"], aliasesFile: "aliases", srs, delivery };
  await writeFile(path, JSON.stringify(config));
  await writeFile(join(folder, "aliases"), "postmaster: root@home.example\n");
  for (const [name, secret] of [["secrets", "k".repeat(24)] as const, ["password", "of the user"] as const])
    await writeFile(join(folder, name), `${secret}\n`, { mode: 0o600 });
  return await readForwarderSettings(await loadConfig(path), path, () => {});
}

test("a smart host is where, how and as whom the configuration says", async (t) => {
  const smartHost = "relay.provider.example:587";
  const place = { host: "relay.provider.example", port: 587 };
  assert.equal((await settingsOf(t, {})).smartHost, undefined);
  assert.deepEqual((await settingsOf(t, { smartHost })).smartHost, place);
  assert.deepEqual((await settingsOf(t, { smartHost, smartHostTls: "required" })).smartHost, {
    ...place,
    tls: "required",
  });
  const smartHostLogin = { user: "forwarder", passwordFile: "password" };
  assert.deepEqual((await settingsOf(t, { smartHost, smartHostLogin })).smartHost, {
    ...place,
    credentials: { user: "forwarder", password: "of the user" },
  });
});

test("each limit of connections is the one that the configuration names", async (t) => {
  const connections = { perServer: 7, perServerOfQueue: 3, inAll: 70, messages: 9, idleSeconds: 4 };
  assert.deepEqual((await settingsOf(t, { connections, messagesPerSecond: 5 })).outbound, {
    maxConnections: 7,
    queueConnections: 3,
    maxTotal: 70,
    maxMessagesPerConnection: 9,
    idleSeconds: 4,
    messagesPerSecond: 5,
  });
});
