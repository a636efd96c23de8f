// `homing spf lint`: of records in DNS and on the command line.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { test } from "node:test";
import { FINDING_NAMES } from "@homing/spf/records";
import { dnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import { homing } from "./harness/homing.ts";
import { SPF_ZONE } from "./harness/spf-zone.ts";

test("homing spf lint", async (t) => {
  const dns = await dnsServer(t, SPF_ZONE);
  const lint = (...args: string[]) => homing(["spf", "lint", "--dns", dns, ...args]);

  await t.test("shows the look-ups as a tree, each with its cost", async () => {
    const { code, stdout, stderr } = await lint("Origin.Example.");
    assert.equal(
      String(stdout),
      `origin.example  v=spf1 a mx ip4:192.0.2.0/24 include:inc.example -all
  1  a  origin.example 198.51.100.7
  1  mx  mx.origin.example 198.51.100.8
     ip4:192.0.2.0/24
  1  include:inc.example
     inc.example  v=spf1 ip4:203.0.113.0/25 ~all
          ip4:203.0.113.0/25
          ~all
     -all
look-ups 3 (limit 10); that find nothing: 0 (limit 2) for IPv4 clients, 2 for IPv6 clients
nothing to mend
`,
    );
    assert.deepEqual([code, stderr], [0, ""]);
  });

  const codes: [args: string[], code: number, stdout: RegExp][] = [
    [
      ["wrong.example"],
      1,
      /^error {4}ipv4:192\.0\.2\.1 \(column 8\): no such mechanism → write ip4:192\.0\.2\.1$/m,
    ],
    [["open.example"], 1, /^error {4}\+all /m],
    [["missing.example"], 1, /none\.example has no SPF record: receivers answer permerror/],
    [["circle.example"], 1, /leads back to circle\.example/],
    [["two.example"], 1, /2 SPF records: receivers answer permerror/],
    [["none.example"], 1, /→ make one with homing spf wizard --domain none\.example$/m],
    [["nowhere.example"], 1, /there is no such name in DNS/],
    [["broken.example"], 75, /DNS did not answer/],
    [["neutral.example"], 0, /^warning {2}no all at the end/m],
    [["--record", " v=spf1 ip4:192.0.2.1 -all\n"], 0, /^nothing to mend$/m],
    [["--record", "v=spf1 mx -all", "--domain", "origin.example"], 0, /mx\.origin\.example 198\.51\.100\.8/],
    [["--record", "v=spf1 mx -all"], 0, /^ {2}1 {2}mx {2}not asked for: the domain is not known$/m],
    [["--record", "spf1 -all"], 1, /is no SPF record/],
    [
      ["quoted.example"],
      1,
      /^quoted\.example {2}no SPF record\nlook-ups .*\nerror {4}"v=spf1 -all" has quotes in the text itself: receivers see no SPF record → take them out\n$/,
    ],
    [
      ["--record", "v=spf1 a -all"],
      0,
      /^look-ups 1 \(limit 10\); that find nothing: not known\nnothing to mend in what was looked at$/m,
    ],
    [
      ["--record", "v=spf1 include:broken.example a:gone.example -all"],
      0,
      /^look-ups at least 2 \(limit 10\); that find nothing: at least 1 \(limit 2\)$/m,
    ],
  ];
  for (const [args, code, stdout] of codes) {
    await t.test(`${args.join(" ").trim()} ends with ${code}`, async () => {
      const answer = await lint(...args);
      assert.match(String(answer.stdout), stdout);
      assert.deepEqual([answer.code, answer.stderr], [code, ""]);
      const asJson = await lint(...args, "--json");
      const document = JSON.parse(String(asJson.stdout));
      assert.equal(asJson.code, code);
      assert.equal(document.ok, code === 0);
      assert.equal(
        document.findings.some(({ severity }: { severity: string }) => severity === "error"),
        code !== 0,
      );
    });
  }

  await t.test("docs/cli.md has every finding", async () => {
    const page = await readFile(resolve(import.meta.dirname, "../docs/cli.md"), "utf8");
    const section = page.slice(page.indexOf("### homing spf lint"), page.indexOf("### homing spf wizard"));
    assert.deepEqual(
      FINDING_NAMES.filter((name) => !section.includes(`\`${name}\``)),
      [],
    );
  });

  await t.test("needs something to look at", async () => {
    for (const args of [[], ["no domain"], ["192.0.2.1"], ["a.example", "--domain", "b.example"]]) {
      const { code, stderr } = await homing(["spf", "lint", ...args]);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, /^homing: .*\n$/);
    }
  });
});
