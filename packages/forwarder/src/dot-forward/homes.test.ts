import assert from "node:assert/strict";
import { test } from "node:test";
import type { FileAccess, OpenFile } from "./file-access.ts";
import { createHomes, isUserName, parseHomePattern, parsePasswd } from "./homes.ts";

const names: [name: string, good: boolean][] = [
  ["alice", true],
  ["a.b_c-d+e", true],
  ["jörg", true],
  ["...", true],
  ["x".repeat(64), true],
  ["x".repeat(65), false],
  ["ö".repeat(33), false],
  ["", false],
  [".", false],
  ["..", false],
  ["../bob", false],
  ["a/b", false],
  ["/etc", false],
  ["a\0b", false],
  ["a\nb", false],
  ["-rf", false],
  ["\ud800", false],
];
for (const [name, good] of names) {
  test(`${JSON.stringify(name)} is ${good ? "a" : "no"} user name`, () => {
    assert.equal(isUserName(name), good);
  });
}

const NO_DISK: FileAccess = {
  hold: () => assert.fail("the disk was touched"),
  open: () => assert.fail("the disk was touched"),
};

test("a name that is no user name has no home, and nothing is looked for on the disk", async () => {
  const pattern = parseHomePattern("/home/{user}");
  assert.ok(pattern.ok);
  for (const options of [{ render: pattern.render }, { passwd: "/etc/passwd" }]) {
    const find = createHomes({ ...options, files: NO_DISK, now: Date.now });
    for (const [name, good] of names) if (!good) assert.deepEqual(await find(name), { kind: "no-user" });
  }
});

const patterns: [pattern: string, expected: string | RegExp][] = [
  ["/home/{user}", "/home/a$&b"],
  ["/srv/www/u-{user}.d", "/srv/www/u-a$&b.d"],
  ["home/{user}", /does not begin with \//],
  ["/home/{user}/mail", /not in the last component/],
  ["/home/{user}/", /not in the last component/],
  ["/home/{user}{user}", /once/],
  ["/home/user", /once/],
  ["/home/../{user}", /\.\./],
  ["/ho\0me/{user}", /control character/],
];
for (const [pattern, expected] of patterns) {
  test(`the home pattern ${JSON.stringify(pattern)} ${typeof expected === "string" ? "is read" : "is refused"}`, () => {
    const parsed = parseHomePattern(pattern);
    if (typeof expected === "string") {
      assert.ok(parsed.ok);
      assert.equal(parsed.render("a$&b"), expected);
    } else {
      assert.ok(!parsed.ok);
      assert.match(parsed.message, expected);
      assert.match(parsed.message, /write it as \/home\/\{user\}$/);
    }
  });
}

test("of a passwd file, the lines of users with a home are read, and the first of a name counts", () => {
  const text =
    "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice,,,:/home/alice:/bin/sh\n" +
    "alice:x:0:0::/evil:/bin/sh\n# comment\nbad\nnohome:x:5:5:::\n+nis::::::\n../x:x:1:1::/h:\n-u:x:1:1::/h:\nneg:x:-1:1::/h:\n";
  assert.deepEqual(
    [...parsePasswd(text)],
    [
      ["root", { path: "/root", uid: 0 }],
      ["alice", { path: "/home/alice", uid: 1000 }],
    ],
  );
});

const NOW = 1_000_000;

test("the passwd file is read again when it has changed, and while it is away nobody knows", async () => {
  let text = "alice:x:1000:1000::/home/alice:\n";
  let version = "1";
  let reads = 0;
  let gone: string | undefined;
  const file: OpenFile = {
    status: async () => ({
      kind: "file",
      uid: 0,
      mode: 0o644,
      links: 1,
      octets: text.length,
      modifiedMs: NOW,
      version,
    }),
    async read() {
      reads++;
      return Buffer.from(text);
    },
    close: async () => {},
  };
  const files: FileAccess = {
    ...NO_DISK,
    async open() {
      if (gone !== undefined) throw Object.assign(new Error(gone), { code: gone });
      return file;
    },
  };
  const find = createHomes({ passwd: "/p", files, now: () => NOW });
  assert.deepEqual(await find("alice"), { kind: "home", home: { path: "/home/alice", uid: 1000 } });
  assert.deepEqual(await find("bob"), { kind: "no-user" });
  assert.equal(reads, 1);
  text += "bob:x:1001:1001::/home/bob:\n";
  version = "2";
  assert.deepEqual(await find("bob"), { kind: "home", home: { path: "/home/bob", uid: 1001 } });
  for (gone of ["ENOENT", "EIO"]) assert.equal((await find("bob")).kind, "unavailable");
  gone = undefined;
  // Emptied, to be written again: nobody is lost over that.
  text = "";
  version = "3";
  assert.deepEqual(await find("bob"), { kind: "unavailable", cause: "/p: it is being written" });
  text = "bob:x:1001:1001::/home/bob:\n";
  const both = createHomes({ passwd: "/p", render: (user) => `/data/${user}`, files, now: () => NOW });
  assert.deepEqual(await both("bob"), { kind: "home", home: { path: "/data/bob", uid: 1001 } });
});
