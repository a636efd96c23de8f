import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { maildirOf, maildirPatternProblem } from "./maildir-folder.ts";

const PATTERN = "/srv/mail/{domain}/{user}";
const mailbox = (localPart: string, domain = "home.example") => ({ localPart, domain });

const folders: [pattern: string, localPart: string, domain: string, base: string, names: string[]][] = [
  [PATTERN, "alice", "home.example", "/srv/mail", ["home.example", "alice"]],
  [PATTERN, "Alice.B", "Home.EXAMPLE", "/srv/mail", ["home.example", "alice.b"]],
  [PATTERN, "JÖRG", "home.example", "/srv/mail", ["home.example", "jÖrg"]],
  [PATTERN, "two words", "home.example", "/srv/mail", ["home.example", "two words"]],
  [PATTERN, "{domain}", "home.example", "/srv/mail", ["home.example", "{domain}"]],
  [PATTERN, "$&$1", "home.example", "/srv/mail", ["home.example", "$&$1"]],
  [PATTERN, "a\\..", "[127.0.0.1]", "/srv/mail", ["[127.0.0.1]", "a\\.."]],
  ["/home/{user}/Maildir", "alice", "home.example", "/home", ["alice", "Maildir"]],
  ["/srv/{user}@{domain}", "a@b", "c.example", "/srv", ["a@b@c.example"]],
  ["/srv/u-{user}", "x".repeat(253), "c.example", "/srv", [`u-${"x".repeat(253)}`]],
];
for (const [pattern, localPart, domain, base, names] of folders) {
  test(`${pattern} for ${localPart.slice(0, 20)}@${domain} is ${names.join("/").slice(0, 40)} below ${base}`, () => {
    assert.equal(maildirPatternProblem(pattern), undefined);
    assert.deepEqual(maildirOf(pattern, mailbox(localPart, domain)), {
      kind: "folder",
      folder: { base, names },
    });
  });
}

const unfit: [localPart: string, domain: string, why: string][] = [
  ["", "home.example", "is empty"],
  [".", "home.example", "begins with a dot"],
  ["..", "home.example", "begins with a dot"],
  [".alice", "home.example", "begins with a dot"],
  ["../bob", "home.example", "begins with a dot"],
  ["alice/../bob", "home.example", "holds a slash"],
  ["/etc", "home.example", "holds a slash"],
  ["alice\0", "home.example", "holds a control character or invalid UTF-8"],
  ["alice\nbob", "home.example", "holds a control character or invalid UTF-8"],
  ["alice\ud800", "home.example", "holds a control character or invalid UTF-8"],
  ["x".repeat(256), "home.example", "is too long"],
  ["ö".repeat(128), "home.example", "is too long"],
  ["alice", "", "is empty"],
  ["alice", "..", "begins with a dot"],
  ["alice", "a/b", "holds a slash"],
];
for (const [localPart, domain, why] of unfit) {
  test(`${JSON.stringify(localPart.slice(0, 20))} at ${JSON.stringify(domain)} ${why}: no maildir`, () => {
    const message = `no maildir can have this name: it ${why}`;
    assert.deepEqual(maildirOf(PATTERN, mailbox(localPart, domain)), { kind: "unfit", message });
  });
}

test("no address leads out of the folder, and two mailboxes never share one", () => {
  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom("a", "b", ".", "/", "@", "-", "{user}", "{domain}", "\0") }),
    fc.string(),
  );
  const patterns = [
    PATTERN,
    "/srv/mail/{user}/{domain}",
    "/srv/mail/{user}@{domain}",
    "/srv/mail/{domain}@x-{user}",
  ];
  const places = new Map<string, string>();
  fc.assert(
    fc.property(fc.constantFrom(...patterns), word, word, (pattern, localPart, host) => {
      // A domain holds no @: the parser sees to that.
      const domain = host.replaceAll("@", "");
      const found = maildirOf(pattern, mailbox(localPart, domain));
      if (found.kind === "unfit") return;
      const { base, names } = found.folder;
      assert.equal(base, "/srv/mail");
      assert.equal(names.length, pattern.split("/").length - 3);
      assert.ok(names.every((name) => name !== "" && !name.startsWith(".") && !/[/\0]/.test(name)));
      const place = `${pattern} ${join(base, ...names)}`;
      const who = JSON.stringify([localPart, domain]).replace(/[A-Z]/g, (letter) => letter.toLowerCase());
      assert.equal(places.get(place) ?? who, who);
      places.set(place, who);
    }),
    { numRuns: 2000 },
  );
  assert.ok(places.size > 100);
});

const faults: [pattern: string, why: RegExp][] = [
  ["mail/{user}", /is not absolute/],
  ["", /is not absolute/],
  ["/srv/../{user}", /empty part, \. or \.\./],
  ["/srv//{user}", /empty part/],
  ["/srv/{user}/", /without a \/ at its end/],
  ["/srv/{user}/.", /empty part/],
  ["/srv/\0/{user}", /control character/],
  ["/srv/{name}/{user}", /has \{name\}: only/],
  ["/srv/{User}", /has \{User\}: only/],
  ["/srv/{domain}", /needs \{user\} once/],
  ["/srv/{user}/{user}", /needs \{user\} once/],
  ["/srv/{domain}/{domain}/{user}", /needs \{user\} once/],
  ["/srv", /needs \{user\} once/],
  ["/{user}", /no fixed folder/],
  ["/{domain}/{user}", /no fixed folder/],
  ["/srv/{user}-{domain}", /lets two mailboxes share/],
  ["/srv/{user}{domain}", /lets two mailboxes share/],
  ["/srv/@{domain}.{user}@", /lets two mailboxes share/],
];
for (const [pattern, why] of faults) {
  test(`the pattern ${JSON.stringify(pattern)} has a problem, told in one line`, () => {
    const problem = maildirPatternProblem(pattern) ?? "";
    assert.match(problem, /^maildir ".*" /);
    assert.match(problem, why);
    assert.doesNotMatch(problem, /\p{Cc}/u);
  });
}
