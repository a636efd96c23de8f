import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CommandFailure } from "../failure.ts";
import { loadConfig, parseConfig } from "./load-config.ts";

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

const GENERAL = "hostname, listen, domains, aliasesFile, srs, delivery, trustedNetworks, limits";
const SRS =
  "domain, secretsFile, scheme, accept, separator, tagLength, minTagLength, alphabet, weakSecret, maxAgeDays";
const HOST_PORT = "is not HOST:PORT: write 127.0.0.1:2525 or [::1]:2525";
const NETWORK = "is no IP address or network: write 192.0.2.1 or 192.0.2.0/24";

/** What is added to the minimal file, and what is told about it. */
const added: [what: string, lines: string, told: string][] = [
  [
    "an unknown key",
    "hostnam: x",
    `7:1 hostnam: there is no such setting (here: ${GENERAL}): take it out or correct it`,
  ],
  [
    "an unknown key inside",
    "limits:\n  client: 1",
    "8:3 limits.client: there is no such setting (here: messageOctets, clients): take it out or correct it",
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
  ["a number for text", "listen: 2525", "7:9 listen: expected string, received number"],
  ["nothing for text", "listen:", "7:8 listen: expected string, received null"],
  [
    "text for a number",
    "limits: { clients: many }",
    "7:20 limits.clients: is not a whole number from 1 to 10000: write one",
  ],
  ["text for a map", "delivery: mx.test:25", "7:11 delivery: expected object, received string"],
  ["text for a list", "trustedNetworks: 192.0.2.1", "7:18 trustedNetworks: expected array, received string"],
  [
    "a number too small",
    "limits:\n  clients: 0",
    "8:12 limits.clients: is not a whole number from 1 to 10000: write one",
  ],
  [
    "a word that is none of those",
    "  scheme: weak",
    '7:11 srs.scheme: Invalid option: expected one of "strong"|"classic"',
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
  ["a tab for indentation", "limits:\n\tclients: 3", "8:1 Tabs are not allowed as indentation"],
  ["a key that comes twice", "hostname: b.test", "7:1 Map keys must be unique"],
  ["a quote that is not closed", "listen: 'x", "8:1 Missing closing 'quote"],
  [
    "brackets without quotes, which are a YAML list",
    "listen: [::1]:25",
    "7:14 Unexpected scalar at node end",
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
  ["a missing key", "aliasesFile: aliases\n", "", "1:1 aliasesFile: is missing: add it"],
  [
    "a missing key inside is told where its map begins",
    "  secretsFile: secrets\n",
    "",
    "5:3 srs.secretsFile: is missing: add it",
  ],
  [
    "an empty map",
    "srs:\n  domain: srs.ours.test\n  secretsFile: secrets\n",
    "srs:\n",
    "4:5 srs: expected object, received null",
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
  const why = "anchors and aliases (& and *) are not allowed here: write the value out";
  assert.deepEqual(failure(text), [`homing.yaml:7:9 ${why}`]);
});

test("anchors that would fill the memory are refused as any other", () => {
  const lines = Array.from({ length: 40 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`);
  assert.match(failure(`a0: &a0 x\n${lines.join("\n")}\n`)[0] ?? "", /anchors and aliases/);
});

test("all mistakes are told in one run", () => {
  const told = failure(
    "hostname: 5\ndomains: []\nsrs:\n  domain: a b\n  speed: 1\nlimits: { clients: 0, x: 1 }\n",
  );
  assert.deepEqual(
    told.map((line) => /^homing\.yaml:(\d+:\d+ [\w.]+):/.exec(line)?.[1]).sort(),
    [
      "1:1 aliasesFile",
      "1:11 hostname",
      "2:10 domains",
      "4:3 srs.secretsFile",
      "4:11 srs.domain",
      "5:3 srs.speed",
      "6:20 limits.clients",
      "6:23 limits.x",
    ].sort(),
  );
});

for (const [what, text] of [
  ["nothing", ""],
  ["comments alone", "# x\n"],
  ["an empty map", "{}"],
] as const) {
  test(`a file that holds ${what} is told what it needs`, () => {
    assert.deepEqual(
      failure(text),
      ["hostname", "domains", "aliasesFile", "srs"].map(
        (key) => `homing.yaml:1:1 ${key}: is missing: add it`,
      ),
    );
  });
}

for (const [kind, text] of [
  ["string", "hello"],
  ["array", "- a"],
  ["number", "5"],
] as const) {
  test(`a file that is one ${kind} is told so`, () => {
    assert.deepEqual(failure(text), [`homing.yaml:1:1 configuration: expected object, received ${kind}`]);
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
