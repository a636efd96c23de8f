// `homing spf wizard`: the record that it makes, and what it asks DNS about it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import { run } from "./harness/command.ts";
import { homing, MAIN, plainEnvironment } from "./harness/homing.ts";
import { SPF_ZONE } from "./harness/spf-zone.ts";

test("homing spf wizard", async (t) => {
  const wizard = (...args: string[]) => homing(["spf", "wizard", ...args]);

  await t.test("gives zone lines on stdout, and the rest to the person", async () => {
    const { code, stdout, stderr } = await wizard(
      ...[
        "--domain",
        "D.example",
        "--mx",
        "--a",
        "h.d.example",
        "--ip4",
        "192.0.2.0/24",
        "--ip6",
        "2001:DB8::/32",
      ],
    );
    assert.equal(
      String(stdout),
      `d.example. IN TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 a:h.d.example mx ~all"
h.d.example. IN TXT "v=spf1 a -all"
`,
    );
    assert.match(stderr, /When none is, publish:\n {2}d\.example {2}v=spf1 .* mx -all$/m);
    assert.match(stderr, /Each MX host needs a record of its own/);
    assert.match(stderr, /^DNS was not asked: .* put the new one in its place, since two are an error/m);
    assert.match(stderr, /^look-ups 2 \(limit 10\); that find nothing: not known$/m);
    assert.equal(code, 0);
  });

  await t.test("asks DNS where it is told to", async () => {
    const dns = await dnsServer(t, SPF_ZONE);
    const args = ["--domain", "d.example", "--include", "none.example", "--all", "fail"];
    const { code, stderr } = await wizard(...args, "--dns", dns);
    assert.equal(code, 1);
    assert.match(stderr, /^error {4}include:none\.example \(column 8\): none\.example has no SPF record/m);
    assert.equal((await wizard(...args)).code, 0);
  });

  await t.test("says what is published now, and leaves a host its record", async () => {
    const dns = await dnsServer(t, SPF_ZONE);
    const args = ["--domain", "origin.example", "--a", "mx.origin.example", "--all", "fail", "--dns", dns];
    const { code, stdout, stderr } = await wizard(...args);
    const record = "v=spf1 a:mx.origin.example -all";
    assert.equal(String(stdout), `origin.example. IN TXT "${record}"\n`);
    const now = "v=spf1 a mx ip4:192.0.2.0/24 include:inc.example -all";
    assert.ok(stderr.includes(`\nIn place of what origin.example has now: ${now}\n`), stderr);
    assert.match(stderr, /^mx\.origin\.example has its record, and keeps it: v=spf1 a -all$/m);
    assert.equal(code, 0);
    const document = JSON.parse(String((await wizard(...args, "--json")).stdout));
    assert.deepEqual(document.kept, [{ name: "mx.origin.example", record: "v=spf1 a -all" }]);
    assert.deepEqual(
      document.records.map(({ name, replaces }: { name: string; replaces: string[] }) => [name, replaces]),
      [["origin.example", [now]]],
    );
  });

  await t.test("a record that DNS has not been asked about is not checked: 75", async () => {
    const dns = await dnsServer(t, SPF_ZONE);
    for (const args of [
      ["--domain", "broken.example", "--ip4", "192.0.2.1"],
      ["--domain", "d.example", "--include", "broken.example"],
    ]) {
      const { code, stdout, stderr } = await wizard(...args, "--dns", dns);
      assert.match(stderr, /^warning {2}.*DNS did not answer .*: .* → ask again when DNS answers$/m);
      assert.match(String(stdout), /IN TXT "v=spf1/);
      assert.equal(code, 75, args.join(" "));
    }
  });

  const noScript = process.platform !== "linux" && "script(1) has other options here";
  await t.test("asks at a terminal, and takes lines that were typed ahead", { skip: noScript }, async () => {
    const command = [process.execPath, MAIN, "spf", "wizard"].join(" ");
    const answers = ["d.example", "", "", "", "no host", "", "192.0.2.1", "", "", ""].join("\n");
    const { stdout } = await run(["script", "-qec", command, "/dev/null"], {
      input: answers,
      env: plainEnvironment(),
    });
    assert.match(String(stdout), /the name no: this is no domain name/);
    assert.match(String(stdout), /^d\.example\. IN TXT "v=spf1 ip4:192\.0\.2\.1 mx ~all"\r$/m);
  });

  await t.test("a domain that sends nothing", async () => {
    const { stdout } = await wizard("--domain", "d.example", "--nobody", "--json");
    assert.deepEqual(JSON.parse(String(stdout)), {
      ok: true,
      records: [
        { name: "d.example", record: "v=spf1 -all", zone: 'd.example. IN TXT "v=spf1 -all"', replaces: [] },
      ],
      kept: [],
      later: null,
      lookups: 0,
      findings: [],
    });
  });

  const mistakes: [args: string[], stderr: RegExp][] = [
    [[], /^homing: which domain\? .*\n$/],
    [["--domain", "d.example"], /^homing: who sends mail as d\.example\? .*\n$/],
    [["--domain", "d.example", "--nobody", "--mx"], /^homing: --nobody: .*\n$/],
    [["--domain", "d.example", "--nobody", "--all", "softfail"], /^homing: --nobody --all softfail: .*\n$/],
    [
      ["--domain", "d.example", "--ip4", "2001:db8::1"],
      /^homing: --ip4 2001:db8::1: this is no network: .*\n$/,
    ],
    [["--domain", "d.example", "--ip6", "2001:db8::/129"], /^homing: --ip6 .* no network: .*\n$/],
    [
      ["--domain", "d.example", "--include", "no domain"],
      /^homing: --include no domain: this is no domain name: .*\n$/,
    ],
    [["--domain", "d.example", "--mx", "--all", "maybe"], /Allowed choices are softfail, fail/],
  ];
  for (const [args, expected] of mistakes) {
    await t.test(`a usage error: ${args.join(" ")}`, async () => {
      const { code, stderr } = await wizard(...args);
      assert.equal(code, 2);
      assert.match(stderr, expected);
    });
  }
});
