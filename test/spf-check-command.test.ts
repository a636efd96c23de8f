// `homing spf check`: asked over DNS on loopback, judged by what it prints and by its exit code.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dnsServer } from "../packages/forwarder/src/testing/dns-server.ts";
import { storiesNeed } from "./harness/availability.ts";
import { homing } from "./harness/homing.ts";
import { SPF_ZONE } from "./harness/spf-zone.ts";
import { spfquery } from "./harness/spfquery.ts";

const check = (dns: string, ...args: string[]) => homing(["spf", "check", "--dns", dns, ...args]);

const results: [sender: string, ip: string, result: string, mechanism: string | null, lookups: number][] = [
  ["bob@origin.example", "192.0.2.9", "pass", "ip4:192.0.2.0/24", 2],
  ["bob@origin.example", "198.51.100.8", "pass", "mx", 2],
  ["bob@origin.example", "203.0.113.5", "pass", "include:inc.example", 3],
  ["bob@origin.example", "203.0.113.200", "fail", "-all", 3],
  ["bob@origin.example", "::ffff:192.0.2.9", "pass", "ip4:192.0.2.0/24", 2],
  ["<bob@soft.example>", "192.0.2.9", "softfail", "~all", 0],
  ["bob@neutral.example", "192.0.2.9", "neutral", "default", 1],
  ["bob@wrong.example", "192.0.2.9", "permerror", null, 0],
  ["bob@broken.example", "192.0.2.9", "temperror", null, 0],
  ["bob@nowhere.example", "192.0.2.9", "none", null, 0],
  ["bob@long.example", "192.0.2.1", "pass", "ip4:192.0.2.1", 0],
];

test("homing spf check", async (t) => {
  const dns = await dnsServer(t, SPF_ZONE);

  for (const [sender, ip, result, mechanism, lookups] of results) {
    await t.test(`${sender} from ${ip} is ${result}`, async () => {
      const { code, stdout, stderr } = await check(dns, "--ip", ip, "--sender", sender, "--json");
      const answer = JSON.parse(String(stdout));
      assert.deepEqual(Object.keys(answer), [
        "result",
        "explanation",
        "mechanism",
        "lookups",
        "voidLookups",
        "problem",
        "trace",
      ]);
      assert.equal(answer.result, result);
      assert.equal(answer.mechanism, mechanism);
      assert.equal(answer.lookups, lookups);
      assert.equal(answer.problem === null, ["pass", "fail", "softfail", "neutral"].includes(result));
      assert.deepEqual([code, stderr], [0, ""]);
    });
  }

  await t.test("a fail is 1 with --strict alone, and tells the domain's explanation", async () => {
    const args = ["--ip", "192.0.2.9", "--sender", "bob@exp.example", "--receiver", "mx.receiver.example"];
    assert.equal((await check(dns, ...args)).code, 0);
    const { code, stdout } = await check(dns, ...args, "--strict");
    assert.equal(code, 1);
    assert.equal(
      String(stdout),
      [
        "fail       192.0.2.9 must not send mail as bob@exp.example",
        "why        -all of exp.example matches",
        "explained  exp.example says: 192.0.2.9 is not one of exp.example, says mx.receiver.example",
        "look-ups   0 (limit 10); that found nothing: 0 (limit 2)",
        "",
      ].join("\n"),
    );
    assert.equal((await check(dns, "--ip", "192.0.2.9", "--sender", "bob@soft.example", "--strict")).code, 0);
  });

  await t.test("the null sender and the HELO identity are checked by the HELO name", async () => {
    for (const args of [
      ["--sender", ""],
      ["--identity", "helo"],
    ]) {
      const { stdout } = await check(
        dns,
        "--ip",
        "198.51.100.8",
        "--helo",
        "mx.origin.example",
        "--json",
        ...args,
      );
      assert.equal(JSON.parse(String(stdout)).result, "pass", args.join(" "));
    }
  });

  await t.test("--trace shows every term, those of includes below it", async () => {
    const { stdout } = await check(dns, "--ip", "203.0.113.5", "--sender", "bob@origin.example", "--trace");
    assert.match(
      String(stdout),
      /^path {7}include:inc\.example of origin\.example, then ip4:203\.0\.113\.0\/25 of inc\.example$/m,
    );
    assert.match(String(stdout), /^ {11}origin\.example {2}mx {2}no match$/m);
    assert.match(String(stdout), /^ {13}inc\.example {2}ip4:203\.0\.113\.0\/25 {2}match$/m);
  });

  await t.test("what DNS did not answer is told once", async () => {
    const { stdout } = await check(dns, "--ip", "192.0.2.1", "--sender", "bob@broken.example");
    assert.match(String(stdout), /^why {8}DNS: ESERVFAIL for the TXT of broken\.example$/m);
  });

  const mistakes: [args: string[], stderr: RegExp][] = [
    [
      ["--ip", "300.1.1.1", "--sender", "a@b.example"],
      /^homing: --ip 300\.1\.1\.1: this is no IP address: write .*\n$/,
    ],
    [["--ip", "192.0.2.0/24", "--sender", "a@b.example"], /no IP address/],
    [
      ["--ip", "192.0.2.1", "--sender", "nobody"],
      /^homing: --sender nobody: this is no address: write .*\n$/,
    ],
    [["--ip", "192.0.2.1", "--sender", "bob@"], /no address/],
    [
      ["--ip", "192.0.2.1", "--sender", "a\u001b[31m@b.example"],
      /^homing: --sender a\?\[31m@b\.example: this is no address/,
    ],
    [["--ip", "192.0.2.1", "--sender", ""], /give --helo NAME\n$/],
    [["--ip", "192.0.2.1", "--identity", "helo"], /give it with --helo NAME\n$/],
    [["--ip", "192.0.2.1"], /Give --sender ADDRESS/],
    [
      ["--sender", "a@b.example"],
      /required option '--ip <address>' not specified\n\(homing spf check --help shows what there is\)\n$/,
    ],
    [["--ip", "192.0.2.1", "--sender", "a@b.example", "--dns", "ns.example"], /^homing: --dns ns\.example: /],
    [["--ip", "192.0.2.1", "--sender", "a@b.example", "--json", "--spfquery"], /keep one\n$/],
  ];
  for (const [args, expected] of mistakes) {
    await t.test(`a usage error: ${JSON.stringify(args.join(" "))}`, async () => {
      const { code, stderr } = await homing(["spf", "check", ...args]);
      assert.equal(code, 2);
      assert.match(stderr, expected);
    });
  }
});

const perlSkip = (await storiesNeed("spf-tools-perl")) ?? false;
test("--spfquery has the form and the exit codes of Debian's spfquery", { skip: perlSkip }, async (t) => {
  const dns = await dnsServer(t, SPF_ZONE);
  await using real = await spfquery(dns);
  const senders = Object.keys(SPF_ZONE).map((domain) => `bob@${domain}`);
  for (const sender of [...senders, "bob@nowhere.example", 'o"brien@soft.example', "(x)@soft.example"]) {
    await t.test(sender, async () => {
      const ip = ["--ip", "203.0.113.200"];
      const mine = ["--sender", sender, "--helo", "mx.origin.example", "--receiver", "mx.receiver.example"];
      const its = [
        "--scope",
        "mfrom",
        "--id",
        sender,
        "--helo-id",
        "mx.origin.example",
        "--hostname",
        "mx.receiver.example",
      ];
      const [ours, theirs] = await Promise.all([
        check(dns, "--spfquery", ...ip, ...mine),
        real.ask([...ip, ...its]),
      ]);
      const [a, b] = [readSpfquery(ours.stdout), readSpfquery(theirs.stdout)];
      assert.equal(ours.code, theirs.code);
      assert.equal(a.result, b.result);
      assert.deepEqual(a.pairs.slice(0, b.pairs.length), b.pairs);
      assert.equal(a.fieldHasComment, b.fieldHasComment);
      assert.equal(a.replyIsComment, b.replyIsComment);
      if (sender.endsWith("@exp.example") || sender.endsWith("@redirected.example"))
        assert.equal(a.reply, b.reply);
    });
  }
});

/** What scripts take out of its four lines. */
function readSpfquery(stdout: Buffer) {
  const [result = "", reply = "", comment = "", field = "", end] = String(stdout).split("\n");
  assert.equal(end, "");
  assert.ok(field.startsWith(`Received-SPF: ${result} (`), field);
  const pairs = field.slice(field.lastIndexOf(" receiver=") + 1).split("; ");
  const unescaped = field.replaceAll(/\\([()])/g, "$1");
  return {
    result,
    reply,
    pairs: pairs.map((pair) => pair.replace(/;$/, "")),
    fieldHasComment: unescaped.includes(`(${comment})`),
    replyIsComment: reply === comment,
  };
}
