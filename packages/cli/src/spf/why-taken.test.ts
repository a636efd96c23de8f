// What a configuration says of a forged message that was taken. The whole command: test/spf-selftest-command.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Dns, parseForwarderFile } from "@homing/forwarder";
import { parseConfig } from "../config/load-config.ts";
import { rightsOf, whyDeferred, whyTaken } from "./why-taken.ts";

const BASE = `hostname: mx.f.example
domains: [f.example, g.example]
aliasesFile: aliases
srs: { domain: f.example, secretsFile: secrets }
`;
const silent = () => ({ kind: "failed", cause: "ETIMEOUT" }) as const;
const dns: Dns = { txt: silent, a: silent, aaaa: silent, mx: silent, ptr: silent, close() {} };
const to = (domain: string) => ({
  client: "192.0.2.1",
  helo: "localhost",
  recipient: { localPart: "alice", domain },
});
const server = (lines: string, entries = "") => ({
  file: "homing.yaml",
  config: parseConfig(BASE + lines, "homing.yaml"),
  trustedForwarders: parseForwarderFile(entries).entries,
});

const taken: [lines: string, entries: string, domain: string, reason: string, message: RegExp][] = [
  [
    "authentication: { mode: off }",
    "",
    "f.example",
    "negative",
    /^homing\.yaml: authentication\.mode is off/,
  ],
  [
    "authentication: { spf: { fail: accept } }",
    "",
    "f.example",
    "negative",
    /: authentication\.spf\.fail is accept: .*: write refuse$/,
  ],
  [
    "domainSettings: { g.example: { authentication: { spf: { fail: tag } } } }",
    "",
    "G.example",
    "negative",
    /: domainSettings\.g\.example\.authentication\.spf\.fail is tag/,
  ],
  [
    "domainSettings: { g.example: { authentication: { mode: off } } }",
    "",
    "f.example",
    "negative",
    /^homing\.yaml says that it is not taken: /,
  ],
  [
    "authentication: { spf: { fail: defer } }",
    "",
    "f.example",
    "negative",
    /^homing\.yaml says that it is not taken: /,
  ],
  [
    "domainAliases: { old.example: f.example }",
    "192.0.2.0/24 for=f.example old friends\n",
    "Old.example",
    "permission",
    /"192\.0\.2\.0\/24 for=f\.example" \(old friends\) lets 192\.0\.2\.1 through/,
  ],
  ["", "192.0.2.0/24 old friends\n", "f.example", "permission", /"192\.0\.2\.0\/24" \(old friends\)/],
  [
    "",
    "192.0.2.0/24 until=2001-01-01 gone\n",
    "f.example",
    "negative",
    /^homing\.yaml says that it is not taken: /,
  ],
  [
    "",
    "*.club.example the club\n",
    "f.example",
    "temporary",
    /DNS does not say \(ETIMEOUT\): try again later$/,
  ],
];
for (const [lines, entries, domain, reason, message] of taken) {
  test(`taken for ${domain}, with ${lines || entries.trim()}: ${reason}`, async () => {
    const why = await whyTaken(server(lines, entries), to(domain), { dns, now: () => 1_800_000_000 });
    assert.match(why.message, message);
    assert.equal(why.reason, reason);
  });
}

test("a message is put off by a setting only where there is one", () => {
  const { recipient } = to("f.example");
  const defer = "authentication: { spf: { fail: defer } }";
  assert.match(whyDeferred(server(defer), recipient)?.message ?? "", /authentication\.spf\.fail is defer/);
  assert.equal(whyDeferred(server(""), recipient), undefined);
  assert.equal(
    whyDeferred(server("authentication: { mode: tagOnly, spf: { fail: defer } }"), recipient),
    undefined,
  );
});

test("a host has rights by its address alone", () => {
  const { config } = server("trustedNetworks: [192.0.2.0/24]\nauthentication: { relays: [192.0.2.0/23] }");
  assert.match(rightsOf("192.0.2.1", config) ?? "", /trustedNetworks/);
  assert.match(rightsOf("192.0.3.1", config) ?? "", /authentication\.relays/);
  assert.equal(rightsOf("192.0.4.1", config), undefined);
});
