import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMailbox } from "@homing/srs-core";
import fc from "fast-check";
import { type ForwardTarget, parseForwardFile } from "./forward-file.ts";

/** `<address>`, `name`, `\name` for a local copy. */
function shown(target: ForwardTarget): string {
  if (target.kind === "mailbox") return `<${renderMailbox(target.mailbox)}>`;
  if (target.kind === "name") return target.name;
  return `\\${target.name}${target.domain === undefined ? "" : `@${target.domain}`}`;
}

const read: [what: string, text: string, ...targets: string[]][] = [
  ["nothing", ""],
  ["an address", "alice@x.test", "<alice@x.test>"],
  ["several lines", "a@x.test\nB@X.test\n", "<a@x.test>", "<B@X.test>"],
  ["lines that end with CRLF", "a@x.test\r\nb@x.test\r\n", "<a@x.test>", "<b@x.test>"],
  ["several on a line", "a@x.test, b@x.test,c@x.test", "<a@x.test>", "<b@x.test>", "<c@x.test>"],
  ["blanks instead of commas", "a@x.test\tb@x.test", "<a@x.test>", "<b@x.test>"],
  ["commas too many", ",a@x.test,,\n , b@x.test,", "<a@x.test>", "<b@x.test>"],
  ["a name of the site", "alice", "alice"],
  ["a name in quotes", '"a b"', "a b"],
  ["escapes in a quoted name", '"a\\"b"', 'a"b'],
  ["a local copy", "\\alice, a@x.test", "\\alice", "<a@x.test>"],
  ["a local copy in quotes", '"\\alice"', "\\alice"],
  ["a local copy with its domain", "\\alice@x.test", "\\alice@x.test"],
  ["a quoted local part", '"a b"@x.test, "c,d"@x.test', '<"a b"@x.test>', '<"c,d"@x.test>'],
  ["a quoted pair in it, which is no local copy", '"\\a b"@x.test', '<"a b"@x.test>'],
  ["an address quoted as a whole", '"alice@x.test"', "<alice@x.test>"],
  ["a name before the address", "Alice Ann <a@x.test>, b@x.test", "<a@x.test>", "<b@x.test>"],
  ["a quoted name with a comma before it", '"Ann, Alice" <a@x.test>', "<a@x.test>"],
  ["angle brackets alone", "< a@x.test >", "<a@x.test>"],
  ["comments in parentheses", "a@x.test (at (her) home, \\) <x>) b@x.test", "<a@x.test>", "<b@x.test>"],
  ["parentheses in quotes", '"a(b"@x.test', '<"a(b"@x.test>'],
  ["comment lines and empty lines", "# a\n\n  # b\na@x.test\n#c@x.test", "<a@x.test>"],
  ["a # that begins no word", "b#c@x.test", "<b#c@x.test>"],
  ["a comment that is no UTF-8", "# J\ufffdrg\na@x.test", "<a@x.test>"],
  ["a byte order mark", "\ufeffa@x.test", "<a@x.test>"],
  ["a U-label domain", "a@bücher.test", "<a@xn--bcher-kva.test>"],
  ["an address literal", "b@[IPv6:2001:db8::1]", "<b@[IPv6:2001:db8::1]>"],
];
for (const [what, text, ...targets] of read) {
  test(`a .forward may hold ${what}`, () => {
    const file = parseForwardFile(text);
    assert.deepEqual(file.problems, []);
    assert.deepEqual(file.targets.map(shown), targets);
  });
}

const included: [text: string, ...includes: [path: string, line: number, column: number][]][] = [
  [":include:/h/a/list", ["/h/a/list", 1, 1]],
  ["x@x.test,\n b, :INCLUDE: /h/a/my list", ["/h/a/my list", 2, 5]],
  ['":include:/h/a/x,y", :include:/z', ["/h/a/x,y", 1, 1], ["/z", 1, 22]],
];
for (const [text, ...includes] of included) {
  test(`${JSON.stringify(text)} includes ${includes.map(([path]) => path).join(" and ")}`, () => {
    const file = parseForwardFile(text);
    assert.deepEqual(file.problems, []);
    assert.deepEqual(
      file.includes.map(({ path, line, column }) => [path, line, column]),
      includes,
    );
  });
}

const COMMAND = /^commands are not run from here: .*LMTP.*HTTP hook/;
const FILE = /^files are not written to: .*LMTP/;
const ADDRESS = /^not an address: write name@domain/;
const OPERATOR = /^:blackhole:, :fail: and :defer: are for tables of the operator/;
const PARTNER = /has no partner on its line$/;

const wrong: [text: string, ...problems: [line: number, column: number, message: RegExp][]][] = [
  ["|/bin/x -y, z@x.test", [1, 1, COMMAND]],
  ['\\alice, "|/usr/bin/vacation alice"', [1, 9, COMMAND]],
  ["\"|IFS=' ' && exec /bin/x -f- || exit 75 #alice\"", [1, 1, COMMAND]],
  ["a@x.test\n  /var/mail/alice", [2, 3, FILE]],
  ["<|x>, ~/Mail/in", [1, 2, COMMAND], [1, 7, FILE]],
  [":include:list", [1, 1, /begins with \//]],
  [":fail: gone away", [1, 1, OPERATOR]],
  ["a@x.test\n, :BLACKHOLE:", [2, 3, OPERATOR]],
  ['":defer: later"', [1, 1, OPERATOR]],
  [":unknown:", [1, 1, ADDRESS]],
  ["a@x.test # mine", [1, 10, /^a comment must be a line of its own/]],
  ["a@@x.test, b@, @x.test", [1, 1, ADDRESS], [1, 12, ADDRESS], [1, 16, ADDRESS]],
  ["a@x.test\0", [1, 1, ADDRESS]],
  ['a@x.test, "b@x.test', [1, 11, PARTNER]],
  ["a@x.test (home", [1, 10, PARTNER]],
  ["a <b@x.test", [1, 3, /^after < /]],
  ["a <b@x.test> c", [1, 3, /^after < /]],
  ["# Exim filter\nif true\nthen save /x endif", [1, 1, /^a filter, /]],
  [`${" ".repeat(65 * 1024)}`, [1, 1, /^larger than 64 KiB/]],
];
for (const [text, ...problems] of wrong) {
  const places = problems.map(([line, column]) => `${line}:${column}`).join(", ");
  test(`${JSON.stringify(text.slice(0, 60))} is wrong at ${places}`, () => {
    const found = parseForwardFile(text).problems;
    for (const [index, [line, column, message]] of problems.entries()) {
      assert.deepEqual([found[index]?.line, found[index]?.column], [line, column]);
      assert.match(found[index]?.message ?? "", message);
    }
    assert.equal(found.length, problems.length);
  });
}

test("a file of passwords gives problems, and none of its words is in them", () => {
  const shadow = "root:$6$Zq8sECRET$abcdef.hash/one:19000:0:99999:7:::\nalice:$y$j9T$sECRET:19000:0\n";
  const file = parseForwardFile(shadow);
  assert.equal(file.problems.length, 2);
  assert.deepEqual(file.targets, []);
  assert.doesNotMatch(JSON.stringify(file), /root|alice|SECRET|19000/);
});

test("1,000 targets are read, and the next one is a problem", () => {
  const thousand = "a@x.test\n".repeat(1_000);
  assert.equal(parseForwardFile(thousand).targets.length, 1_000);
  assert.deepEqual(parseForwardFile(thousand).problems, []);
  const [problem] = parseForwardFile(`${thousand}b@x.test`).problems;
  assert.deepEqual([problem?.line, problem?.column], [1_001, 1]);
});

test("a hostile file has no more than 20 problems, and parentheses may nest as deep as it is long", () => {
  assert.equal(parseForwardFile("|,".repeat(30_000)).problems.length, 20);
  assert.equal(parseForwardFile("(".repeat(60_000)).problems.length, 1);
  assert.deepEqual(parseForwardFile(`${"(".repeat(30_000)}${")".repeat(30_000)}a`).problems, []);
});

test("no text makes the parser throw, and every problem lies inside the file", () => {
  const piece = fc.constantFrom(...'a,"\\ #@|/\t<>()\n:'.split(""), ":include:", "\r\n", "x.test", "\ud800");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join("");
      const lines = text.split("\n");
      for (const { line, column, message } of parseForwardFile(text).problems) {
        assert.ok(line >= 1 && line <= lines.length, `line ${line}`);
        assert.ok(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, `column ${column}`);
        assert.doesNotMatch(message, /[\r\n]/);
      }
    }),
  );
});
