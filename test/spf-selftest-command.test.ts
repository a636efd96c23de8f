// `homing spf selftest`: what it finds out about servers, ours among them.
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { dnsServer, type Zone } from "../packages/forwarder/src/testing/dns-server.ts";
import { type Answers, type Hop, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { serve } from "../packages/forwarder/src/testing/wire.ts";
import { PORT_OF_NOBODY } from "./harness/free-port.ts";
import { homing, startHoming, writeServiceFiles } from "./harness/homing.ts";
import { SPF_ZONE, spf } from "./harness/spf-zone.ts";

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
    ...SPF_ZONE,
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
