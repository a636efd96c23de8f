import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseConfuseFile } from "./confuse-file.ts";
import { parsePostsrsdFile } from "./postsrsd-file.ts";
import type { PostsrsdSettings } from "./postsrsd-settings.ts";
import { parseShellFile } from "./shell-file.ts";

/** What is set, without the notes; or the line and the words of the problem. */
function read(text: string): Partial<PostsrsdSettings> | string {
  const file = parsePostsrsdFile(text);
  return file.ok ? file.settings : `${file.problem.line}: ${file.problem.message}`;
}

const VERSION_2 = `
# Local domains
domains = { "club.example", '.customers.example' // unquoted ones, too:
  home.example } /* the end
  of the list */
domains-file = "/etc/postsrsd.domains"
srs-domain = ".srs.example"
socketmap = inet:localhost:10003
milter = unix:/var/spool/postfix/srs_milter
milter-rewrite-local = on
secrets-file = "/etc/a \\"strange\\" name"
separator = "-"
hash-length = 8
hash-minimum = 6
connection-limit = 50
`;

test("a configuration of PostSRSd 2 is read: strings, lists and the three forms of comment", () => {
  assert.deepEqual(read(VERSION_2), {
    version: 2,
    srsDomain: "srs.example",
    ownDomains: ["club.example", ".customers.example", "home.example"],
    ownDomainsFile: "/etc/postsrsd.domains",
    secretsFile: '/etc/a "strange" name',
    separator: "-",
    tagLength: 8,
    minTagLength: 6,
    socketmap: "127.0.0.1:10003",
    milter: "unix:/var/spool/postfix/srs_milter",
    rewriteLocal: true,
    forward: undefined,
    reverse: undefined,
    connections: 50,
    notes: [],
  });
});

const VERSION_1 = `
SRS_DOMAIN=srs.example   # ours
export SRS_EXCLUDE_DOMAINS=".customers.example,club.example; home.example"
SRS_SEPARATOR==
SRS_SECRET='/etc/postsrsd'.secret
SRS_HASHLENGTH=5
SRS_HASHMIN=4
SRS_FORWARD_PORT=20001
SRS_LISTEN_ADDR=::1
`;

test("a configuration of PostSRSd 1 is read as a shell would, and what it leaves out has its defaults", () => {
  assert.deepEqual(read(VERSION_1), {
    version: 1,
    srsDomain: "srs.example",
    ownDomains: [".customers.example", "club.example", "home.example"],
    ownDomainsFile: undefined,
    secretsFile: "/etc/postsrsd.secret",
    separator: "=",
    tagLength: 5,
    minTagLength: 4,
    socketmap: undefined,
    milter: undefined,
    rewriteLocal: false,
    forward: "[::1]:20001",
    reverse: "[::1]:10002",
    connections: undefined,
    notes: [],
  });
});

const empty = read("") as PostsrsdSettings;
test("an empty file is one of version 2, with its defaults", () => {
  assert.equal(empty.version, 2);
  assert.equal(empty.socketmap, "unix:/var/spool/postfix/srs");
  assert.equal(empty.secretsFile, "/etc/postsrsd.secret");
  assert.equal(empty.tagLength, 4);
});

const places: readonly [value: string, place: string | undefined][] = [
  ["unix:/var/spool/postfix/srs", "unix:/var/spool/postfix/srs"],
  ["local:/run/srs", "unix:/run/srs"],
  ["inet:mail.example:10003", "mail.example:10003"],
  ["inet:*:10003", "0.0.0.0:10003"],
  ["inet:10003", "0.0.0.0:10003"],
  ["inet6:*:10003", "[::]:10003"],
  ['""', undefined],
];
for (const [value, place] of places) {
  test(`socketmap = ${value} is the place ${place}`, () => {
    assert.equal((read(`socketmap = ${value}\n`) as PostsrsdSettings).socketmap, place);
  });
}

test("what has no counterpart is told, with its line, and so is what is not known", () => {
  const file = parsePostsrsdFile(
    [
      "always-rewrite = on",
      'chroot-dir = "/var/lib/postsrsd"',
      "syslog = off",
      "original-envelope = database",
      "future-setting = 3",
    ].join("\n"),
  );
  assert.ok(file.ok);
  const told = file.settings.notes.map(({ line, message }) => `${line} ${message.split(/[: ]/, 1)[0]}`);
  assert.deepEqual(told, ["1 always-rewrite", "2 chroot-dir", "4 original-envelope", "5 future-setting"]);
});

const wrong: readonly [text: string, problem: RegExp][] = [
  ["domains = { a, b\nsrs-domain", /^2: the file ends where a value or } in a list is expected: correct/],
  ["\nsrs-domain\nseparator = x", /^3: "separator" stands where = behind srs-domain is expected/],
  ["srs-domain = = x", /^1: "=" stands where a value of srs-domain is expected/],
  ["domains = { a = b }", /^1: "=" stands where a value or } in a list is expected/],
  ['a = b\nsrs-domain = "x\n\n', /^2: the string that begins here has no end: write " behind it/],
  ["/* never\nends", /^1: the comment that begins here has no end/],
  ["srs-domain (x)", /^1: "\(" stands where nothing of PostSRSd's has one: remove it/],
  ['separator = "#"', /^1: separator is none of = \+ -: write one/],
  ["\nhash-length = many", /^2: hash-length is no number: write digits/],
  ["socketmap = /var/spool/srs", /^1: socketmap is neither unix:\/path nor inet:HOST:PORT/],
  ["socketmap = inet:localhost:99999", /^1: socketmap is neither/],
  ["SRS_DOMAIN=`postconf -h mydomain`", /^1: "`" is for a shell to work out: write the value itself/],
  ['\nSRS_DOMAIN="$DOMAIN"', /^2: "\$" is for a shell/],
  [
    "SRS_EXCLUDE_DOMAINS=.a.example,b.example c.example",
    /^1: "c\.example" stands behind the value, and is a command to the shell: write SRS_EXCLUDE_DOMAINS="\.a\.example,b\.example c\.example"$/,
  ],
  ['SRS_DOMAIN="a.example" b', /^1: "b" stands behind the value, .*: put the value in quotes, and nothing/],
  ["SRS_DOMAIN='a.example", /^1: the string has no end: write ' behind it/],
  ["SRS_DOMAIN=a.example\nif true; then", /^2: "if true; then" is no assignment/],
  ["SRS_FORWARD_PORT=smtp", /^1: SRS_FORWARD_PORT is no port number/],
  ["SRS_SEPARATOR=#", /^1: SRS_SEPARATOR is none of = \+ -/],
];
for (const [text, problem] of wrong) {
  test(`${JSON.stringify(text)} is told as ${problem}`, () => {
    const said = read(text);
    assert.ok(typeof said === "string", JSON.stringify(said));
    assert.match(said, problem);
  });
}

test("no text makes a parser throw, and a problem has a line of the text", () => {
  const piece = fc.constantFrom(..."={},\"'#/*\\\n $`AZ_a-+".split(""), "SRS_DOMAIN=", "domains");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join("");
      for (const parse of [parseConfuseFile, parseShellFile]) {
        const file = parse(text);
        if (file.ok) continue;
        assert.ok(file.problem.line >= 1 && file.problem.line <= text.split("\n").length, text);
      }
    }),
  );
});
