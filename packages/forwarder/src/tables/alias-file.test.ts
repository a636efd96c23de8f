import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMailbox } from "@homing/srs-core";
import fc from "fast-check";
import { parseAliasFile } from "./alias-file.ts";
import type { Target } from "./target.ts";

/** `name` for a name, `<address>` for an address, `{…}` for what is neither. */
function shown(target: Target): string {
  switch (target.kind) {
    case "name":
      return target.name;
    case "mailbox":
      return `<${renderMailbox(target.mailbox)}>`;
    case "local":
      return `{copy ${target.user}}`;
    case "include":
      return `{list ${target.path}}`;
    case "discard":
      return "{discard}";
    case "refuse":
      return `{${target.reply.code} ${target.reply.enhanced} ${target.reply.text}}`;
  }
}

const read: [what: string, text: string, entries: [name: string, line: number, ...targets: string[]][]][] = [
  ["an address", "alice: alice@x.test", [["alice", 1, "<alice@x.test>"]]],
  ["blanks around everything", "alice \t:  alice@x.test  ", [["alice", 1, "<alice@x.test>"]]],
  ["no blanks", "alice:alice@x.test", [["alice", 1, "<alice@x.test>"]]],
  ["several targets", "a: b@x.test, C@X.Test,d", [["a", 1, "<b@x.test>", "<C@X.Test>", "d"]]],
  ["names in any case", "Alice: BOB", [["alice", 1, "bob"]]],
  ["a case that is not ASCII stays", "JÖRG: Ärger", [["jÖrg", 1, "Ärger"]]],
  [
    "lines that end with CRLF",
    "a: b@x.test\r\nc: d@x.test\r\n",
    [
      ["a", 1, "<b@x.test>"],
      ["c", 2, "<d@x.test>"],
    ],
  ],
  ["comments and empty lines", "# a\n\n  # b\n \t\na: b@x.test\n#c: d\n", [["a", 5, "<b@x.test>"]]],
  ["a line continued", "a: b@x.test,\n  c@x.test", [["a", 1, "<b@x.test>", "<c@x.test>"]]],
  [
    "continued with a tab, before the comma",
    "a:\n\tb@x.test\n\t, c@x.test",
    [["a", 1, "<b@x.test>", "<c@x.test>"]],
  ],
  [
    "continued over comments and empty lines",
    "a: b@x.test,\n# no\n\n c@x.test\n",
    [["a", 1, "<b@x.test>", "<c@x.test>"]],
  ],
  [
    "a continued line, then another entry",
    "a: b@x.test,\n c\nd: e",
    [
      ["a", 1, "<b@x.test>", "c"],
      ["d", 3, "e"],
    ],
  ],
  ["a name in quotes", '"a b": c', [["a b", 1, "c"]]],
  ["a colon in a quoted name", '"a:b": c', [["a:b", 1, "c"]]],
  ["escapes in a quoted name", '"a\\"b\\\\": c', [['a"b\\', 1, "c"]]],
  ["a target name in quotes", 'a: "b c", "d,e"', [["a", 1, "b c", "d,e"]]],
  ["a quoted local part", 'a: "b c"@x.test, "d,e"@x.test', [["a", 1, '<"b c"@x.test>', '<"d,e"@x.test>']]],
  ["an address literal", "a: b@[IPv6:2001:db8::1]", [["a", 1, "<b@[IPv6:2001:db8::1]>"]]],
  ["a U-label domain", "a: b@bücher.test", [["a", 1, "<b@xn--bcher-kva.test>"]]],
  ["a # that begins no line", "a: b#c@x.test", [["a", 1, "<b#c@x.test>"]]],
  ["a comma behind the last target", "a: b, c,", [["a", 1, "b", "c"]]],
  ["a comma behind the last line", "a: b,\n  c,\n", [["a", 1, "b", "c"]]],
  ["a plus and a dot in a name", "a.b+c: d", [["a.b+c", 1, "d"]]],
  ["a local copy", "a: \\Alice, b", [["a", 1, "{copy alice}", "b"]]],
  ["a list", "a: :include:/etc/list, b", [["a", 1, "{list /etc/list}", "b"]]],
  ["a list in quotes", 'a: ":include:/etc/my list"', [["a", 1, "{list /etc/my list}"]]],
  ["an address that throws away", "a: :blackhole:", [["a", 1, "{discard}"]]],
  ["a disabled address", "a: :fail:", [["a", 1, "{550 5.2.1 this address is disabled}"]]],
  ["words for it", "a: :fail: she left", [["a", 1, "{550 5.2.1 she left}"]]],
  ["a code and words", "a: :fail: 551 she left", [["a", 1, "{551 5.2.1 she left}"]]],
  ["both codes and words", 'a: ":fail: 554 5.7.1 no, thanks"', [["a", 1, "{554 5.7.1 no, thanks}"]]],
  ["an enhanced code alone", "a: :fail: 5.1.6 moved", [["a", 1, "{550 5.1.6 moved}"]]],
  [
    "an address that is disabled for now",
    "a: :defer:",
    [["a", 1, "{450 4.2.1 this address is disabled for now, try again later}"]],
  ],
  ["nothing", "", []],
];
for (const [what, text, entries] of read) {
  test(`an alias file may hold ${what}`, () => {
    const file = parseAliasFile(text);
    assert.deepEqual(file.problems, []);
    assert.deepEqual(
      file.entries.map((entry) => [entry.name, entry.line, ...entry.targets.map(shown)]),
      entries,
    );
  });
}

const NO_COLON = 'no ":" after the name: write "name: address"';
const NOTHING = "no address here: write one, or take the comma out";
const NO_TARGET = "no target behind the name: write an address";
const COMMANDS = "programs are not run: hand the mail to one by LMTP instead";
const FILES = "files are not written: keep the mail in a mail store by LMTP, or in a Maildir";
const COPIES = "a local copy is \\name: write the name of a user, without a domain";
const ALONE = ":blackhole:, :fail: and :defer: stand alone: take the other targets out, or this one";

const wrong: [text: string, ...problems: [line: number, column: number, message: string][]][] = [
  ["alice", [1, 1, NO_COLON]],
  ["# x\nalice@x.test", [2, 1, NO_COLON]],
  ["a: b\nalice bob@x.test\nc: d", [2, 1, NO_COLON]],
  [": b@x.test", [1, 1, "the name is empty"]],
  ['"": b@x.test', [1, 1, "the name is empty"]],
  ["a@x.test: b", [1, 1, 'the name "a@x.test" has an @: write the part before it alone']],
  ["  a: b", [1, 1, "this line continues no entry: begin it in the first column"]],
  ["# x\n\n\tb@x.test\na: b", [3, 1, "this line continues no entry: begin it in the first column"]],
  ["a:", [1, 3, NO_TARGET]],
  ["a:   ", [1, 3, NO_TARGET]],
  ["a: ,", [1, 4, NOTHING]],
  ["a: b,,", [1, 6, NOTHING]],
  ["a: b,,c", [1, 6, NOTHING]],
  ["a: b,\n  ,\n  c", [2, 3, NOTHING]],
  ['a: ""', [1, 4, NOTHING]],
  ["a: b@x.test c@x.test", [1, 4, "put a comma between two addresses"]],
  ['x"y: b@x.test', [1, 1, 'a quote (") is not closed: close it']],
  ["a: |/bin/x", [1, 4, COMMANDS]],
  ['a: "|/bin/x -y, z"', [1, 4, COMMANDS]],
  ['a: b,  |"/bin/x, y"', [1, 8, COMMANDS]],
  ["a: b,\n   /var/mail/a", [2, 4, FILES]],
  ['a: "/var/mail/a b"', [1, 4, FILES]],
  ["a: :include:list", [1, 4, ":include: needs the whole path of a file, from / on"]],
  ["a: :blackhole: x", [1, 4, ":blackhole: stands alone"]],
  ["a: b, :blackhole:", [1, 3, ALONE]],
  ["a: :fail: gone, sorry", [1, 3, ALONE]],
  ["a: :fail: 450 x", [1, 4, 'the codes must begin with 5, as in "550 5.2.1 this address is disabled"']],
  ["a: :fail: 4.2.1 x", [1, 4, 'the codes must begin with 5, as in "550 5.2.1 this address is disabled"']],
  ["a: :bogus: x", [1, 4, '":bogus: x" is none of :include:/path, :blackhole:, :fail: text, :defer: text']],
  ["a: \\, b", [1, 4, COPIES]],
  ["a: \\b@x.test", [1, 4, COPIES]],
  ["a: b@@x.test", [1, 4, 'address "b@@x.test": "@x.test" is not a domain name']],
  ["a: b@x test", [1, 4, 'address "b@x test": "x test" is not a domain name']],
  ["a: ok,\n\tno@, b@x.test", [2, 2, 'address "no@": the domain is empty']],
  ["a: b\nc: d\nA: e", [3, 1, 'alias "a" stands on line 1 already: join the two']],
  [
    "a: b\na: c\na: d",
    [2, 1, 'alias "a" stands on line 1 already: join the two'],
    [3, 1, 'alias "a" stands on line 1 already: join the two'],
  ],
  ["x\na: |y, /z\n\nb:", [1, 1, NO_COLON], [2, 4, COMMANDS], [2, 8, FILES], [4, 3, NO_TARGET]],
  ["a: b,\r\n  /x,\r\n  |y\r\n", [2, 3, FILES], [3, 3, COMMANDS]],
];
for (const [text, ...problems] of wrong) {
  test(`${JSON.stringify(text)}: ${problems.map(([line, column]) => `${line}:${column}`).join(", ")}`, () => {
    assert.deepEqual(
      parseAliasFile(text).problems.map(({ line, column, message }) => [line, column, message]),
      problems,
    );
  });
}

test("a file that begins with a byte order mark is read as if it did not", () => {
  const file = parseAliasFile("\ufeffalice: alice@x.test\n");
  assert.deepEqual(file.problems, []);
  assert.equal(file.entries[0]?.name, "alice");
});

test("no text makes the parser throw, and every problem lies inside the file", () => {
  const piece = fc.constantFrom(
    "a",
    ":",
    ",",
    '"',
    "\\",
    "\n",
    "\r\n",
    " ",
    "#",
    "@",
    "|",
    "/",
    "\t",
    "x.test",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join("");
      const lines = text.split(/\r?\n/);
      for (const { line, column, message } of parseAliasFile(text).problems) {
        assert.ok(line >= 1 && line <= lines.length, `line ${line}`);
        assert.ok(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, `column ${column}`);
        assert.doesNotMatch(message, /[\r\n]/);
      }
    }),
  );
});
