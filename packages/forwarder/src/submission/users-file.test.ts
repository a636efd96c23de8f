import assert from "node:assert/strict";
import { test } from "node:test";
import { isOwn, nameKey, parseUsersFile } from "./users-file.ts";

const HASH = `$scrypt$ln=15,r=8,p=3$MDEyMzQ1Njc4OWFiY2RlZg$${"A".repeat(43)}`;

function problemsOf(text: string, passwords: "here" | "elsewhere" = "here"): string[] {
  const parsed = parseUsersFile(text, { passwords });
  return parsed.ok ? [] : parsed.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

test("each line is a name, a hash and addresses; comments, empty lines and CRLF do no harm", () => {
  const parsed = parseUsersFile(
    `# people\n\nAlice:${HASH}:Alice@Example.org, *@cards.example\r\nbob@example.org:${HASH}:bob@bücher.example\n`,
  );
  assert.ok(parsed.ok);
  assert.deepEqual([...parsed.users.keys()], ["alice", "bob@example.org"]);
  const alice = parsed.users.get(nameKey("ALICE"));
  assert.ok(alice?.hash);
  assert.deepEqual([alice.name, alice.line], ["Alice", 3]);
  const own = (text: string): boolean => {
    const [localPart = "", domain = ""] = text.split("@");
    return isOwn(alice.addresses, { localPart, domain });
  };
  for (const address of ["alice@example.org", "ALICE@EXAMPLE.ORG", "any.one@Cards.example"])
    assert.ok(own(address), address);
  for (const address of [
    "bob@example.org",
    "alice@sub.example.org",
    "x@sub.cards.example",
    "alice@example.or",
  ])
    assert.ok(!own(address), address);
  const bob = parsed.users.get("bob@example.org");
  assert.ok(bob && isOwn(bob.addresses, { localPart: "bob", domain: "xn--bcher-kva.example" }));
});

test("a file without anybody has nobody", () => {
  const parsed = parseUsersFile("# nobody yet\n");
  assert.ok(parsed.ok);
  assert.equal(parsed.users.size, 0);
});

const mistakes: [text: string, problems: RegExp[]][] = [
  ["alice", [/^1:1 a line has three parts/]],
  [`alice:${HASH}`, [/^1:1 a line has three parts/]],
  [`alice:${HASH}:a@b.example:more`, [/^1:1 a line has three parts/]],
  [`:${HASH}:a@b.example`, [/^1:1 the name is missing/]],
  [` alice:${HASH}:a@b.example`, [/^1:1 the name has blanks/]],
  [`al\x07ice:${HASH}:a@b.example`, [/^1:1 the name holds a control/]],
  [`${"a".repeat(256)}:${HASH}:a@b.example`, [/more than 255 octets/]],
  ["alice::a@b.example", [/^1:7 the hash is missing: set a password with homing users/]],
  ["alice:secret:a@b.example", [/^1:7 the hash has not the form/]],
  [`alice:${HASH}:`, [/^1:96 an address is missing/]],
  [`alice:${HASH}:a@b.example,`, [/an address is missing/]],
  [`alice:${HASH}:nobody`, [/no @/]],
  [`alice:${HASH}:*@`, [/./]],
  [`alice:${HASH}:*@b..example`, [/./]],
  [`alice:${HASH}:"*"@b.example`, [/whole domain/]],
  [
    `alice:${HASH}:a@b.example\n\nbob:x:y\nALICE:${HASH}:a@b.example`,
    [/^3:5 /, /^3:7 /, /^4:1 the name ALICE stands in line 1 already/],
  ],
];
for (const [text, problems] of mistakes) {
  test(`${JSON.stringify(text).replaceAll(HASH, "HASH").slice(0, 70)} is told with its place`, () => {
    const told = problemsOf(text);
    assert.equal(told.length, problems.length, told.join("\n"));
    for (const [index, problem] of problems.entries()) assert.match(told[index] ?? "", problem);
    for (const one of told)
      assert.doesNotMatch(one, /secret|\$scrypt\$ln=15,r=8,p=3\$MD/, "no hash, no password");
  });
}

test("where somebody else knows the passwords, a hash is of no use, and none is missing", () => {
  assert.deepEqual(problemsOf("alice::a@b.example", "elsewhere"), []);
  assert.match(problemsOf(`alice:${HASH}:a@b.example`, "elsewhere")[0] ?? "", /^1:7 .*Dovecot/);
});
