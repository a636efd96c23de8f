// `homing spf` as it is used: asked over DNS on loopback, judged by what it prints and by its exit code.
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { FINDING_NAMES } from "@homing/spf/records";
import { dnsServer, type Zone } from "../packages/forwarder/src/testing/dns-server.ts";
import { type Answers, type Hop, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { serve } from "../packages/forwarder/src/testing/wire.ts";
import { storiesNeed } from "./harness/availability.ts";
import { run } from "./harness/command.ts";
import { PORT_OF_NOBODY } from "./harness/free-port.ts";
import { homing, MAIN, plainEnvironment, startHoming, writeServiceFiles } from "./harness/homing.ts";
import { spfquery } from "./harness/spfquery.ts";

const spf = (...strings: string[]) => ({ type: "TXT", strings }) as const;
const ZONE: Zone = {
  "origin.example": [
    spf("v=spf1 a mx ip4:192.0.2.0/24 include:inc.example -all"),
    { type: "A", address: [198, 51, 100, 7] },
    { type: "MX", priority: 10, exchange: "mx.origin.example" },
  ],
  "mx.origin.example": [spf("v=spf1 a -all"), { type: "A", address: [198, 51, 100, 8] }],
  "inc.example": [spf("v=spf1 ip4:203.0.113.0/25 ~all")],
  "exp.example": [spf("v=spf1 -all exp=why.exp.example")],
  "why.exp.example": [spf("%{i} is not one of %{d}, says %{r}")],
  "soft.example": [spf("v=spf1 ~all")],
  "open.example": [spf("v=spf1 +all")],
  "neutral.example": [spf("v=spf1 a")],
  "question.example": [spf("v=spf1 ?all")],
  "wrong.example": [spf("v=spf1 ipv4:192.0.2.1 -all")],
  "missing.example": [spf("v=spf1 include:none.example -all")],
  "two.example": [spf("v=spf1 -all"), spf("v=spf1 +all")],
  "redirected.example": [spf("v=spf1 redirect=exp.example")],
  "long.example": [spf("v=spf1 ip4:192.0.2.1 ", "-all")],
  "broken.example": "SERVFAIL",
  "none.example": [],
  "quoted.example": [spf('"v=spf1 -all"')],
  "circle.example": [spf("v=spf1 include:circle.example -all")],
};

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
  const dns = await dnsServer(t, ZONE);

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
  const dns = await dnsServer(t, ZONE);
  await using real = await spfquery(dns);
  const senders = Object.keys(ZONE).map((domain) => `bob@${domain}`);
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

test("homing spf lint", async (t) => {
  const dns = await dnsServer(t, ZONE);
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
    const dns = await dnsServer(t, ZONE);
    const args = ["--domain", "d.example", "--include", "none.example", "--all", "fail"];
    const { code, stderr } = await wizard(...args, "--dns", dns);
    assert.equal(code, 1);
    assert.match(stderr, /^error {4}include:none\.example \(column 8\): none\.example has no SPF record/m);
    assert.equal((await wizard(...args)).code, 0);
  });

  await t.test("says what is published now, and leaves a host its record", async () => {
    const dns = await dnsServer(t, ZONE);
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
    const dns = await dnsServer(t, ZONE);
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

const REFUSED = "550 5.7.23 nomail.example forbids it. See https://f.example/why?x=1";

/** A server that refuses the forged sender at RCPT with this reply, and takes all else. */
async function refusing(t: TestContext, reply: string): Promise<{ readonly port: number }> {
  const server = await serve(async (wire) => {
    const say = (text: string) => wire.send(`${text}\r\n`);
    let sender = "";
    say("220 f.example ESMTP");
    for (let command = await wire.line(); command !== undefined; command = await wire.line()) {
      if (command.startsWith("MAIL")) sender = command;
      if (command === "DATA") {
        say("354 go on");
        await wire.until("\r\n.\r\n");
        say("250 2.0.0 queued");
      } else {
        say(command.startsWith("RCPT") && sender.includes("forged@") ? reply : "250 ok");
      }
    }
  });
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

async function listening(t: TestContext, answers: Answers): Promise<Hop> {
  const hop = await startHop(answers);
  t.after(() => hop[Symbol.asyncDispose]());
  return hop;
}

test("homing spf selftest", async (t) => {
  const dns = await dnsServer(t, {
    ...ZONE,
    "nomail.example": [spf("v=spf1 -all")],
    "here.example": [spf("v=spf1 ip4:127.0.0.1 -all")],
  });
  const selftest = ({ port }: { readonly port: number }, ...args: string[]) => {
    const senders = ["--from", "bob@here.example", "--forged", "forged@nomail.example"];
    const server = `127.0.0.1:${port}`;
    return homing([
      "spf",
      "selftest",
      "--server",
      server,
      "--to",
      "alice@f.example",
      ...senders,
      "--dns",
      dns,
      ...args,
    ]);
  };

  await t.test(
    "a server that refuses the forged message enforces SPF, and the link that says why is shown",
    async (t) => {
      const hop = await refusing(t, REFUSED);
      const { code, stdout, stderr } = await selftest(hop);
      assert.equal(
        String(stdout),
        `legitimate  bob@here.example → alice@f.example: 250 2.0.0 queued
forged      forged@nomail.example → alice@f.example: ${REFUSED}
`,
      );
      assert.match(stderr, /^SPF is enforced: .* refused, with a link that says why\.\n$/);
      assert.equal(code, 0);
      const document = JSON.parse(String((await selftest(hop, "--json")).stdout));
      assert.equal(document.ok, true);
      assert.equal(document.link, "https://f.example/why?x=1");
      assert.equal(document.trials.length, 2);
    },
  );

  await t.test("a server that takes it does not, and the likely causes are told", async (t) => {
    const hop = await listening(t, {});
    const { code, stderr } = await selftest(hop);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^homing: the forged message was taken: most likely .*trustedNetworks.*tagOnly.* --config FILE/,
    );
    assert.equal(hop.messages.length, 2);
    assert.match(String(hop.messages[0]), /^Subject: A message from homing spf selftest\r$/m);
  });

  const others: [reply: string, code: number, stderr: RegExp][] = [
    ["550 5.1.1 no such address", 1, /not for SPF/],
    ["451 4.4.3 DNS does not answer", 75, /deferred/],
    ["550 Mail is refused: SPF fail", 0, /SPF is enforced/],
  ];
  for (const [reply, code, expected] of others) {
    await t.test(`${reply} ends with ${code}`, async (t) => {
      const answer = await selftest(await refusing(t, reply));
      assert.equal(answer.code, code);
      assert.match(answer.stderr, expected);
    });
  }

  await t.test("where the legitimate message is not taken, nothing forged is sent", async (t) => {
    const hop = await listening(t, { RCPT: "550 5.1.1 no such address" });
    const { code, stderr } = await selftest(hop);
    assert.equal(code, 1);
    assert.match(stderr, /the legitimate message was refused/);
    assert.equal(hop.commands.filter((line) => line.startsWith("MAIL")).length, 1);
  });

  await t.test("a client that the configuration trusts is refused before anything is sent", async (t) => {
    const hop = await listening(t, {});
    for (const [lines, words] of [
      ["trustedNetworks: [127.0.0.0/8]", "is in trustedNetworks"],
      ["authentication: { relays: [127.0.0.1] }", "is in authentication.relays"],
    ] as const) {
      const { code, stderr } = await selftest(hop, "--config", await serviceFiles(t, lines));
      assert.equal(code, 77);
      assert.match(stderr, /127\.0\.0\.1, from which this host connects, .*\n$/);
      assert.ok(stderr.includes(words), stderr);
    }
    assert.deepEqual(hop.commands, []);
  });

  await t.test("the configuration is read before the server is looked for", async () => {
    const { code, stderr } = await selftest({ port: PORT_OF_NOBODY }, "--config", "/nonexistent.yaml");
    assert.equal(code, 78);
    assert.match(stderr, /^homing: configuration \/nonexistent\.yaml: there is no such file\n$/);
  });

  await t.test("senders that would show nothing are refused before anything is sent", async (t) => {
    const hop = await listening(t, {});
    const cases: [args: string[], code: number, stderr: RegExp][] = [
      [["--forged", "x@soft.example"], 2, /SPF says softfail for it from this host/],
      [["--forged", "x@broken.example"], 75, /DNS does not answer/],
      [["--from", "x@nomail.example"], 2, /would be refused, and rightly/],
      [["--from", "nobody"], 2, /^homing: --from: /],
      [["--to", "Postmaster@f.example"], 2, /^homing: --to Postmaster@f\.example: .*: name another alias\n$/],
    ];
    for (const [args, code, expected] of cases) {
      const answer = await selftest(hop, ...args);
      assert.equal(answer.code, code, args.join(" "));
      assert.match(answer.stderr, expected);
    }
    const without = await homing([
      "spf",
      "selftest",
      "--server",
      `127.0.0.1:${hop.port}`,
      "--to",
      "alice@f.example",
    ]);
    assert.equal(without.code, 2);
    assert.match(without.stderr, /--forged is missing: name forged@ a domain of yours/);
    assert.deepEqual(hop.commands, []);
  });

  await t.test("no server is 69", async () => {
    const { code, stderr } = await selftest({ port: PORT_OF_NOBODY });
    assert.equal(code, 69);
    assert.match(stderr, /^homing: no server at 127\.0\.0\.1:\d+: .*\n$/);
  });
});

const SELFTEST_ZONE: Zone = {
  "nomail.example": [spf("v=spf1 -all")],
  "here.example": [spf("v=spf1 ip4:127.0.0.1 -all")],
  "1.0.0.127.in-addr.arpa": [{ type: "PTR", target: "club.example" }],
  "club.example": [{ type: "A", address: [127, 0, 0, 1] }],
};

/** The path of a homing.yaml in a folder of its own. @param lines of it */
async function serviceFiles(t: TestContext, ...lines: readonly string[]): Promise<string> {
  const config = await writeServiceFiles({
    config: [
      "hostname: mx.f.example",
      "listen: 127.0.0.1:0",
      "domains: [f.example]",
      "domainAliases: { old.example: f.example }",
      "aliasesFile: aliases",
      "srs: { domain: f.example, secretsFile: secrets }",
      'http: { listen: "127.0.0.1:0", publicUrl: "https://mx.f.example" }',
      ...lines,
      "",
    ].join("\n"),
    aliases: "alice: private@home.example\nbob: private@home.example\n",
    secret: "a secret of the stories, and long enough",
  });
  t.after(() => rm(dirname(config), { recursive: true, force: true }));
  return config;
}

const ENFORCING = "authentication: {}";
const servers: [what: string, lines: string, code: number, stderr: RegExp, to?: string][] = [
  [
    "enforces SPF",
    ENFORCING,
    0,
    /^SPF is enforced: the legitimate message was taken, and the forged one was refused, with a link that says why\.\n$/,
  ],
  [
    "tags only",
    "authentication: { mode: tagOnly }",
    1,
    /^homing: the forged message was taken: \S+homing\.yaml: authentication\.mode is tagOnly: .*: write enforce\n$/,
  ],
  [
    "is off for the domain of the alias",
    `${ENFORCING}\ndomainSettings: { f.example: { authentication: { mode: off } } }`,
    1,
    /: domainSettings\.f\.example\.authentication\.mode is off: nobody is checked: write enforce\n$/,
    "alice@Old.example",
  ],
  [
    "tags a fail",
    "authentication: { spf: { fail: tag } }",
    1,
    /: authentication\.spf\.fail is tag: .*: write refuse\n$/,
  ],
  [
    "defers a fail",
    `${ENFORCING}\ndomainSettings: { f.example: { authentication: { spf: { fail: defer } } } }`,
    1,
    /was deferred: .*: domainSettings\.f\.example\.authentication\.spf\.fail is defer, .*: write refuse\n$/,
  ],
  [
    "trusts this host's name",
    "authentication: { trustedForwardersFile: trusted }",
    77,
    /: trusted:2: the entry "club\.example for=alice@f\.example" \(the club\) lets 127\.0\.0\.1 through: run the test from another host\n$/,
  ],
  [
    "trusts this host's network",
    "authentication: { trustedForwardersFile: trusted }",
    77,
    /: trusted:1: the entry "127\.0\.0\.0\/8 for=bob@f\.example" \(old friends\) lets 127\.0\.0\.1 through: /,
    "bob@f.example",
  ],
  [
    "trusts this host",
    `${ENFORCING}\ntrustedNetworks: [127.0.0.0/8]`,
    77,
    /: 127\.0\.0\.1, from which this host connects, is in trustedNetworks: /,
  ],
];

test("homing spf selftest through homing serve", async (t) => {
  const dns = await dnsServer(t, SELFTEST_ZONE);
  const hop = await listening(t, {});

  const start = async (t: TestContext, lines: string) => {
    const config = await serviceFiles(
      t,
      `dns: { servers: ["${dns}"] }`,
      `delivery: { smartHost: "127.0.0.1:${hop.port}" }`,
      lines,
    );
    const trusted = "127.0.0.0/8 for=bob@f.example old friends\nclub.example for=alice@f.example the club\n";
    await writeFile(join(dirname(config), "trusted"), trusted);
    const service = startHoming(["serve", "--config", config]);
    t.after(() => service[Symbol.asyncDispose]());
    const [, port] = await service.waitForOutput(/"event":"listening".*"port":(\d+)/);
    return { config, port };
  };
  const selftest = (port: string | undefined, config: string, to = "alice@f.example") =>
    homing([
      ...["spf", "selftest", "--server", `127.0.0.1:${port}`, "--to", to, "--config", config, "--dns", dns],
      ...["--from", "bob@here.example", "--forged", "forged@nomail.example"],
    ]);

  for (const [what, lines, expected, words, to] of servers) {
    await t.test(`a server that ${what}: ${expected}`, async (t) => {
      const { config, port } = await start(t, lines);
      const { code, stdout, stderr } = await selftest(port, config, to);
      assert.match(stderr, words);
      assert.equal(code, expected, stderr);
      const links = String(stdout).match(/https:\/\/mx\.f\.example\/why\?/g) ?? [];
      assert.equal(links.length, expected === 0 || /deferred/.test(stderr) ? 1 : 0, String(stdout));
      assert.equal(String(stdout).split("\n").length - 1, /trustedNetworks/.test(stderr) ? 0 : 2);
    });
  }

  await t.test("a configuration that the server has not read says so", async (t) => {
    const { port } = await start(t, "authentication: { mode: off }");
    const { code, stderr } = await selftest(port, await serviceFiles(t, ENFORCING));
    assert.match(stderr, /homing\.yaml says that it is not taken: .*\(homing reload\)/);
    assert.equal(code, 1);
  });
});
