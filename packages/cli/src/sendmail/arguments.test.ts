// The letters of sendmail(1), in the spellings that programs use.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSendmailArguments, type SendmailArguments } from "./arguments.ts";

const NOTHING: SendmailArguments = {
  ...{ config: undefined, final: false, json: false, sender: undefined, fullName: undefined, dsn: undefined },
  ...{ fromHeader: false, dotEnds: true, verbose: false, recipients: [] },
};

const lines: readonly [argv: string, expected: Partial<SendmailArguments>][] = [
  ["-t -i", { fromHeader: true, dotEnds: false }],
  ["-ti", { fromHeader: true, dotEnds: false }],
  ["-oi", { dotEnds: false }],
  ["-o i", { dotEnds: false }],
  ["-oem -odb -odi -om -oo -o7 -o8 -oA/x", {}],
  ["-em -e m -m -n -U -G -I -c -s -x -d0.1 -h 3 -p esmtp -L tag -D log -M id", {}],
  ["-bm -Am -Ac -B8BITMIME -B 7BIT -OTimeout=1 -O Timeout=1 -X/x -X /x", {}],
  ["-f a@a.example", { sender: "a@a.example" }],
  ["-fa@a.example", { sender: "a@a.example" }],
  ["-r a@a.example", { sender: "a@a.example" }],
  ["-f <> a@a.example", { sender: "<>", recipients: ["a@a.example"] }],
  ["-tfa@a.example", { fromHeader: true, sender: "a@a.example" }],
  ["-FCronDaemon", { fullName: "CronDaemon" }],
  ["a@a.example -i b@b.example", { dotEnds: false, recipients: ["a@a.example", "b@b.example"] }],
  ["-- -i b@b.example", { recipients: ["-i", "b@b.example"] }],
  ["-v -N never", { verbose: true, dsn: { notify: ["NEVER"] } }],
  ["-N success,failure -R hdrs -V id", { dsn: { notify: ["SUCCESS", "FAILURE"], ret: "HDRS", envid: "id" } }],
  ["--final --config x --json -t", { final: true, config: "x", json: true, fromHeader: true }],
  ["--config=x a", { config: "x", recipients: ["a"] }],
];

for (const [argv, expected] of lines) {
  test(`${argv}`, () => {
    const parsed = parseSendmailArguments(argv.split(" "));
    assert.deepEqual(parsed, { kind: "send", arguments: { ...NOTHING, ...expected } });
  });
}

test("an empty sender is the null sender, and an empty word no option", () => {
  const parsed = parseSendmailArguments(["-f", "", "a@a.example"]);
  assert.ok(parsed.kind === "send" && parsed.arguments.sender === "");
});

for (const [argv, words] of [
  ["-bs", /speaks no SMTP/],
  ["-bd", /speaks no SMTP/],
  ["-bv a", /asks nobody/],
  ["-bt", /no mode/],
  ["-C /etc/x a", /--config/],
  ["-k a", /-k is no option/],
  ["-ik a", /-k is no option/],
  ["-f", /-f needs a value/],
  ["-N often a", /-N often/],
  ["-N never,failure a", /-N never,failure/],
  ["-R some a", /-R some/],
  ["-V \u00e4 a", /-V/],
  ["--nonsense a", /--nonsense is no option/],
  ["-t --config=/tmp/x", /stand in front/],
  ["-f x --config /tmp/x a", /stand in front/],
] as const) {
  test(`${argv} is refused`, () => {
    const parsed = parseSendmailArguments(argv.split(" "));
    assert.equal(parsed.kind, "mistake");
    assert.match(parsed.kind === "mistake" ? parsed.message : "", words);
  });
}

test("a name with a line end is refused: it would be a field of its own", () => {
  assert.equal(parseSendmailArguments(["-F", "a\nBcc: x@x.example", "a"]).kind, "mistake");
});

for (const argv of ["-bp", "-q", "-q15m", "-qR", "-bi", "-tq"]) {
  test(`${argv} asks for what is not here, and is no failure`, () => {
    assert.equal(parseSendmailArguments([argv]).kind, "done");
  });
}
