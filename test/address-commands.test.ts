// forge, reverse and inspect as a person at a terminal uses them: what DESIGN's contract says of options, colours and
// exit codes beyond the examples of docs/cli.md.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createRewriter, renderMailbox } from "../packages/srs-core/src/index.ts";
import { homing, plainEnvironment } from "./harness/homing.ts";

const AT = ["--at", "2026-11-21"];
const ESCAPE = "\u001b";
const STRONG = "k".repeat(22);

async function secretsFile(t: TestContext, text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "secrets"), text, { mode: 0o600 });
  return join(folder, "secrets");
}

test("a short secret is refused, but for classic tags with --weak-secret, and then with a warning", async (t) => {
  const secrets = await secretsFile(t, "tnx\n");
  const forge = ["forge", "bob@origin.example", "--domain", "fwd.example", "--secrets", secrets, ...AT];
  const strong = await homing(forge);
  assert.equal(strong.code, 78);
  assert.match(strong.stderr, /^homing: secrets file .*:1: .* fewer than 22 characters, .* -base64 24\n$/);
  const classic = await homing([...forge, "--scheme", "classic"]);
  assert.equal(classic.code, 78);
  assert.match(classic.stderr, /-base64 24, or say --weak-secret if peers share it\n$/);

  const allowed = await homing([...forge, "--scheme", "classic", "--weak-secret"]);
  assert.equal(allowed.code, 0);
  assert.match(allowed.stderr, /^homing: warning: .*:1: this secret is short and can be guessed\n$/);
  const address = String(allowed.stdout).trim();
  const reverse = ["reverse", address, "--secrets", secrets, ...AT];
  assert.equal((await homing(reverse)).code, 78);
  const reversed = await homing([...reverse, "--weak-secret"]);
  assert.equal(String(reversed.stdout), "bob@origin.example\n");
  assert.match(reversed.stderr, /^homing: warning: /);

  const contradiction = await homing([...forge, "--weak-secret"]);
  assert.equal(contradiction.code, 2);
  assert.match(contradiction.stderr, /--weak-secret is for --scheme classic/);
});

test("inspect takes a short secret with a warning: it admits nobody", async (t) => {
  const secrets = await secretsFile(t, "tnx\n");
  const { code, stderr } = await homing([
    "inspect",
    "SRS0=aaaa=JK=o.example=bob@f.example",
    "--secrets",
    secrets,
  ]);
  assert.equal(code, 0);
  assert.match(stderr, /^homing: warning: /);
});

test("--max-age-days holds for reverse and inspect, to the last day", async (t) => {
  const secrets = await secretsFile(t, `${STRONG}\n`);
  const forged = await homing([
    "forge",
    "bob@o.example",
    "--domain",
    "f.example",
    "--secrets",
    secrets,
    ...AT,
  ]);
  const address = String(forged.stdout).trim();
  for (const [at, days, code] of [
    ["2026-11-28", "7", 0],
    ["2026-11-29", "7", 1],
    ["2027-11-21", "365", 0],
    ["2026-11-21", "0", 0],
  ] as const) {
    const options = [address, "--secrets", secrets, "--at", at, "--max-age-days", days];
    assert.equal((await homing(["reverse", ...options])).code, code, at);
    const inspected = JSON.parse(String((await homing(["inspect", ...options, "--json"])).stdout)) as {
      hops: { bounce: { answer: string } }[];
    };
    assert.equal(inspected.hops[0]?.bounce.answer, code === 0 ? "accepted" : "refused");
  }
});

test("inspect has colours on a terminal only, and NO_COLOR turns them off", async () => {
  const command = ["inspect", "SRS0=aaaa=JK=o.example=bob@f.example"];
  const coloured = await homing(command, { env: { ...plainEnvironment(), FORCE_COLOR: "1" } });
  assert.ok(
    String(coloured.stdout).includes(`SRS0=${ESCAPE}[35maaaa${ESCAPE}[39m=${ESCAPE}[33mJK${ESCAPE}[39m=`),
  );
  for (const env of [{}, { NO_COLOR: "1" }]) {
    const plain = await homing(command, { env: { ...plainEnvironment(), ...env } });
    assert.ok(!String(plain.stdout).includes(ESCAPE));
    assert.match(String(plain.stdout), /^┌─ SRS0 at f\.example ─/);
  }
});

test("inspect shows a quoted address as it is, quotes and backslashes too", async () => {
  const address = '"SRS0=abcd=JK=origin.example=a \\"b\\\\"@f.example';
  const { stdout } = await homing(["inspect", address]);
  const [, shown] = /^│ address {3}(.*)$/m.exec(String(stdout)) ?? [];
  assert.equal(shown, address);
});

test("a kept sender's tag is explained by inspect, and reverse says where the sender is", async (t) => {
  const secrets = await secretsFile(t, `# newest\n${STRONG}\n`);
  const rewriter = createRewriter({
    secrets: [STRONG],
    domain: "f.example",
    store: { keep: () => true, find: () => undefined },
  });
  const outcome = rewriter.forward(
    { localPart: "l".repeat(60), domain: "o.example" },
    Date.parse("2026-11-21") / 1000,
  );
  assert.ok(outcome.ok && outcome.rewritten);
  const address = renderMailbox(outcome.sender);
  const reversed = await homing(["reverse", address, "--secrets", secrets, ...AT]);
  assert.equal(reversed.code, 1);
  assert.match(
    reversed.stderr,
    /^homing: expired: the tag is good, but its sender is in the forwarder's database/,
  );
  const inspected = await homing(["inspect", address, "--secrets", secrets, ...AT]);
  assert.match(String(inspected.stdout), / ok: strong, secret on line 2 \(the newest\)\n/);
});

test("reverse does not look at the address's own domain, whatever it is", async (t) => {
  const secrets = await secretsFile(t, `${STRONG}\n`);
  const { code, stderr } = await homing([
    "reverse",
    "SRS0=aaaaaaaa=JK=o.example=bob@1",
    "--secrets",
    secrets,
  ]);
  assert.equal(code, 1);
  assert.match(stderr, /^homing: bad-tag: /);
});

test("two secrets files whose octets are no UTF-8 do not forge the same address: neither forges one", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "secrets");
  for (const first of [0xe7, 0xc1]) {
    await writeFile(path, Buffer.alloc(26, first), { mode: 0o600 });
    const { code, stdout, stderr } = await homing([
      "forge",
      "bob@o.example",
      "--domain",
      "f.example",
      "--secrets",
      path,
    ]);
    assert.equal(code, 78);
    assert.equal(String(stdout), "");
    assert.match(stderr, /secrets:1: this line is not UTF-8: .* openssl rand -base64 24\n$/);
  }
});

const failures: [args: string[], code: number, stderr: RegExp][] = [
  [["inspect", "bob@o.example"], 1, /^homing: not-srs: this is not an SRS address\n$/],
  [
    ["inspect", "SRS0=x@f.example"],
    1,
    /^homing: malformed: .*: SRS0 needs a tag, a stamp, a domain and a user\n$/,
  ],
  [["inspect", "no address"], 1, /^homing: bad-address: /],
  [["inspect", "<>"], 1, /^homing: null-sender: /],
  [
    ["forge", "x@y.example", "--domain", "1", "--secrets", "s"],
    2,
    /--domain 1: .* label of kept senders: write a/,
  ],
  [
    ["inspect", "x@y.example", "--secrets", "/nowhere"],
    78,
    /^homing: secrets file \/nowhere: there is no such file\n$/,
  ],
  [["inspect"], 2, /missing required argument 'address'/],
  [["inspect", "x@y.example", "--at", "noon"], 2, /--at noon: not a time/],
  [["inspect", "x@y.example", "--at", "999999999999"], 2, /--at 999999999999: not from 1970 to 9999/],
  [
    ["inspect", "x@y.example", "--secrets", "/proc/self/mem"],
    78,
    /^homing: secrets file \/proc\/self\/mem: EIO: .*\n$/,
  ],
  [
    ["inspect", "x@y.example", "--max-age-days", "512"],
    2,
    /--max-age-days 512: write a whole number from 0 to 511/,
  ],
  [
    ["reverse", "x@y.example", "--secrets", "s", "--max-age-days", "-1"],
    2,
    /--max-age-days -1: write a whole number/,
  ],
  [
    ["forge", "x@y.example", "--domain", "d", "--secrets", "s", "--scheme", "weak"],
    2,
    /Allowed choices are strong, classic/,
  ],
];
for (const [args, code, pattern] of failures) {
  test(`homing ${args.join(" ")} is exit code ${code}`, async () => {
    const result = await homing(args);
    assert.match(result.stderr, pattern);
    assert.equal(result.code, code);
    assert.equal(String(result.stdout), "");
    const json = await homing([...args, "--json"]);
    assert.equal(json.code, code);
    assert.equal((JSON.parse(String(json.stdout)) as { ok: boolean }).ok, false);
  });
}
