// Mail that we write ourselves, as its receivers judge it: Debian's dkimpy verifies our signatures with the record that
// `homing dkim new` prints, and pyspf checks our HELO name. Forwarded mail stays as it is: byte-for-byte.test.ts.
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { composeDsn, type Dsn } from "@homing/bounce-handler";
import { createMessageSigner } from "@homing/forwarder";
import { isAligned, readDkimKeys } from "../packages/cli/src/config/dkim-keys.ts";
import { dnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import { greeted, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { storiesNeed } from "./harness/availability.ts";
import { dkim } from "./harness/dkim.ts";
import { homing, startHomingService, writeServiceFiles } from "./harness/homing.ts";
import { spf } from "./harness/spf.ts";
import { waitFor } from "./harness/wait.ts";

const HOSTNAME = "mx.forwarder.example";
const DOMAIN = "forwarder.example";
const FACTS: Dsn = {
  hostname: HOSTNAME,
  id: "0123abcd",
  now: 1_800_000_000,
  to: { localPart: "bob", domain: "origin.example" },
  recipients: [
    {
      final: { localPart: "alice", domain: DOMAIN },
      action: { kind: "failed" },
      enhanced: "5.2.2",
      diagnostic: "smtp; 550 5.2.2",
    },
  ],
  arrived: 1_799_999_000,
  original: Buffer.from(
    "From: Bob <bob@origin.example>\r\nSubject: x\r\nMessage-ID: <1@origin.example>\r\n\r\nhi\r\n",
  ),
};
const DSN = composeDsn(FACTS);

const folder = await mkdtemp(join(tmpdir(), "homing-"));
after(() => rm(folder, { recursive: true, force: true }));
let made = 0;

interface NewKey {
  readonly selector: string;
  readonly keyFile: string;
  /** Name and text of the record to publish. */
  readonly name: string;
  readonly record: string;
}

async function newKey(type: "rsa" | "ed25519"): Promise<NewKey> {
  const selector = `s${++made}`;
  const keyFile = join(folder, selector);
  const args = ["--domain", DOMAIN, "--selector", selector, "--out", keyFile, "--type", type, "--json"];
  const { code, stdout, stderr } = await homing(["dkim", "new", ...args]);
  assert.equal(code, 0, stderr);
  const { name, record } = JSON.parse(String(stdout)) as Record<"name" | "record", string>;
  return { selector, keyFile, name, record };
}

/** As the service signs. */
async function signed(keys: readonly NewKey[], message = DSN): Promise<Buffer> {
  const settings = keys.map(({ selector, keyFile }) => ({ domain: DOMAIN, selector, keyFile }));
  const read = await readDkimKeys({ dkim: settings }, "/", (words) => assert.fail(words));
  return createMessageSigner(read)(message);
}

function recordsOf(keys: readonly NewKey[]): Record<string, string> {
  return Object.fromEntries(keys.map(({ name, record }) => [name, record]));
}

const skipDkim = (await storiesNeed("python3-dkim")) ?? false;

for (const types of [["rsa"], ["ed25519"], ["rsa", "ed25519"]] as const) {
  test(`dkimpy verifies a DSN that is signed with ${types.join(" and ")}`, { skip: skipDkim }, async () => {
    await using peer = await dkim();
    const keys = await Promise.all(types.map(newKey));
    const message = await signed(keys);
    const dns = recordsOf(keys);
    for (const index of keys.keys()) {
      assert.equal(await peer.verify(message, { dns, index }), true);
      const flipped = Buffer.from(message);
      const at = flipped.length - 20;
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      assert.equal(await peer.verify(flipped, { dns, index }), false);
    }
  });
}

test("dkimpy verifies a DSN to an address with UTF-8 in it", { skip: skipDkim }, async () => {
  await using peer = await dkim();
  const keys = [await newKey("rsa")];
  const [recipient] = FACTS.recipients;
  const to = { localPart: "jörg", domain: "origin.example" };
  const dsn = composeDsn({ ...FACTS, to, recipients: [{ ...recipient, final: to }], smtpUtf8: true });
  assert.ok(dsn.includes("To: <jörg@"));
  assert.equal(await peer.verify(await signed(keys, dsn), { dns: recordsOf(keys) }), true);
});

test("the DSN that the service makes of a bounce verifies where it arrives", { skip: skipDkim }, async () => {
  await using peer = await dkim();
  await using hop = await startHop();
  const keys = [await newKey("rsa"), await newKey("ed25519")];
  await using service = await startHomingService({
    config: JSON.stringify({
      hostname: HOSTNAME,
      listen: "127.0.0.1:0",
      domains: [DOMAIN],
      aliasesFile: "aliases",
      srs: { domain: DOMAIN, secretsFile: "secrets" },
      stateDirectory: "state",
      dkim: keys.map(({ selector, keyFile }) => ({ domain: DOMAIN, selector, keyFile })),
      delivery: { smartHost: `127.0.0.1:${hop.port}` },
    }),
    aliases: "postmaster: a@home.example\nalice: private@home.example\n",
    secret: "a secret of the stories, long enough",
  });
  const send = async (from: string, to: string, message: string): Promise<void> => {
    using client = await greeted({ port: service.port });
    assert.match(await transact(client, { from, to, message }), /^250 /);
  };
  const mail = "From: bob@origin.example\r\nSubject: x\r\nMessage-ID: <1@origin.example>\r\n\r\nhi\r\n";
  await send("bob@origin.example", `alice@${DOMAIN}`, mail);
  const [, srs = ""] = /^MAIL FROM:<(SRS0\S+)>/m.exec(hop.commands.join("\n")) ?? [];
  await send("", srs, BOUNCE);
  await waitFor(() => hop.messages[1], { seconds: 10, otherwise: () => service.stdout() });
  const [forwarded = Buffer.alloc(0), dsn = Buffer.alloc(0)] = hop.messages.map(withoutDot);
  assert.ok(!forwarded.includes("DKIM-Signature"));
  assert.ok(dsn.includes(`\r\nFinal-Recipient: rfc822; alice@${DOMAIN}\r\n`));
  for (const index of keys.keys())
    assert.equal(await peer.verify(dsn, { dns: recordsOf(keys), index }), true);
});

const BOUNCE = [
  "From: mailer-daemon@home.example",
  "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
  "",
  "--b",
  "Content-Type: message/delivery-status",
  "",
  "Reporting-MTA: dns; mx.home.example",
  "",
  "Final-Recipient: rfc822; private@home.example",
  "Action: failed",
  "Status: 5.1.1",
  "",
  "--b--",
  "",
].join("\r\n");

/** As it was sent; no line of it begins with a dot. */
function withoutDot(message: Buffer): Buffer {
  return message.subarray(0, message.lastIndexOf(".\r\n"));
}

const changes: [what: string, change: (text: string) => string, verifies: boolean][] = [
  ["another Subject", (text) => text.replace("was not delivered", "was delivered"), false],
  ["a second From", (text) => `From: <a@b.example>\r\n${text}`, false],
  ["a Reply-To", (text) => `Reply-To: <a@b.example>\r\n${text}`, false],
  ["more behind its end", (text) => `${text}more\r\n`, false],
  ["a trace field, as each server adds it", (text) => `Received: from x by y; z\r\n${text}`, true],
];
for (const [what, change, verifies] of changes) {
  test(`with ${what} a signed DSN ${verifies ? "still verifies" : "fails"}`, { skip: skipDkim }, async () => {
    await using peer = await dkim();
    const keys = [await newKey("ed25519")];
    const changed = change((await signed(keys)).toString("latin1"));
    const dns = recordsOf(keys);
    assert.equal(await peer.verify(Buffer.from(changed, "latin1"), { dns }), verifies);
  });
}

test("the domain that signs aligns with the From of a DSN", async () => {
  const text = (await signed([await newKey("rsa")])).toString("latin1");
  const [, from = ""] = /^From: .*@(\S+)>\r$/m.exec(text) ?? [];
  const [, signer = ""] = /[; ]d=([^;]+);/.exec(text) ?? [];
  assert.deepEqual([from, signer], [HOSTNAME, DOMAIN]);
  assert.ok(isAligned(signer, from));
});

const skipSpf = (await storiesNeed("python3-spf")) ?? false;

const spfRecords: [record: string | undefined, result: string, warning: RegExp | undefined][] = [
  ["v=spf1 a -all", "pass", undefined],
  ["v=spf1 ip4:127.0.0.1 -all", "pass", undefined],
  ["v=spf1 redirect=_spf.forwarder.example", "pass", undefined],
  ["v=spf1 -all", "fail", /lets no address pass/],
  ["v=spf1 exp=why.forwarder.example ~all", "softfail", /lets no address pass/],
  [undefined, "none", /it has no SPF record/],
];
for (const [record, result, warning] of spfRecords) {
  test(`<> from our address with HELO ${HOSTNAME} and ${record ?? "no record"}: ${result}, and config check --dns ${warning ? "warns" : "is content"}`, {
    skip: skipSpf,
  }, async (t) => {
    await using peer = await spf();
    const texts = { [HOSTNAME]: record, "_spf.forwarder.example": "v=spf1 ip4:127.0.0.0/8 -all" };
    const dns = Object.fromEntries(
      Object.entries(texts).map(([name, text]) => [
        name,
        { TXT: text === undefined ? [] : [text], A: ["127.0.0.1"] },
      ]),
    );
    assert.equal(await peer.check({ client: "127.0.0.1", helo: HOSTNAME, sender: "", dns }), result);
    const { code, stderr } = await checked(t, { spf: record });
    assert.equal(code, 0, stderr);
    if (warning) assert.match(stderr, warning);
    else assert.equal(stderr, "");
  });
}

interface Checked {
  readonly spf?: string | undefined;
  readonly dkim?: string;
  readonly records?: Readonly<Record<string, string>>;
}

/** `homing config check --dns` with these records. */
async function checked(
  t: TestContext,
  { spf: spfRecord, dkim: setting = "unsigned", records = {} }: Checked,
) {
  const path = await writeServiceFiles({
    config:
      `hostname: ${HOSTNAME}\ndomains: [${DOMAIN}]\naliasesFile: aliases\n` +
      `srs: { domain: ${DOMAIN}, secretsFile: secrets }\ndkim: ${setting}\n`,
    aliases: "postmaster: a@home.example\n",
    secret: "v3ry-s3cret-and-long-enough",
  });
  t.after(() => rm(dirname(path), { recursive: true, force: true }));
  const txt = (text: string | undefined) =>
    text === undefined ? [] : [{ type: "TXT" as const, strings: text.match(/.{1,255}/g) ?? [] }];
  const server = await dnsServer(t, {
    [DOMAIN]: [{ type: "MX", priority: 1, exchange: HOSTNAME }],
    [HOSTNAME]: txt(spfRecord),
    ...Object.fromEntries(Object.entries(records).map(([name, text]) => [name.toLowerCase(), txt(text)])),
  });
  return homing(["config", "check", "--config", path, "--dns", server]);
}

test("config check --dns refuses a key that is not the published one, and warns of one that is not there", async (t) => {
  const spfRecord = "v=spf1 a -all";
  const [ours, other] = [await newKey("rsa"), await newKey("rsa")];
  const setting = `[{ domain: ${DOMAIN}, selector: ${ours.selector}, keyFile: ${ours.keyFile} }]`;
  const options = { spf: spfRecord, dkim: setting };
  const good = await checked(t, { ...options, records: { [ours.name]: ours.record } });
  assert.deepEqual([good.code, good.stderr], [0, ""]);
  const wrong = await checked(t, { ...options, records: { [ours.name]: other.record } });
  assert.equal(wrong.code, 78);
  assert.match(
    wrong.stderr,
    /^homing: .*homing\.yaml:5:\d+ dkim\.0\.selector: s\d+\._domainkey\.forwarder\.example has another key than keyFile, .*: publish .*p=[\w+/=]+\n$/,
  );
  assert.ok(wrong.stderr.includes(ours.record));
  const missing = await checked(t, options);
  assert.equal(missing.code, 0);
  assert.match(missing.stderr, /^homing: warning: dkim\.0: DNS has no key at s\d+\._domainkey\./);
});

test("dkim new writes a key of mode 600, prints the record alone, and takes no name twice", async () => {
  const keyFile = join(folder, "once");
  const args = ["dkim", "new", "--domain", "BÜCHER.example", "--selector", "a", "--out", keyFile];
  const { code, stdout, stderr } = await homing(args);
  assert.equal(code, 0, stderr);
  assert.match(
    String(stdout),
    /^a\._domainkey\.xn--bcher-kva\.example\. IN TXT \( "v=DKIM1; k=rsa; p=[\w+/]+" "[\w+/=]+" \)\n$/,
  );
  for (const [, string = ""] of String(stdout).matchAll(/"([^"]*)"/g)) assert.ok(string.length <= 255);
  assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
  const key = await readFile(keyFile, "utf8");
  assert.match(key, /^-----BEGIN PRIVATE KEY-----\n/);
  assert.ok(!`${stdout}${stderr}`.includes(key.split("\n")[1] ?? ""));
  const again = await homing(args);
  assert.equal(again.code, 78);
  assert.match(again.stderr, /is there already, and stays as it is/);
  assert.equal(await readFile(keyFile, "utf8"), key);
});

const wrongOptions: [option: string, value: string, words: RegExp][] = [
  ["--domain", "a b", /--domain .*is not a domain name/],
  ["--selector", "a b", /--selector "a b" is no selector/],
  ["--type", "dsa", /--type/],
];
for (const [option, value, words] of wrongOptions) {
  test(`dkim new ${option} "${value}" is a mistake of usage`, async () => {
    const good = { "--domain": DOMAIN, "--selector": "a", "--out": join(folder, "never"), "--type": "rsa" };
    const args = Object.entries({ ...good, [option]: value }).flat();
    const { code, stderr } = await homing(["dkim", "new", ...args]);
    assert.equal(code, 2);
    assert.match(stderr, words);
    await assert.rejects(stat(join(folder, "never")), { code: "ENOENT" });
  });
}

test("a key that others can read is refused, as a secrets file is", async (t) => {
  const { keyFile, selector } = await newKey("ed25519");
  await chmod(keyFile, 0o644);
  const { code, stderr } = await checked(t, {
    dkim: `[{ domain: ${DOMAIN}, selector: ${selector}, keyFile: ${keyFile} }]`,
  });
  assert.equal(code, 78);
  assert.match(stderr, /^homing: DKIM key .* has mode 0644: others can read or change it: run chmod 600/);
});
