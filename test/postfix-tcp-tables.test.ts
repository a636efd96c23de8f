// A site that had PostSRSd 1, by the recipe deploy/postfix/tcp-tables: its main.cf stays, Homing is in its place, and beside
// the tables forward and reverse there is reject.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { storiesNeed } from "./harness/availability.ts";
import { freePort } from "./harness/free-port.ts";
import { homing } from "./harness/homing.ts";
import {
  freePorts,
  type MapsScene,
  PRIVATE,
  parametersOf,
  REFUSED,
  recipe,
  startMapsScene,
} from "./harness/postfix-maps-scene.ts";
import { waitFor } from "./harness/wait.ts";

const skip = (await storiesNeed("postfix")) ?? false;
/** Here the SRS domain is the site's own, as it is where PostSRSd was never told of another. */
const SRS = /^SRS0=[A-Za-z0-9+/]{8}=[A-Z2-7]{2}=source\.example=bob@forwarder\.example$/;
const FORGED = "SRS0=AAAA=G3=source.example=bob@forwarder.example";

/** Of PostSRSd 1 in Debian: /etc/default/postsrsd. */
const DEFAULTS = `
SRS_DOMAIN=forwarder.example
SRS_EXCLUDE_DOMAINS="mx.forwarder.example, .customers.example"
SRS_SEPARATOR==
SRS_SECRET=/etc/postsrsd.secret
SRS_HASHLENGTH=4
SRS_HASHMIN=4
SRS_FORWARD_PORT=10001
SRS_REVERSE_PORT=10002
RUN_AS=postsrsd
SRS_LISTEN_ADDR=127.0.0.1
CHROOT=/var/lib/postsrsd
`;
const PORTS = ["10001", "10002", "10003"];

const stack = new AsyncDisposableStack();
after(() => stack.disposeAsync());
let started: MapsScene | undefined;

function scene(): MapsScene {
  assert.ok(started, "the scene has not started");
  return started;
}

before(async () => {
  if (skip) return;
  const ports: [string, string][] = [];
  for (const port of PORTS) ports.push([port, String(await freePort())]);
  const settings = parametersOf(await recipe("postfix/tcp-tables/main.cf", ports));
  started = stack.use(await startMapsScene({ ports: await freePorts(), settings }));
  const secrets = ["/etc/postsrsd.secret", join(started.folder, "secrets")] as const;
  const config = await recipe("postfix/tcp-tables/homing.yaml", [...ports, secrets]);
  await started.start("tcp-tables", config, 3);
});

test("homing import makes the recipe of PostSRSd's settings, but for its short tags, the host name and reject", {
  skip,
}, async () => {
  const file = join(scene().folder, "postsrsd");
  await writeFile(file, DEFAULTS);
  const { code, stdout, stderr } = await homing(["import", "postsrsd", file]);
  assert.equal(code, 0, stderr);
  const lines = (yaml: string): string[] =>
    yaml.split("\n").filter((line) => line.trim() !== "" && !line.trimStart().startsWith("#"));
  const ours = lines(await recipe("postfix/tcp-tables/homing.yaml"));
  assert.deepEqual(
    ours.filter((line) => !lines(String(stdout)).includes(line)),
    ["hostname: mx.forwarder.example", "  tagLength: 8", "    reject: 127.0.0.1:10003"],
  );
});

test("Postfix, tcp tables | SRS out | mail to an alias leaves with an SRS sender", { skip }, async () => {
  const { send, sentOn } = scene();
  assert.match(await send({ from: "bob@source.example", to: "alice@forwarder.example" }), /^250 /);
  assert.match((await sentOn(PRIVATE)).reversePath, SRS);
});

test("Postfix, tcp tables | bounce back | a bounce to the SRS address goes to the original sender", {
  skip,
}, async () => {
  const { send, sentOn, hop } = scene();
  const { reversePath } = await sentOn(PRIVATE);
  const before = hop.taken.length;
  assert.match(await send({ from: "", to: reversePath }), /^250 /);
  const bounce = await waitFor(() => hop.taken[before], { seconds: 20, otherwise: () => "no bounce" });
  assert.equal(bounce.recipient, "bob@source.example");
  assert.equal(bounce.reversePath, "");
});

test("Postfix, tcp tables | private DSN: no | the bounce says where the alias leads", { skip }, async () => {
  const { send, hop } = scene();
  assert.match(await send({ from: "bob@source.example", to: "refused@forwarder.example" }), /^250 /);
  const dsn = await waitFor(() => hop.taken.find(({ message }) => message.includes("Final-Recipient")), {
    seconds: 20,
    otherwise: () => "no bounce",
  });
  assert.equal(dsn.recipient, "bob@source.example");
  assert.ok(dsn.message.includes(REFUSED));
});

test("Postfix, tcp tables | forged refused | with the table reject, a forged SRS recipient is refused at RCPT", {
  skip,
}, async () => {
  const { send, hop } = scene();
  assert.match(await send({ from: "", to: FORGED }), /^550 5\.7\.1 .*takes only bounces/);
  assert.match(await send({ from: "", to: `${FORGED}.` }), /^550 5\.7\.1 .*takes only bounces/);
  const before = hop.taken.length;
  const user = FORGED.slice(0, FORGED.indexOf("@"));
  for (const to of [`${user}%forwarder.example`, `forwarder.example!${user}@forwarder.example`])
    assert.match(await send({ from: "", to }), /^[45]5\d /, to);
  assert.equal(hop.taken.length, before);
});

test("Postfix, tcp tables | SPF: no | a table does not see who sends", { skip }, async () => {
  const { send, hop } = scene();
  const before = hop.taken.length;
  assert.match(await send({ from: "eve@fail.example", to: "alice@forwarder.example" }), /^250 /);
  const taken = await waitFor(() => hop.taken[before], { seconds: 20, otherwise: () => "no mail" });
  assert.doesNotMatch(taken.message, /^Received-SPF:/m);
});

test("Postfix, tcp tables | local mail untouched: no | cleanup does not know yet that the mail stays here", {
  skip,
}, async () => {
  const { send, postfix } = scene();
  assert.match(await send({ from: "bob@source.example", to: "keeper@forwarder.example" }), /^250 /);
  const [mail] = await postfix.mail("keeper");
  assert.match(String(mail), /^Return-Path: <SRS0=.*@forwarder\.example>$/m);
});

test("the null sender and our own senders stay as they are", { skip }, async () => {
  const { send, sentOn } = scene();
  const senders = ["", "ann@forwarder.example", "ann@mail.customers.example", "root@mx.forwarder.example"];
  for (const [index, from] of senders.entries()) {
    const to = `own${index}@elsewhere.example`;
    assert.match(await send({ from, to, client: "127.0.0.1" }), /^250 /);
    assert.equal((await sentOn(to)).reversePath, from);
  }
});

test("postmap asks a tcp table alone, and codes what must be coded", { skip }, async () => {
  const { postfix } = scene();
  const table = (await postfix.run(["postconf", "-h", "sender_canonical_maps"])).stdout.toString().trim();
  const ask = (key: string) => postfix.run(["postmap", "-q", key, table]);
  const found = await ask('"two % words"@source.example');
  assert.match(String(found.stdout), /^"SRS0=\S+=source\.example=two % words"@forwarder\.example\n$/);
  assert.equal((await ask("ann@forwarder.example")).code, 1);
});

test("while Homing is away every client keeps its mail", { skip }, async () => {
  const { send, hop, stop } = scene();
  await stop();
  const before = hop.taken.length;
  assert.match(await send({ from: "bob@source.example", to: "alice@forwarder.example" }), /^451 4\.3\.\d /);
  assert.equal(hop.taken.length, before);
});
