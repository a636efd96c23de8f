import assert from "node:assert/strict";
import { test } from "node:test";
import { mxResolver } from "@homing/forwarder";
import type { Zone } from "../../../forwarder/src/testing/dns-server.ts";
import { dnsOf } from "../../../forwarder/src/testing/test-dns.ts";
import { parseConfig } from "./load-config.ts";
import { mxWarnings } from "./mx-check.ts";

const config = parseConfig(
  "hostname: mx.ours.test\ndomains: [ours.test]\naliasesFile: a\nsrs: { domain: srs.ours.test, secretsFile: s }\n",
  "homing.yaml",
);
const mx = (...exchanges: string[]): Zone[string] =>
  exchanges.map((exchange, priority) => ({ type: "MX", priority, exchange }));

const zones: [what: string, zone: Zone, warning: RegExp | undefined][] = [
  ["our name", { "srs.ours.test": mx("mx.ours.test") }, undefined],
  [
    "our name in another case, beside others",
    { "srs.ours.test": mx("a.else.test", "MX.Ours.test") },
    undefined,
  ],
  [
    "somebody else's",
    { "srs.ours.test": mx("a.else.test") },
    /^warning: SRS domain srs\.ours\.test: its MX is not this server \(it is a\.else\.test\), .* name mx\.ours\.test$/,
  ],
  [
    "none",
    { "srs.ours.test": [{ type: "A", address: [192, 0, 2, 1] }] },
    /is not this server \(it has none\)/,
  ],
  ["no such domain", {}, /srs\.ours\.test: DNS does not have it/],
  ["an answer that failed", { "srs.ours.test": "SERVFAIL" }, /cannot be told \(DNS: ESERVFAIL/],
];
for (const [what, zone, warning] of zones) {
  test(`the MX of the SRS domain: ${what}`, async (t) => {
    const resolver = mxResolver(await dnsOf(t, zone));
    const words = await mxWarnings(config, resolver);
    if (warning === undefined) assert.deepEqual(words, []);
    else assert.match(words.join("\n"), warning);
  });
}

test("each SRS domain is asked about", async (t) => {
  const text =
    "hostname: mx.ours.test\ndomains: [ours.test, club.test]\naliasesFile: a\nsrs: { domain: srs.ours.test, secretsFile: s }\n" +
    "domainSettings: { club.test: { srsDomain: srs.club.test } }\n";
  const resolver = mxResolver(await dnsOf(t, { "srs.ours.test": mx("mx.ours.test") }));
  const words = await mxWarnings(parseConfig(text, "homing.yaml"), resolver);
  assert.deepEqual(
    words.map((line) => line.split(":")[1]),
    [" SRS domain srs.club.test"],
  );
});
