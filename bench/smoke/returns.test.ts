// bench:returns: its parts that only compute, and the whole in its shortest form, with Postfix, PostSRSd and Homing.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readBounce } from "@homing/bounce-handler";
import { createRewriter, type Mailbox, parseMailbox } from "@homing/srs-core";
import { storiesNeed } from "../../test/harness/availability.ts";
import { run } from "../../test/harness/command.ts";
import { FORWARDING_DOMAIN, SECRET } from "../mta/addresses.ts";
import { bounceAround, bounceMessage } from "../mta/bounces/bounce-message.ts";
import { srsAddressesOf } from "../mta/bounces/srs-addresses.ts";
import type { PeerName } from "../mta/peer.ts";
import type { CellRun } from "../mta/results.ts";
import type { LargeRun } from "../returns/large.ts";
import { parseReturnsOptions } from "../returns/options.ts";
import { type ReturnsResults, renderReturns } from "../returns/report.ts";

const MAIN = join(import.meta.dirname, "../returns/main.ts");
const SMOKE_SECONDS = 60;
const BOUNCED = {
  srsAddress: `SRS0=tag=G3=origin.example=carol@${FORWARDING_DOMAIN}`,
  alias: `alice@${FORWARDING_DOMAIN}`,
  target: "private@dest.example",
  id: "nr7",
  mark: "0123456789abcdef0123",
};

test("the bounce of the bench has 4 KB, and is read as the failure of its private address", () => {
  const message = bounceMessage(BOUNCED);
  assert.equal(Math.round(message.length / 1000), 4);
  assert.doesNotMatch(message, /[{}]|^\.|[^\r]\n/m);
  assertFailure(message);
  for (const value of Object.values(BOUNCED)) assert.ok(message.includes(value), value);
});

test("around a whole message it is the same bounce, of two parts of text and one of content", () => {
  const { head, tail } = bounceAround(BOUNCED);
  assertFailure(`${head}${"a line of the message\r\n".repeat(50_000)}${tail}`);
  assert.ok(head.endsWith("\r\n\r\n"));
  assert.match(head, /\r\nContent-Type: message\/rfc822\r\n/);
});

function assertFailure(message: string): void {
  const report = readBounce(Buffer.from(message, "latin1"));
  assert.deepEqual(
    report.recipients.map((one) => [one.finalRecipient, one.action, one.class]),
    [[BOUNCED.target, "failed", "hard"]],
  );
}

for (const [peer, scheme] of [
  ["postfix-postsrsd", "classic"],
  ["homing-durable", "strong"],
] as const satisfies readonly [PeerName, "classic" | "strong"][]) {
  test(`${peer} gets ${scheme} addresses, each once, and each names its sender`, () => {
    const addresses = srsAddressesOf(peer);
    const pairs = [...addresses.take(2000), ...addresses.take(500)];
    assert.equal(new Set(pairs.map(({ srsAddress }) => srsAddress)).size, 2500);
    const rewriter = createRewriter({ secrets: [SECRET], domain: FORWARDING_DOMAIN, scheme });
    for (const [nth, { srsAddress, alias }] of pairs.entries()) {
      const outcome = rewriter.reverse(mailbox(srsAddress), Date.now() / 1000);
      assert.ok(outcome.ok && outcome.kind === "srs0", srsAddress);
      assert.deepEqual(outcome.address, { localPart: `sender${nth}`, domain: "origin.example" });
      const selector = scheme === "strong" ? rewriter.selectorsOf(mailbox(alias))[0] : undefined;
      assert.equal(outcome.selector, selector);
    }
  });
}

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

const wrong: readonly [args: readonly string[], say: RegExp][] = [
  [["--cells", "one,ten"], /^bench:returns: --cells ten: no such cell: see --help\n$/],
  [["--large", "1000"], /--large 1000: is no number from 1 to 250/],
  [["--dkim", "dsa"], /--dkim dsa: no such key: none, rsa, ed25519/],
];

for (const [args, say] of wrong) {
  test(`options [${args}] are refused`, () => {
    const parsed = parseReturnsOptions(args);
    assert.ok(!parsed.ok);
    assert.equal(parsed.exitCode, 64);
    assert.match(parsed.say, say);
  });
}

test("a cell is met where both rates are three times the base's and everything came", () => {
  const text = renderReturns({
    ...RESULTS,
    runs: [
      ...cell("one-1", { perSecond: 320, acceptedPerSecond: 300 }),
      ...cell("one-10", { perSecond: 299, acceptedPerSecond: 400 }),
      ...cell("one-50", { perSecond: 400, acceptedPerSecond: 299 }),
      ...cell("many-1", { perSecond: 400, acceptedPerSecond: 400, arrived: 9 }),
    ],
  });
  assert.match(text, /^one-1 +3\.00 +3\.20 +0\.50 +met$/m);
  assert.match(text, /^one-10 +4\.00 +2\.99 +0\.50 +MISSED$/m);
  assert.match(text, /^one-50 +2\.99 +4\.00 +0\.50 +MISSED$/m);
  assert.match(text, /^many-1 +4\.00 +~4\.00 +0\.50 +MISSED$/m);
  assert.match(text, /^homing-durable sends home a report of its own, without the private address$/m);
});

const large: readonly [what: string, run: Partial<LargeRun>, say: RegExp][] = [
  [
    "one that takes little more",
    { peakMB: 140 },
    /: constant memory .*\n.*\n100 MB +100\.0 +140\.0 +40\.0 +0\.50 +0\.70 +250$/m,
  ],
  ["one that is held in memory", { peakMB: 200 }, /: NOT CONSTANT memory/],
  ["one that is not taken", { reply: "552 5.3.4 too large" }, /: REFUSED\n/],
];

for (const [what, run, say] of large) {
  test(`the report on a large bounce tells ${what}`, () => {
    assert.match(renderReturns({ ...RESULTS, large: [{ ...LARGE, ...run }] }), say);
  });
}

const LARGE: LargeRun = {
  ...{ megabytes: 100, reply: "250 2.0.0 ok", seconds: 0.7, cpuSeconds: 0.5, beforeMB: 100, peakMB: 110 },
};

const RESULTS: ReturnsResults = {
  machine: { processor: "P", cores: 2, memoryGB: 8, kernel: "6", node: "v24", disk: "ext4", loadAverage: 0 },
  method: "cgroup",
  rounds: 1,
  seconds: 1,
  peers: ["postfix-postsrsd", "homing-durable"],
  versions: { "postfix-postsrsd": "Postfix 3.7", "homing-durable": "Homing 1" },
  leftOut: [],
  runs: [],
  latencies: [],
  waysHome: { "postfix-postsrsd": "unwrapped", "homing-durable": "reissued" },
  dkim: "none",
  large: [],
};

function cell(name: string, homing: Partial<CellRun>): CellRun[] {
  const base: CellRun = {
    ...{ peer: "postfix-postsrsd", round: 1, cell: name, offered: 10, arrived: 10, complaint: "" },
    ...{ perSecond: 100, acceptedPerSecond: 100, cpuPer1000: 2, loadCpuPer1000: 0.1, others: 0 },
    ...{ rssMB: 90, pssMB: 80, processes: 1 },
  };
  return [base, { ...base, peer: "homing-durable", cpuPer1000: 1, ...homing }];
}

const skip = await storiesNeed("postfix", "postsrsd");

test("in its shortest form it measures both, all bounces come home, and the large one is taken", {
  skip,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  try {
    const argv = [process.execPath, MAIN, "--smoke", "--folder", folder];
    const { code, stdout: printed, stderr } = await run(argv, { seconds: SMOKE_SECONDS });
    assert.equal(code, 0, stderr);
    const stdout = printed.toString();
    assert.match(stdout, /^postfix-postsrsd sends home the bounce as it came/m);
    assert.match(stdout, /^homing-durable sends home a report of its own, without the private address$/m);
    for (const peer of ["postfix-postsrsd", "homing-durable"]) {
      assert.match(stdout, new RegExp(`^${peer} +\\*?[1-9]\\d* `, "m"), `${stdout}${stderr}`);
    }
    assert.match(stdout, /^5 MB .* 250$/m);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
