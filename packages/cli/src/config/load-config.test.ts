import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { CommandFailure } from "../failure.ts";
import { loadConfig, parseConfig, readConfig } from "./load-config.ts";
import { configSchema } from "./schema.ts";

/** Six lines: what a test adds begins on line 7. */
const MINIMAL = `hostname: mx.ours.test
domains: [ours.test]
aliasesFile: aliases
srs:
  domain: srs.ours.test
  secretsFile: secrets
`;

function failure(text: string): string[] {
  try {
    parseConfig(text, "homing.yaml");
  } catch (error) {
    assert.ok(error instanceof CommandFailure);
    assert.equal(error.reason, "config");
    return error.message.split("\n");
  }
  assert.fail("there is nothing wrong");
}

const GENERAL = Object.keys(configSchema.shape).join(", ");
const SRS = Object.keys(configSchema.shape.srs.shape).join(", ");
const HOST_PORT = "is not HOST:PORT: write 127.0.0.1:2525 or [::1]:2525";
const NETWORK = "is no IP address or network: write 192.0.2.1 or 192.0.2.0/24";

/** What is added to the minimal file, and what is told about it. */
const added: [what: string, lines: string, told: string][] = [
  [
    "an unknown key",
    "frobnicate: x",
    `7:1 frobnicate: there is no such setting (here: ${GENERAL}): take it out or correct it`,
  ],
  ["a slip in a key", "hsotname: x", "7:1 hsotname: there is no such setting: did you mean hostname?"],
  [
    "two slips in a key",
    "aliasFile: x",
    "7:1 aliasFile: there is no such setting: did you mean aliasesFile?",
  ],
  ["a key in other case", "Listen: x", "7:1 Listen: there is no such setting: did you mean listen?"],
  [
    "a slip in a key inside",
    "limits:\n  client: 1",
    "8:3 limits.client: there is no such setting: did you mean limits.clients?",
  ],
  [
    "a beginning of a key inside",
    "dotForward: { sock: /x, socket: /y }",
    "7:15 dotForward.sock: there is no such setting: did you mean dotForward.socket?",
  ],
  [
    "a key of another map",
    "tagLength: 8",
    "7:1 tagLength: there is no such setting: did you mean srs.tagLength?",
  ],
  [
    "a key that YAML takes for a number",
    "25: x",
    `7:1 25: there is no such setting (here: ${GENERAL}): take it out or correct it`,
  ],
  [
    "a key of many lines",
    '"a\\nb": x',
    `7:1 a?b: there is no such setting (here: ${GENERAL}): take it out or correct it`,
  ],
  [
    "an unknown key in the last map",
    "  speed: 1",
    `7:3 srs.speed: there is no such setting (here: ${SRS}): take it out or correct it`,
  ],
  [
    "a key of Object.prototype",
    "__proto__: { hostname: x }",
    `7:1 __proto__: there is no such setting (here: ${GENERAL}): take it out or correct it`,
  ],
  [
    "schemes that verify without the one that signs",
    "  accept: [classic]",
    "7:11 srs.accept: lacks strong, the scheme that signs: its bounces would be refused: add it",
  ],
  [
    "a minimum above the length of a tag",
    "  tagLength: 6\n  minTagLength: 7",
    "8:17 srs.minTagLength: is more than tagLength (6): our own bounces would be refused: write less",
  ],
  [
    "a domain of users that is none of ours",
    "dotForward: { socket: /s, domains: [Ours.test, b.test] }",
    '7:48 dotForward.domains.1: "b.test" is none of domains: write one of them',
  ],
  [
    "no domain of users",
    "dotForward: { socket: /s, domains: [] }",
    "7:36 dotForward.domains: is empty: name some of domains, or take it out for all of them",
  ],
  [
    "an extension that nothing takes off",
    "keepExtension: true",
    "7:16 keepExtension: keeps nothing without a recipientDelimiter: set that, or take this out",
  ],
  [
    "a route for a domain whose mail stays here",
    'delivery: { routes: { ours.test: "a.test:25" } }\nlocalDelivery: { store: "lmtp:/s" }',
    "7:34 delivery.routes.ours.test: is a domain of ours, whose mail localDelivery keeps: take it out",
  ],
  [
    "a route for a further name of such a domain",
    'delivery: { routes: { b.test: "a.test:25" } }\ndomainAliases: { B.test: ours.test }\nlocalDelivery: { store: "lmtp:/s" }',
    "7:31 delivery.routes.b.test: is a domain of ours, whose mail localDelivery keeps: take it out",
  ],
  [
    "mail and notifications that live longer than a BATV tag",
    "queue: { mailHours: 120, dsnHours: 48 }",
    "7:21 queue.mailHours: and dsnHours are 168 together, and BATV tags are good for 168: lower one of them, or set beyondBatv to true",
  ],
  [
    "a first wait that is longer than the longest",
    "queue: { firstRetryMinutes: 61 }",
    "7:29 queue.firstRetryMinutes: is more than maxRetryMinutes, 60: lower it",
  ],
  [
    "a queue without a place",
    "delivery: { acceptance: spooled }",
    "7:25 delivery.acceptance: needs a place for the queue: set stateDirectory",
  ],
  [
    "room for senders without a place",
    "  keptSenders: 5000",
    "7:16 srs.keptSenders: has no effect, since none are kept without a stateDirectory: set that, or take this out",
  ],
  [
    "a quota of kept senders without a place",
    "  keptSendersPerNetwork: 500",
    "7:26 srs.keptSendersPerNetwork: has no effect, since none are kept without a stateDirectory: set that, or take this out",
  ],
  [
    "a quota of kept senders above the room for all",
    "  keptSenders: 5000\n  keptSendersPerNetwork: 5001\nstateDirectory: state",
    "8:26 srs.keptSendersPerNetwork: is more than keptSenders (5000), and has no effect: write less",
  ],
  [
    "room for senders that is no number, without a place",
    "  keptSenders: many",
    "7:16 srs.keptSenders: is not a whole number from 1000 to 1000000: write one",
  ],
  [
    "implicit TLS without a smart host",
    "delivery: { smartHostImplicitTls: true }",
    "7:35 delivery.smartHostImplicitTls: is for a smart host, and there is none: set smartHost, or take this out",
  ],
  [
    "a login without a smart host",
    "delivery: { smartHostLogin: { user: u, passwordFile: p } }",
    "7:29 delivery.smartHostLogin: is for a smart host, and there is none: set smartHost, or take this out",
  ],
  [
    "a pid file in the place of the aliases",
    "pidFile: ./aliases",
    "7:10 pidFile: is aliasesFile, and would be written over: name a file of its own",
  ],
  [
    "a pid file in the place of the secrets",
    "pidFile: x/../secrets",
    "7:10 pidFile: is srs.secretsFile, and would be written over: name a file of its own",
  ],
  [
    "a pid file in the place of the configuration",
    "pidFile: homing.yaml",
    "7:10 pidFile: is the configuration itself, and would be written over: name a file of its own",
  ],
  ["a number for text", "listen: 2525", "7:9 listen: expected string, received number"],
  ["nothing for text", "listen:", "7:8 listen: expected string, received null"],
  [
    "text for a number",
    "limits: { clients: many }",
    "7:20 limits.clients: is not a whole number from 1 to 10000: write one",
  ],
  [
    "text for a map",
    "delivery: mx.test:25",
    "7:11 delivery: is no map of settings: write them below it, each as NAME: VALUE",
  ],
  [
    "text for a list",
    "trustedNetworks: 192.0.2.1",
    "7:18 trustedNetworks: is no list: write it in brackets, as [ONE, ANOTHER]",
  ],
  [
    "a number too small",
    "limits:\n  clients: 0",
    "8:12 limits.clients: is not a whole number from 1 to 10000: write one",
  ],
  [
    "a word that is none of those",
    "  scheme: weak",
    "7:11 srs.scheme: is not one of strong, classic: write one of them",
  ],
  [
    "a word with a slip",
    "authentication: { mode: tagonly }",
    "7:25 authentication.mode: is not one of enforce, tagOnly, off: did you mean tagOnly?",
  ],
  [
    "an HTTP server on the port of SMTP",
    'http: { listen: "0.0.0.0:25", publicUrl: "https://mx.test" }',
    "7:17 http.listen: is where the SMTP server listens: give it a port of its own",
  ],
  ["a host without a port", "listen: localhost", `7:9 listen: "localhost" ${HOST_PORT}`],
  ["a port without a host", 'listen: ":25"', `7:9 listen: ":25" ${HOST_PORT}`],
  ["a port too large", "listen: 127.0.0.1:65536", `7:9 listen: "127.0.0.1:65536" ${HOST_PORT}`],
  ["an IPv6 address without brackets", 'listen: "::1:25"', `7:9 listen: "::1:25" ${HOST_PORT}`],
  [
    "brackets around no IPv6 address",
    'listen: "[127.0.0.1]:25"',
    `7:9 listen: "[127.0.0.1]:25" ${HOST_PORT}`,
  ],
  ["a host that is no name", "listen: a_b..c:25", `7:9 listen: "a_b..c:25" ${HOST_PORT}`],
  [
    "a route without port",
    "delivery:\n  routes:\n    a.test: nope",
    `9:13 delivery.routes.a.test: "nope" ${HOST_PORT}`,
  ],
  [
    "a smart host without port",
    "delivery:\n  smartHost: nope",
    `8:14 delivery.smartHost: "nope" ${HOST_PORT}`,
  ],
  [
    "a network that is none",
    "trustedNetworks:\n  - 192.0.2.1\n  - 192.0.2.0/33",
    `9:5 trustedNetworks.1: "192.0.2.0/33" ${NETWORK}`,
  ],
  ["a network of names", "trustedNetworks: [ours.test]", `7:19 trustedNetworks.0: "ours.test" ${NETWORK}`],
  [
    "a network with two masks",
    "trustedNetworks: [192.0.2.0/24/8]",
    `7:19 trustedNetworks.0: "192.0.2.0/24/8" ${NETWORK}`,
  ],
  [
    "a route whose name YAML takes for a number, and that leads nowhere",
    "delivery:\n  routes:\n    25: nope",
    `9:9 delivery.routes.25: "nope" ${HOST_PORT}`,
  ],
  [
    "a route whose name and next hop are in the wrong order",
    "delivery:\n  routes:\n    0x19: 25",
    "9:11 delivery.routes.0x19: expected string, received number",
  ],
  ["a value of many lines", 'listen: "a\\nb"', `7:9 listen: "a?b" ${HOST_PORT}`],
  ["a tab for indentation", "limits:\n\tclients: 3", "8:1 Tabs are not allowed as indentation"],
  ["a key that comes twice", "hostname: b.test", "7:1 hostname: stands on line 1 already: keep one"],
  [
    "a key inside that comes twice",
    "limits: { clients: 1, clients: 2 }",
    "7:23 limits.clients: stands on line 7 already: keep one",
  ],
  [
    "a number that comes twice, in two spellings of text",
    'delivery: { routes: { 25: "a.test:25", "25": "a.test:25" } }',
    "7:40 delivery.routes.25: stands on line 7 already: keep one",
  ],
  ["a quote that is not closed", "listen: 'x", "8:1 Missing closing 'quote"],
  [
    "brackets without quotes, which are a YAML list",
    "listen: [::1]:25",
    '7:9 [::1]:25 is a list to YAML, because of its brackets: put it in quotes: "[::1]:25"',
  ],
  [
    "brackets without quotes in a list",
    "x:\n  - [2001:db8::1]:2525",
    '8:5 [2001:db8::1]:2525 is a list to YAML, because of its brackets: put it in quotes: "[2001:db8::1]:2525"',
  ],
  [
    "brackets without quotes in a map in braces",
    "delivery: { routes: { a.test: [::1]:25 } }",
    '7:31 [::1]:25 is a list to YAML, because of its brackets: put it in quotes: "[::1]:25"',
  ],
  [
    "brackets without quotes in a list in brackets",
    "trustedNetworks: [[::1]:25]",
    "7:19 a name cannot be a list or a map: put what has brackets or braces in quotes",
  ],
  [
    "an address in brackets, which is a whole YAML list",
    "listen: [::1]",
    "7:9 listen: expected string, received array: brackets are a list to YAML: put the value in quotes",
  ],
  ["a list of another kind", "listen:\n  - a", "8:3 listen: expected string, received array"],
  [
    "a list that is not closed",
    "listen: [::1",
    "8:1 Flow sequence in block collection must be sufficiently indented and end with a ]",
  ],
  [
    "an asterisk without quotes, which is a YAML alias",
    "listen: *.test",
    "7:9 anchors and aliases (& and *) are not allowed here: write the value out, or quote it",
  ],
  [
    "a second document",
    "---\nx: 1",
    "7:1 Source contains multiple documents; please use YAML.parseAllDocuments()",
  ],
];
for (const [what, lines, told] of added) {
  test(`${what} is told with its place: ${told.slice(0, 60)}`, () => {
    assert.deepEqual(failure(`${MINIMAL}${lines}\n`), [`homing.yaml:${told}`]);
  });
  test(`${what}: the same where lines end with CRLF`, () => {
    assert.deepEqual(failure(`${MINIMAL}${lines}\n`.replaceAll("\n", "\r\n")), [`homing.yaml:${told}`]);
  });
}

/** A line of the minimal file, and what it becomes. */
const changed: [what: string, from: string, to: string, told: string][] = [
  ["a missing key", "hostname: mx.ours.test\n", "", "1:1 hostname: is missing: add it"],
  [
    "what a check misses",
    "aliasesFile: aliases\n",
    "",
    "1:1 aliasesFile: no table says where mail goes: name an aliasesFile, a virtualFile, or both; for another mail server set adapters",
  ],
  [
    "a missing key inside is told at its map",
    "  secretsFile: secrets\n",
    "",
    "4:1 srs.secretsFile: is missing: add it",
  ],
  [
    "an empty map",
    "srs:\n  domain: srs.ours.test\n  secretsFile: secrets\n",
    "srs:\n",
    "4:5 srs: is no map of settings: write them below it, each as NAME: VALUE",
  ],
  [
    "no name of the host",
    "mx.ours.test",
    '""',
    "1:11 hostname: the domain is empty: write a domain name such as forwarder.example",
  ],
  [
    "no domain name",
    "mx.ours.test",
    "mx ours",
    '1:11 hostname: "mx ours" is not a domain name: write a domain name such as forwarder.example',
  ],
  [
    "one of several domains",
    "[ours.test]",
    "[ours.test, -x-]",
    '2:22 domains.1: "-x-" is not a domain name: write a domain name such as forwarder.example',
  ],
  [
    "no domains",
    "[ours.test]",
    "[]",
    "2:10 domains: is empty: name at least one domain, as in [forwarder.example]",
  ],
  [
    "a maildir that users of two domains would share",
    "[ours.test]",
    '[ours.test, Ours.Test, b.test]\nlocalDelivery: { store: "maildir:/m/{user}" }',
    "3:25 localDelivery.store: has no {domain}: users of one name at 2 domains would share a maildir: put {domain} into it",
  ],
  [
    "a file name that is empty",
    "aliasesFile: aliases",
    'aliasesFile: ""',
    "3:14 aliasesFile: is empty: write the name of a file",
  ],
];
for (const [what, from, to, told] of changed) {
  test(`${what} is told: ${told.slice(0, 60)}`, () => {
    assert.ok(MINIMAL.includes(from));
    assert.deepEqual(failure(MINIMAL.replace(from, to)), [`homing.yaml:${told}`]);
  });
}

test("an anchor that is used is told where it is used: nothing is expanded", () => {
  const text = `${MINIMAL.replace("mx.ours.test", "&h mx.ours.test")}listen: *h\n`;
  const why = "anchors and aliases (& and *) are not allowed here: write the value out, or quote it";
  assert.deepEqual(failure(text), [`homing.yaml:7:9 ${why}`]);
});

test("anchors that would fill the memory are refused as any other", () => {
  const lines = Array.from({ length: 40 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`);
  assert.match(failure(`a0: &a0 x\n${lines.join("\n")}\n`)[0] ?? "", /anchors and aliases/);
});

/** Whole files, and what is told of them, in this order. */
const inOneRun: [what: string, text: string, told: string[]][] = [
  [
    "mistakes of all kinds are told in the order of the file",
    `hostname: 5
limits: { clients: 0, x: 1 }
domains: []
srs:
  speed: 1
  domain: a b
hostname: b.test
`,
    [
      "1:1 aliasesFile",
      "2:20 limits.clients",
      "2:23 limits.x",
      "3:10 domains",
      "4:1 srs.secretsFile",
      "5:3 srs.speed",
      "6:11 srs.domain",
      "7:1 hostname",
    ],
  ],
  [
    "what is missing from the file stands first, in the order of the schema",
    "limits: { clients: 0 }\n",
    ["1:1 hostname", "1:1 domains", "1:1 srs", "1:1 aliasesFile", "1:20 limits.clients"],
  ],
  [
    "a second route of a domain is not hidden by a wrong one",
    `${MINIMAL}delivery:\n  routes:\n    X.test: "a.test:25"\n    y.test: nope\n    x.test: "b.test:25"\n`,
    ["10:13 delivery.routes.y.test", "11:13 delivery.routes.x.test"],
  ],
  [
    "a key that comes twice does not hide what is wrong in its second value",
    `${MINIMAL}listen: a.test:1\nlisten: nope\n`,
    ["8:1 listen", "8:9 listen"],
  ],
  [
    "settings that do not go together are told beside one that is wrong",
    `${MINIMAL}  minTagLength: 9\n  accept: [classic]\n  maxAgeDays: 0\n`,
    ["7:17 srs.minTagLength", "8:11 srs.accept", "9:15 srs.maxAgeDays"],
  ],
  [
    "what no domain fits is told beside what is wrong by itself",
    `${MINIMAL}domainAliases: { b.test: c.test, ours.test: Ours.test }
domainSettings:
  d.test: { srsDomain: x y, unknownReply: 450 5.1.1 x }
  OURS.test: { srsDomain: "1", unknownReply: é }
`,
    [
      "7:26 domainAliases.b.test",
      "7:45 domainAliases.ours.test",
      "9:11 domainSettings.d.test",
      "9:24 domainSettings.d.test.srsDomain",
      "9:43 domainSettings.d.test.unknownReply",
      "10:27 domainSettings.OURS.test.srsDomain",
      "10:46 domainSettings.OURS.test.unknownReply",
    ],
  ],
  [
    "several texts that YAML cannot read are told together",
    `listen: [::1]:25\ndelivery: { smartHost: [::1]:25 }\n`,
    ["1:9 [", "2:24 ["],
  ],
];
for (const [what, text, expected] of inOneRun) {
  test(what, () => {
    assert.deepEqual(
      failure(text).map((line) => /^homing\.yaml:(\d+:\d+ (?:\[|[\w.]+(?=:)))/.exec(line)?.[1]),
      expected,
    );
  });
}

const good: [what: string, lines: string][] = [
  [
    "a maildir by user, at a site of one domain and its further names",
    'localDelivery: { store: "maildir:/m/{user}" }\ndomainAliases: { b.test: ours.test }',
  ],
  ["a route for a domain of ours without localDelivery", 'delivery: { routes: { ours.test: "a.test:25" } }'],
  [
    "a route for another domain beside localDelivery",
    'delivery: { routes: { b.test: "a.test:25" } }\nlocalDelivery: { store: "lmtp:/s" }',
  ],
  ["a pid file of its own", "pidFile: pid"],
  ["long lives, when told", "queue: { mailHours: 120, dsnHours: 48, beyondBatv: true }"],
  ["a queue with its place", "delivery: { acceptance: spooled }\nstateDirectory: s"],
  ["an extension with its delimiter", 'keepExtension: true\nrecipientDelimiter: "+"'],
];
for (const [what, lines] of good) {
  test(`nothing is wrong with ${what}`, () => {
    assert.equal(parseConfig(`${MINIMAL}${lines}\n`, "homing.yaml").hostname, "mx.ours.test");
  });
}

for (const name of ["25", "1e3", "0x19", "true", "null", "1.0"]) {
  test(`a route may be named ${name}, which is no text to YAML, and keeps its spelling`, () => {
    const { delivery } = parseConfig(`${MINIMAL}delivery: { routes: { ${name}: "a.test:1" } }\n`, "f");
    assert.deepEqual(Object.keys(delivery.routes), [name]);
  });
}

for (const [what, text] of [
  ["nothing", ""],
  ["comments alone", "# x\n"],
  ["an empty map", "{}"],
] as const) {
  test(`a file that holds ${what} is told what it needs`, () => {
    assert.deepEqual(failure(text), [
      ...["hostname", "domains", "srs"].map((key) => `homing.yaml:1:1 ${key}: is missing: add it`),
      "homing.yaml:1:1 aliasesFile: no table says where mail goes: name an aliasesFile, a virtualFile, or both; for another mail server set adapters",
    ]);
  });
}

for (const [kind, text] of [
  ["string", "hello"],
  ["array", "- a"],
  ["number", "5"],
] as const) {
  test(`a file that is one ${kind} is told so`, () => {
    assert.deepEqual(failure(text), [
      `homing.yaml:1:1 configuration: is no map of settings: write them below it, each as NAME: VALUE`,
    ]);
  });
}

test("whatever the file holds, what is wrong is told in single lines, in the order of the file", () => {
  const sample = `${MINIMAL}limits: { clients: 3 }\ndelivery:\n  routes: { a.test: "b.test:25" }\n`;
  const piece = fc.oneof(
    fc.constantFrom(..."[]{}:,-&*!|>'\"%@`#? \n\t\r\0\u2028", "---\n", "<<: ", "%YAML 1.1\n---\n", "!!set "),
    fc.string({ maxLength: 5 }),
  );
  const spoilt = fc
    .array(fc.tuple(fc.nat(sample.length), fc.nat(8), piece), { minLength: 1, maxLength: 4 })
    .map((cuts) =>
      cuts.reduce((text, [at, gone, put]) => text.slice(0, at) + put + text.slice(at + gone), sample),
    );
  fc.assert(
    fc.property(spoilt, (text) => {
      const read = readConfig(text, "homing.yaml");
      if (read.ok) return;
      assert.ok(read.problems.length > 0);
      let [line, column] = [1, 1];
      for (const problem of read.problems) {
        assert.doesNotMatch(problem.message, /[\p{Cc}\u2028\u2029]/u);
        assert.ok(problem.line > line || (problem.line === line && problem.column >= column));
        [line, column] = [problem.line, problem.column];
      }
    }),
    { numRuns: 2000 },
  );
});

const KEPT_AS_BY_DEFAULT = "  keptSenders: 250000\n  keptSendersPerNetwork: 10000\n";
for (const lines of [KEPT_AS_BY_DEFAULT, "  keptSenders: 5000\nstateDirectory: state\n"]) {
  test(`the defaults of kept senders are no mistake beside anything: ${JSON.stringify(lines)}`, () => {
    assert.equal(parseConfig(`${MINIMAL}${lines}`, "homing.yaml").srs.keptSendersPerNetwork, 10_000);
  });
}

test("a file is read from its path, and the path stands in every message", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "homing.yaml");
  await assert.rejects(loadConfig(path), {
    message: `configuration ${path}: there is no such file`,
    reason: "config",
  });
  await assert.rejects(loadConfig(folder), {
    message: `configuration ${folder}: this is a directory, not a file`,
  });
  await writeFile(path, `${MINIMAL}x: 1\n`);
  await assert.rejects(loadConfig(path), { message: new RegExp(`^${path}:7:1 x: `) });
  await writeFile(path, `\ufeff${MINIMAL}`);
  assert.equal((await loadConfig(path)).hostname, "mx.ours.test");
});
