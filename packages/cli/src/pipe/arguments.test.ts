import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SOCKET, type PipeArguments, parsePipeArguments } from "./arguments.ts";

const PLAIN: PipeArguments = {
  socket: DEFAULT_SOCKET,
  sendmail: undefined,
  server: undefined,
  conventions: undefined,
  alias: undefined,
  sender: undefined,
  fullName: undefined,
  recipientsFile: undefined,
  fromHeader: false,
  stop: false,
  json: false,
  recipients: ["a@x.example"],
};

const lines: readonly [line: string, changes: Partial<PipeArguments>][] = [
  ["a@x.example", {}],
  ["a@x.example b@y.example", { recipients: ["a@x.example", "b@y.example"] }],
  ["--socket /s --sendmail /m a@x.example", { socket: "/s", sendmail: "/m" }],
  ["--socket=127.0.0.1:1 --server=[::1]:25 a@x.example", { socket: "127.0.0.1:1", server: "[::1]:25" }],
  ["--conventions qmail --stop --json a@x.example", { conventions: "qmail", stop: true, json: true }],
  ["-f b@y.example a@x.example", { sender: "b@y.example" }],
  ["-fb@y.example a@x.example", { sender: "b@y.example" }],
  ["-r b@y.example a@x.example", { sender: "b@y.example" }],
  ["a@x.example -f b@y.example", { sender: "b@y.example" }],
  ["-oi a@x.example", {}],
  ["-i -oem -odb -B8BITMIME -N never -R hdrs -V id -bm -em -h 3 -O x=y a@x.example", {}],
  ["-B 8BITMIME -Nnever -Rhdrs a@x.example", {}],
  ["-F Bob a@x.example", { fullName: "Bob" }],
  ["-t", { fromHeader: true, recipients: [] }],
  ["-it", { fromHeader: true, recipients: [] }],
  ["-- -a@x.example --json", { recipients: ["-a@x.example", "--json"] }],
  ["--recipients /r", { recipients: [], recipientsFile: "/r" }],
  ["--alias b@y.example a@x.example", { alias: "b@y.example" }],
];

for (const [line, changes] of lines) {
  test(`homing pipe ${line}`, () => {
    assert.deepEqual(parsePipeArguments(line.split(" ")), { ok: true, arguments: { ...PLAIN, ...changes } });
  });
}

test("-f with nothing in it is the null sender", () => {
  const parsed = parsePipeArguments(["-f", "", "a@x.example"]);
  assert.deepEqual(parsed, { ok: true, arguments: { ...PLAIN, sender: "" } });
});

const mistakes: readonly [line: string, message: RegExp][] = [
  ["", /^nobody is named/],
  ["-oi", /^nobody is named/],
  ["--nonsense a@x.example", /^--nonsense is no option/],
  ["-bs a@x.example", /^-bs is no option/],
  ["-q a@x.example", /^-q is no option/],
  ["-bd", /^-bd is no option/],
  ["-C/etc/shadow a@x.example", /^-C/],
  ["a@x.example --socket", /^--socket needs a value/],
  ["a@x.example -f", /^-f needs a value/],
  ["--conventions maildrop a@x.example", /^--conventions maildrop: write qmail or sysexits/],
  ["-t --server 127.0.0.1:25", /^-t and --server/],
];

for (const [line, message] of mistakes) {
  test(`homing pipe ${line}: is a mistake, told in one line`, () => {
    const parsed = parsePipeArguments(line === "" ? [] : line.split(" "));
    assert.ok(!parsed.ok);
    assert.match(parsed.message, message);
    assert.doesNotMatch(parsed.message, /\n/);
  });
}

test("an empty recipient, and one of two lines, are mistakes", () => {
  assert.ok(!parsePipeArguments([""]).ok);
  assert.ok(!parsePipeArguments(["a@x.example\nb@y.example"]).ok);
});
