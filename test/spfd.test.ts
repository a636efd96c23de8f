// The spfd protocol beside Debian's spfd (Mail::SPF): the same requests over the same DNS, and what differs.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { listenAdapter, spfdProtocol } from "@homing/mta-adapters";
import { checkSpf } from "@homing/spf";
import { startDnsServer, type Zone } from "../packages/forwarder/src/testing/dns-server.ts";
import { openDns } from "../packages/forwarder/src/testing/test-dns.ts";
import { dial } from "../packages/forwarder/src/testing/wire.ts";
import { storiesNeed } from "./harness/availability.ts";
import { startSpfd } from "./harness/spfd.ts";

const RECEIVER = "mx.receiver.example";
const spf = (...strings: string[]) => ({ type: "TXT", strings }) as const;
const ZONE: Zone = {
  "pass.example": [spf("v=spf1 ip4:192.0.2.1 -all")],
  "fail.example": [spf("v=spf1 -all")],
  "exp.example": [spf("v=spf1 -all exp=why.exp.example")],
  "why.exp.example": [spf("%{i} is not one of %{d}, says %{r}")],
  "soft.example": [spf("v=spf1 ~all")],
  "neutral.example": [spf("v=spf1 ?all")],
  "default.example": [spf("v=spf1 ip4:198.51.100.1")],
  "wrong.example": [spf("v=spf1 ipv4:192.0.2.1 -all")],
  "two.example": [spf("v=spf1 -all"), spf("v=spf1 +all")],
  "inc.example": [spf("v=spf1 include:pass.example -all")],
  "redirected.example": [spf("v=spf1 redirect=exp.example")],
  "broken.example": "SERVFAIL",
  "none.example": [spf("not SPF")],
  "helo.example": [spf("v=spf1 ip4:192.0.2.1 -all")],
  "macro.example": [spf("v=spf1 exists:%{h}.x.example -all")],
  "mx.here.example.x.example": [{ type: "A", address: [127, 0, 0, 2] }],
  "sid.example": [spf("v=spf1 -all"), spf("spf2.0/mfrom ip4:192.0.2.1 -all")],
};

const FROM = "ip_address=192.0.2.1\n";
const DOMAINS = Object.keys(ZONE).filter((domain) => !/^(?:wrong|why|mx)\./.test(domain));

const SAME: readonly string[] = [
  ...[...DOMAINS, "nowhere.example"].flatMap((domain) => [
    `identity=bob@${domain}\n${FROM}\n`,
    `ip=192.0.2.1\nhelo=mx.here.example\nsender=bob@${domain}\n\n`,
  ]),
  `scope=helo\nidentity=helo.example\n${FROM}\n`,
  `scope=helo\nidentity=fail.example\n${FROM}\n`,
  `scope=helo\nidentity=nowhere.example\n${FROM}\n`,
  `scope=mfrom\nversions=1\nidentity=bob@fail.example\n${FROM}\n`,
  `scope=\nversions=\nidentity=bob@fail.example\n${FROM}\n`,
  `versions=1,2\nidentity=bob@pass.example\n${FROM}\n`,
  `identity=bob@pass.example\nip_address=::ffff:192.0.2.1\n\n`,
  `identity=bob@pass.example\nip_address=2001:db8::1\n\n`,
  `identity=pass.example\n${FROM}\n`,
  `identity=Bob@PASS.example.\n${FROM}\n`,
  `Identity=bob@pass.example  \nIP_Address=192.0.2.1\t\r\n\n`,
  `identity="b=b"@pass.example\n${FROM}\n`,
  `identity=bob@fail.example\nsender=bob@pass.example\n${FROM}\n`,
  `sender=bob@fail.example\nidentity=bob@pass.example\n${FROM}\n`,
  `ip=192.0.2.9\n${FROM}identity=bob@pass.example\n\n`,
  `unknown=1\nnothing\n=\nidentity=bob@pass.example\n${FROM}\n`,
  `identity=bob@pass.example\n${FROM}`,
  `identity=bob@pass.example\nip_address=192.0.2.1`,
  // Nobody can answer these: the connection is closed without a word.
  `\n`,
  `identity=bob@pass.example\n\n`,
  `${FROM}\n`,
  `${FROM}identity\n\n`,
  `identity=bob@pass.example\nip_address=somewhere\n\n`,
  `scope=other\nidentity=bob@pass.example\n${FROM}\n`,
  `versions=3\nidentity=bob@pass.example\n${FROM}\n`,
  `scope=helo\nversions=2\nidentity=helo.example\n${FROM}\n`,
  `scope=helo\nidentity=\n${FROM}\n`,
];

const DIFFERENT: readonly [request: string, why: string, theirs: string, ours: string][] = [
  [
    `ip=192.0.2.1\nhelo=helo.example\nsender=\n\n`,
    "the null sender is checked by its HELO name (RFC 7208 §2.4), as Mail::SPF::Query did: spfd closes without a word",
    "closed",
    "pass v=spf1 ip4:192.0.2.1 -all",
  ],
  [
    `identity=\nhelo_identity=fail.example\n${FROM}\n`,
    "the same, by the names of today",
    "closed",
    "fail v=spf1 -all",
  ],
  [
    `scope=pra\nidentity=bob@pass.example\n${FROM}\n`,
    "Sender ID (RFC 4406) never came into use: it is not checked",
    "none",
    "closed",
  ],
  [
    `versions=2\nidentity=bob@pass.example\n${FROM}\n`,
    "there are no records of version 2: it is not checked",
    "none",
    "closed",
  ],
  [
    `identity=bob@wrong.example\n${FROM}\n`,
    "a record that is wrong is told, too: its owner looks for the mistake there",
    "permerror",
    "permerror v=spf1 ipv4:192.0.2.1 -all",
  ],
  [
    `identity=bob@pass.example\nip_address=192.0.2.1/32\n\n`,
    "a client has an address, not a network",
    "pass v=spf1 ip4:192.0.2.1 -all",
    "closed",
  ],
];

test("the spfd protocol", { skip: (await storiesNeed("spf-tools-perl")) ?? false }, async (t) => {
  const { place } = await startDnsServer(t, ZONE);
  await using real = await startSpfd(`127.0.0.1:${place.port}`, RECEIVER);
  const ours = await listen(t, place.port);
  const both = (request: string) => Promise.all([ask(ours, request), ask(real.port, request)]);

  for (const request of SAME) {
    await t.test(`has spfd's keys, result and record: ${JSON.stringify(request)}`, async () => {
      const [mine, its] = await both(request);
      assert.deepEqual(compared(mine), compared(its));
    });
  }

  for (const [request, why, theirs, expected] of DIFFERENT) {
    await t.test(`differs from spfd: ${why}: ${JSON.stringify(request)}`, async () => {
      const [mine, its] = await both(request);
      const said = (answer: Answer): string =>
        ["result", "spf_record"].flatMap((key) => answer.get(key) ?? []).join(" ") || "closed";
      assert.deepEqual([said(its), said(mine)], [theirs, expected]);
    });
  }

  await t.test("the domain's own explanation is the same in both", async () => {
    for (const domain of ["exp.example", "redirected.example"]) {
      const [mine, its] = await both(`sender=bob@${domain}\nip=192.0.2.1\n\n`);
      const words = "192.0.2.1 is not one of exp.example, says mx.receiver.example";
      assert.equal(its.get("smtp_comment"), words);
      for (const key of ["authority_explanation", "smtp_comment"]) assert.equal(mine.get(key), its.get(key));
    }
  });

  await t.test("the field has the pairs that spfd's has, and the words of the other keys", async () => {
    const [mine, its] = await both(`sender=bob@pass.example\nip=192.0.2.1\nhelo=mx.here.example\n\n`);
    const pairs = (answer: Answer): string[] =>
      (answer.get("received_spf_header") ?? "").replace(/^.*\) (?=receiver=)/, "").split(/; ?/);
    assert.deepEqual(pairs(mine).slice(0, 5), pairs(its));
    for (const answer of [mine, its]) {
      const comment = answer.get("header_comment") ?? "";
      assert.ok(answer.get("received_spf_header")?.startsWith(`Received-SPF: pass (${comment})`));
      assert.equal(answer.get("local_explanation"), comment);
      assert.equal(answer.get("smtp_comment"), comment);
    }
  });
});

type Answer = ReadonlyMap<string, string>;

async function listen(t: TestContext, dnsPort: number): Promise<number> {
  const resolver = openDns(t, { servers: [{ host: "127.0.0.1", port: dnsPort }] });
  const now = (): number => 1_800_000_000;
  const listener = await listenAdapter({
    adapter: "spfd",
    place: { host: "127.0.0.1", port: 0 },
    protocol: spfdProtocol({
      check: (question) => checkSpf(question, { resolver, now, receiver: RECEIVER }),
      receiver: RECEIVER,
    }),
    maxConnections: 10,
    report: (event) => assert.equal(event.event, "adapter-fault"),
    nowMs: () => 0,
  });
  t.after(() => listener.close());
  assert.ok("port" in listener.place);
  return listener.place.port;
}

/** Empty where the connection was closed without a word. */
async function ask(port: number, request: string): Promise<Answer> {
  using wire = await dial({ port });
  // Without an empty line, the end of the client's side is the end of the request.
  if (request === "\n" || request.endsWith("\n\n")) wire.send(request);
  else wire.socket.end(request);
  const text = await wire.rest();
  return new Map(
    text.split("\n").flatMap((line) => {
      const equals = line.indexOf("=");
      return equals < 0 ? [] : [[line.slice(0, equals), line.slice(equals + 1)] as const];
    }),
  );
}

/** All but the words, which are each program's own. */
function compared(answer: Answer): unknown {
  return [[...answer.keys()], answer.get("result"), answer.get("spf_record")];
}
