// `homing spfquery` beside Debian's: the same command lines over the same DNS, judged by result, exit code and form.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { dnsServer, type Zone } from "../packages/forwarder/src/testing/dns-server.ts";
import { storiesNeed } from "./harness/availability.ts";
import type { CommandResult } from "./harness/command.ts";
import { homing } from "./harness/homing.ts";
import { spfquery } from "./harness/spfquery.ts";

const spf = (...strings: string[]) => ({ type: "TXT", strings }) as const;
const ZONE: Zone = {
  "pass.example": [spf("v=spf1 ip4:192.0.2.1 -all")],
  "fail.example": [spf("v=spf1 -all")],
  "exp.example": [spf("v=spf1 -all exp=why.exp.example")],
  "why.exp.example": [spf("%{i} is not one of %{d}, says %{r}")],
  "soft.example": [spf("v=spf1 ~all")],
  "broken.example": "SERVFAIL",
  "wrong.example": [spf("v=spf1 ipv4:192.0.2.1 -all")],
  "helo.example": [spf("v=spf1 ip4:192.0.2.9 -all")],
};

const HOST = ["--hostname", "mx.receiver.example"];
const BOB = (domain: string): string[] => ["--id", `bob@${domain}`];
const IP = ["--ip", "192.0.2.1"];

const SAME: readonly string[][] = [
  ...["pass", "fail", "exp", "soft", "broken", "wrong", "none"].map((name) => [
    ...IP,
    ...BOB(`${name}.example`),
  ]),
  ["--scope", "mfrom", ...BOB("pass.example"), ...IP, "--helo-id", "helo.example", "--versions", "1"],
  ["--scope", "helo", "--identity", "helo.example", "--ip-address", "192.0.2.9"],
  ["-s", "helo", "--id=helo.example", "--ip=192.0.2.9"],
  ["-s", "bob@pass.example", ...IP],
  ["-v", "1,2", ...IP, ...BOB("pass.example")],
  ["--mfrom", "bob@pass.example", ...IP],
  ["--mail-from", "pass.example", ...IP],
  ["-m", "bob@pass.example", ...IP],
  ["--sender=bob@pass.example", "--ip=192.0.2.1"],
  ["-mbob@pass.example", "-i192.0.2.1"],
  ["-m=x", "bob@pass.example", "-i", "192.0.2.1"],
  // Not what it looks like: the option s with the value ender, and i with the value p.
  ["-sender=bob@pass.example", "-ip=192.0.2.1"],
  ["-Vx"],
  ["-sender", "bob@pass.example", "-i", "192.0.2.1"],
  ["--ipv4", "192.0.2.1", "--sender", "bob@fail.example", "--name", "mx.receiver.example"],
  ["--helo", "helo.example", "--ip", "192.0.2.9"],
  ["-h", "helo.example", "--ip", "192.0.2.1"],
  ["--mfrom", "bob@pass.example", "--helo", "helo.example", ...IP],
  ["--ident", "bob@pass.example", "--ip-a", "192.0.2.1"],
  ["here", ...IP, "there", ...BOB("pass.example")],
  [...IP, ...BOB("fail.example"), ...IP, ...BOB("pass.example")],
  ["--def-exp", "our words", ...IP, ...BOB("fail.example")],
  ["--default-explanation", "our words", ...IP, ...BOB("exp.example")],
  ["--nosanitize", "--no-debug", "--keep-comments", ...IP, ...BOB("pass.example")],
  ["--tfwl", "--authorize-mxes-for", "x.example", ...IP, ...BOB("pass.example")],
  ["--scope=", ...IP, ...BOB("pass.example")],
  // 255: the command line is no question.
  [],
  IP,
  BOB("pass.example"),
  ["--nonsense", ...IP, ...BOB("pass.example")],
  ["--pra", "bob@pass.example", ...IP],
  ["--s"],
  ["--i", "x", "--h"],
  [...IP, "--id"],
  [...IP, "--id="],
  [...IP, ...BOB("pass.example"), "--file", "-"],
  ["--scope", "helo", "--helo", "helo.example", ...IP],
  ["--scope", "other", ...IP, ...BOB("pass.example")],
  ["--versions", "3", ...IP, ...BOB("pass.example")],
  ["--ip", "somewhere", ...BOB("pass.example")],
  ["--max-lookup", "20", ...IP, ...BOB("pass.example")],
  ["--max-dns-interactive-terms", "many", ...IP, ...BOB("pass.example")],
  ["--guess", "v=spf1 a -all", ...IP, ...BOB("none.example")],
  ["--override", "x.example=v=spf1 -all", ...IP, ...BOB("pass.example")],
  ["--override", "x.example", ...IP, ...BOB("pass.example")],
  ["--enable-black-magic", ...IP, ...BOB("pass.example")],
];

const DIFFERENT: readonly [args: string[], why: string, theirs: number, ours: number][] = [
  [["--scope", "pra", ...IP, ...BOB("pass.example")], "Sender ID's pra is not checked", 6, 255],
  [["--versions", "2", ...IP, ...BOB("pass.example")], "there are no records of version 2", 6, 255],
  [["--file", "/nowhere/at/all"], "whatever cannot be asked is 255, a file that is not there, too", 2, 255],
];

test("homing spfquery", { skip: (await storiesNeed("spf-tools-perl")) ?? false }, async (t) => {
  const dns = await dnsServer(t, ZONE);
  await using real = await spfquery(dns);
  const both = (args: readonly string[], input?: string) =>
    Promise.all([
      homing(["spfquery", "--dns", dns, ...args], input === undefined ? {} : { input }),
      real.ask(args, input === undefined ? {} : { input }),
    ]);

  for (const args of SAME) {
    const isNamed = args.includes("--name");
    await t.test(`is as Debian's: ${args.join(" ") || "nothing"}`, async () => {
      const [mine, its] = await both(isNamed ? args : [...HOST, ...args]);
      assert.deepEqual(compared(mine), compared(its));
    });
  }

  for (const [args, why, theirs, ours] of DIFFERENT) {
    await t.test(`differs from Debian's: ${why}`, async () => {
      const [mine, its] = await both([...HOST, ...args]);
      assert.deepEqual([its.code, mine.code], [theirs, ours]);
    });
  }

  const files: readonly [what: string, text: string][] = [
    [
      "several lines",
      "192.0.2.1 bob@pass.example\n192.0.2.1 bob@soft.example h.example\n192.0.2.1 x@fail.example\n",
    ],
    ["comments and empty lines", "# one\n\n  # two\n  192.0.2.1\tbob@pass.example  \n"],
    ["nothing", ""],
    ["no end of the last line", "192.0.2.1 bob@fail.example"],
    [
      "a line that is no question",
      "192.0.2.1 bob@pass.example\nsomewhere bob@pass.example\n192.0.2.1 a@pass.example\n",
    ],
    ["a line without an identity", "192.0.2.1\n"],
  ];
  for (const [what, text] of files) {
    for (const more of [[], ["--keep-comments"]]) {
      await t.test(`reads stdin as Debian's: ${what} ${more.join("")}`, async () => {
        const [mine, its] = await both([...HOST, "--file", "-", ...more], text);
        assert.deepEqual(compared(mine), compared(its));
      });
    }
  }

  await t.test("a file has its name", async () => {
    const folder = join(real.folder, "var", "questions");
    await mkdir(folder);
    await writeFile(join(folder, "file"), "192.0.2.1 bob@soft.example\n");
    const mine = await homing(["spfquery", "-f", join(folder, "file"), "--dns", dns, ...HOST]);
    const its = await real.ask(["-f", "/var/questions/file", ...HOST]);
    assert.deepEqual(compared(mine), compared(its));
    assert.equal(mine.code, 2);
  });

  await t.test("--help and --version are answers", async () => {
    for (const option of ["--help", "--version", "-V"]) {
      const [mine, its] = await Promise.all([homing(["spfquery", option]), real.ask([option])]);
      assert.deepEqual([mine.code, mine.stderr], [0, ""]);
      assert.equal(its.code, 0);
      assert.ok(mine.stdout.length > 0);
    }
  });
});

/** What scripts look at. The words of comments are each program's own. */
function compared({ code, stdout, stderr }: CommandResult): unknown {
  const lines = String(stdout).split("\n");
  const answers = lines.filter((line) => line.startsWith("Received-SPF: "));
  return {
    code,
    lines: lines.length,
    results: lines.filter((line) =>
      /^(?:pass|fail|softfail|neutral|none|permerror|temperror|#.*)$/.test(line),
    ),
    // Which come first, and where quotes stand, is each program's own, too.
    pairs: answers.map((field) => field.match(/(?<=[; ])(?:receiver|identity|client-ip)=[^;]*/g)),
    own: lines.filter((line) => line === "our words" || line.includes("is not one of exp.example")),
    isTold: /warning:|error|usage/i.test(stderr),
  };
}
