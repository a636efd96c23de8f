import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { authenticationResultsField } from "./authentication-results.ts";
import { ownResultsIn } from "./own-results.ts";

const ID = "mx.forwarder.example";
const NAME = "Authentication-Results:";
const isFound = (field: string) => {
  const start = Buffer.from(`Subject: x\r\n${field}\r\nTo: y\r\n\r\nbody\r\n`, "latin1");
  const ranges = ownResultsIn(start, ID);
  if (ranges.length > 0)
    assert.deepEqual(ranges, [{ from: 12, to: 12 + Buffer.byteLength(field, "latin1") + 2 }]);
  return ranges.length > 0;
};

const ours: [what: string, field: string][] = [
  ["as it is written", `${NAME} ${ID}; spf=pass`],
  ["of nothing tested", `${NAME} ${ID}; none`],
  ["without white space", `${NAME}${ID};spf=pass`],
  ["without results", `${NAME} ${ID}`],
  ["in other case", `AUTHENTICATION-results: MX.Forwarder.EXAMPLE; spf=pass`],
  ["with white space before the colon", `Authentication-Results \t: ${ID}; spf=pass`],
  ["with a version", `${NAME} ${ID} 1; spf=pass`],
  ["with a version behind a comment", `${NAME} ${ID}(x)1; spf=pass`],
  ["folded before the id", `${NAME}\r\n\t${ID}; spf=pass`],
  ["folded behind the id", `${NAME} ${ID}\r\n ; spf=pass`],
  ["folded inside the id", `${NAME} mx.\r\n forwarder.example; spf=pass`],
  ["with a line of white space", `${NAME}\r\n \r\n ${ID}; spf=pass`],
  ["behind a comment", `${NAME} (no; yes) ${ID}; spf=pass`],
  ["behind comments in comments", `${NAME} (a (b) "c \\) (d)) ${ID}; spf=pass`],
  ["with a comment inside the id", `${NAME} mx(x).forwarder(y).example; spf=pass`],
  ["with a comment behind the id", `${NAME} ${ID}(x); spf=pass`],
  ["with a comment that does not end behind the id", `${NAME} ${ID} (x; spf=pass`],
  ["with a quoted id", `${NAME} "${ID}"; spf=pass`],
  ["with a quoted id and quoted pairs", `${NAME} "mx.forwarder\\.ex\\ample"; spf=pass`],
  ["with an id that is half quoted", `${NAME} mx."forwarder".example; spf=pass`],
  ["with the dot of the root", `${NAME} ${ID}.; spf=pass`],
  ["with the dot of the root and a version", `${NAME} ${ID}. 1; spf=pass`],
  ["with words behind the id", `${NAME} ${ID} x.example; spf=pass`],
  ["with a slash behind the id", `${NAME} ${ID}/1; spf=pass`],
  ["with an equals sign behind the id", `${NAME} ${ID}=x; spf=pass`],
  ["that begins with a comment that does not end", `${NAME} (x ${ID}; spf=pass`],
  ["that begins with a quote that does not end", `${NAME} "x ${ID}; spf=pass`],
  ["without an id", `${NAME} ; ${ID}; spf=pass`],
];
for (const [what, field] of ours) {
  test(`a field is taken for ours ${what}`, () => assert.ok(isFound(field)));
}

const others: [what: string, field: string][] = [
  ["of another server", `${NAME} mx.other.example; spf=pass`],
  ["of a server below ours", `${NAME} a.${ID}; spf=pass`],
  ["of a server above ours", `${NAME} forwarder.example; spf=pass`],
  ["with a longer name", `${NAME} ${ID}.org; spf=pass`],
  ["with a digit more", `${NAME} ${ID}1; spf=pass`],
  ["with a hyphen more", `${NAME} ${ID}-x; spf=pass`],
  ["with our name in a comment", `${NAME} mx.other.example (${ID}); spf=pass`],
  ["with our name in a result", `${NAME} mx.other.example; spf=pass smtp.mailfrom=${ID}`],
  ["with our name in a quoted id", `${NAME} "x; ${ID}"; spf=pass`],
  ["with a comment that does not end, of another server", `${NAME} (mx.other.example; spf=pass`],
  ["of a chain", `ARC-Authentication-Results: i=1; ${ID}; spf=pass`],
  ["with more before its name", `X-Authentication-Results: ${ID}; spf=pass`],
  ["with more behind its name", `Authentication-Results-Original: ${ID}; spf=pass`],
  ["without a colon", `Authentication-Results ${ID}; spf=pass`],
  ["inside another field", `X: y\r\n Authentication-Results: ${ID}; spf=pass`],
  ["with nothing in it", NAME],
];
for (const [what, field] of others) {
  test(`a field is not taken for ours ${what}`, () => assert.ok(!isFound(field)));
}

test("what stands in the body is no field, and a header without an end is read to its end", () => {
  const field = `${NAME} ${ID}; spf=pass\r\n`;
  assert.deepEqual(ownResultsIn(Buffer.from(`A: b\r\n\r\n${field}`), ID), []);
  assert.deepEqual(ownResultsIn(Buffer.from(`\r\n${field}`), ID), []);
  assert.deepEqual(ownResultsIn(Buffer.from(field), ID), [{ from: 0, to: field.length }]);
  assert.deepEqual(ownResultsIn(Buffer.from(field.trim()), ID), [{ from: 0, to: field.length - 2 }]);
  assert.deepEqual(ownResultsIn(Buffer.alloc(0), ID), []);
});

test("all of several are found, in their order", () => {
  const [one, two] = [`${NAME} ${ID}; spf=pass\r\n`, `${NAME} x; spf=pass\r\n`];
  const ranges = ownResultsIn(Buffer.from(`${one}${two}${one}\r\n`), ID);
  const second = one.length + two.length;
  assert.deepEqual(ranges, [
    { from: 0, to: one.length },
    { from: second, to: second + one.length },
  ]);
});

const hostile: [what: string, header: string][] = [
  ["100,000 fields of ours", `${NAME} ${ID};\r\n`.repeat(100_000)],
  ["100,000 fields of nobody", "a: b\r\n".repeat(100_000)],
  ["comments 1,000 deep that do not end", `${NAME} ${"(".repeat(1000)}\r\n`.repeat(1000)],
  ["one comment of a megabyte", `${NAME} ${"(".repeat(1_000_000)}\r\n`],
  ["one quoted string of a megabyte", `${NAME} "${"\\x".repeat(500_000)}\r\n`],
  ["one field folded 300,000 times", `${NAME} ${"\r\n ".repeat(300_000)}${ID}\r\n`],
  ["one name of a megabyte", `${NAME} ${"mx.".repeat(300_000)}\r\n`],
  ["half of our name, 80,000 times", `${NAME} (${"mx.forwarder".repeat(80_000)}\r\n`],
];
for (const [what, header] of hostile) {
  test(`a header with ${what} is read within a second`, () => {
    const begin = performance.now();
    ownResultsIn(Buffer.from(`${header}\r\n`), ID);
    assert.ok(performance.now() - begin < 1000);
  });
}

test("what the writer wrote is found, whatever white space and comments are put into it", () => {
  const gap = fc.constantFrom(
    "",
    " ",
    "\t",
    "\r\n ",
    "(x)",
    "(a(b)c)",
    "(;)",
    '(")',
    "(\\))",
    "\r\n\t( )\r\n ",
  );
  const written = authenticationResultsField({ authservId: ID, results: [] });
  const [name = "", rest = ""] = written.trimEnd().split(ID);
  fc.assert(
    fc.property(gap, gap, gap, gap, (one, two, three, four) => {
      const id = ID.replace(".", `${two}.${three}`);
      assert.ok(isFound(`${name}${one}${id}${four}${rest}`));
    }),
  );
});

test("no octets make the search throw, and what it finds are whole fields", () => {
  const piece = fc.constantFrom(
    NAME,
    ID,
    "\r\n",
    "\r",
    "\n",
    " ",
    "(",
    ")",
    '"',
    "\\",
    ";",
    ".",
    "\xff",
    "X:",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const start = Buffer.from(pieces.join(""), "latin1");
      let before = 0;
      for (const { from, to } of ownResultsIn(start, ID)) {
        assert.ok(from >= before && to > from && to <= start.length);
        assert.match(start.toString("latin1", from, to), /^authentication-results/i);
        assert.ok(from === 0 || start[from - 1] === 0x0a);
        before = to;
      }
    }),
  );
});
