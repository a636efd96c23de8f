import assert from "node:assert/strict";
import { test } from "node:test";
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { follow } from "./follow.ts";
import { type LoadedTables, loadTables } from "./load-tables.ts";
import { createTableRules, findEntry, type TableRuleOptions } from "./tables.ts";

const RULES: TableRuleOptions = {
  domains: ["ours.test", "Second.Test"],
  ownNames: ["mx.ours.test"],
  domainAliases: { "old.test": "ours.test" },
};
const POSTMASTER = "\npostmaster: p@x.test";

type Files = Readonly<Record<string, string>>;

/** Files called `aliases` and `virtual` are the tables, others are lists. */
function load(files: Files, rules: Partial<TableRuleOptions> = {}, everyLine = false): Promise<LoadedTables> {
  const has = (name: string) => (name in files ? name : undefined);
  return loadTables(
    { aliases: has("aliases"), virtual: has("virtual"), everyLine },
    createTableRules({ ...RULES, ...rules }),
    async function* (path) {
      const text = files[path];
      if (text === undefined) throw new Error("ENOENT");
      const octets = Buffer.from(text);
      // In small pieces, so that lines and characters are cut.
      for (let at = 0; at < octets.length; at += 7) yield octets.subarray(at, at + 7);
    },
  );
}

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

/** Where an address leads: addresses, each with the owner of its list behind it, or one word in brackets. */
async function leads(
  files: Files,
  address: string,
  rules: Partial<TableRuleOptions> = {},
): Promise<string[]> {
  const loaded = await load(files, rules);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const followed = follow(loaded.tables, mailbox(address));
  if (followed.kind === "refuse") return [`{${followed.reply.code}}`];
  if (followed.kind !== "destinations") return [`{${followed.kind}}`];
  assert.deepEqual(followed.dropped, []);
  return followed.destinations.map(({ mailbox, owner }) =>
    owner ? `${renderMailbox(mailbox)} as ${renderMailbox(owner)}` : renderMailbox(mailbox),
  );
}

async function problems(files: Files, rules: Partial<TableRuleOptions> = {}): Promise<string[]> {
  const loaded = await load(files, rules);
  assert.ok(!loaded.ok, "there is nothing wrong");
  return loaded.problems.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`);
}

const followed: [what: string, text: string, name: string, found: string[]][] = [
  ["a name leads to its address", "a: b@x.test", "a", ["b@x.test"]],
  ["names are found in any case", "Alice: b@x.test", "aLICE", ["b@x.test"]],
  ["a name that is not there leads nowhere", "a: b@x.test", "b", ["{unknown}"]],
  ["a name leads through names", "a: b\nb: c\nc: d@x.test", "a", ["d@x.test"]],
  ["names are followed in any case", "a: B\nb: d@x.test", "a", ["d@x.test"]],
  ["a name may stand before what it leads to, or behind", "b: d@x.test\na: b", "a", ["d@x.test"]],
  ["an address of ours is a name again", "a: b@ours.test\nb: d@x.test", "a", ["d@x.test"]],
  ["… in any case", "a: B@SECOND.test\nb: d@x.test", "a", ["d@x.test"]],
  ["an address at a subdomain of ours is not", "a: b@sub.ours.test", "a", ["b@sub.ours.test"]],
  [
    "targets keep their order",
    "a: z@x.test, b, y@x.test\nb: m@x.test",
    "a",
    ["z@x.test", "m@x.test", "y@x.test"],
  ],
  [
    "an address that comes twice is one target",
    "a: b@x.test, c, d@x.test\nc: b@x.test",
    "a",
    ["b@x.test", "d@x.test"],
  ],
  ["local parts that differ in case are two", "a: B@x.test, b@x.test", "a", ["B@x.test", "b@x.test"]],
  ["a local part in needless quotes is the same", 'a: "b"@x.test, b@x.test', "a", ["b@x.test"]],
  ["a diamond is no loop", "a: b, c\nb: d\nc: d\nd: e@x.test", "a", ["e@x.test"]],
  ["what leads through a shared name has it too", "a: b, c\nb: d\nc: d\nd: e@x.test", "c", ["e@x.test"]],
];
for (const [what, text, name, found] of followed) {
  test(what, async () => {
    assert.deepEqual(await leads({ aliases: text + POSTMASTER }, `${name}@ours.test`), found);
  });
}

const virtual: [what: string, text: string, address: string, found: string[]][] = [
  ["an address leads to its target", "a@ours.test b@x.test", "A@OURS.test", ["b@x.test"]],
  ["the same local part elsewhere does not", "a@ours.test b@x.test", "a@second.test", ["{unknown}"]],
  ["blanks and tabs stand between", "a@ours.test \t b@x.test \t", "a@ours.test", ["b@x.test"]],
  ["several targets", "a@ours.test b@x.test, c@x.test", "a@ours.test", ["b@x.test", "c@x.test"]],
  ["a line continued", "a@ours.test b@x.test,\n  c@x.test", "a@ours.test", ["b@x.test", "c@x.test"]],
  ["a target on the next line", "a@ours.test\n\tb@x.test", "a@ours.test", ["b@x.test"]],
  ["comments, empty lines, CRLF", "# x\r\n\r\na@ours.test b@x.test\r\n", "a@ours.test", ["b@x.test"]],
  ["a catch-all takes all others", "@ours.test b@x.test\na@ours.test c@x.test", "z@ours.test", ["b@x.test"]],
  ["… and no entry of its own", "@ours.test b@x.test\na@ours.test c@x.test", "a@ours.test", ["c@x.test"]],
  ["a local part at every domain", "a b@x.test", "a@second.test", ["b@x.test"]],
  ["a whole address before it", "a b@x.test\na@ours.test c@x.test", "a@ours.test", ["c@x.test"]],
  [
    "an address of another domain of ours",
    "a@ours.test b@second.test\nb@second.test c@x.test",
    "a@ours.test",
    ["c@x.test"],
  ],
  ["another name of the domain", "a@ours.test b@x.test", "a@OLD.test", ["b@x.test"]],
  [
    "a target at another name of the domain",
    "a@ours.test b@old.test\nb@ours.test c@x.test",
    "a@ours.test",
    ["c@x.test"],
  ],
  ["a quoted local part", '"a b"@ours.test "c, d"@x.test', '"a b"@ours.test', ['"c, d"@x.test']],
  ["a U-label domain", "a@ours.test b@bücher.test", "a@ours.test", ["b@xn--bcher-kva.test"]],
  ["an address that throws away", "a@ours.test :blackhole:", "a@ours.test", ["{discard}"]],
  ["a disabled one", "a@ours.test :fail: 550 5.1.6 she left", "a@ours.test", ["{550}"]],
  ["one that is disabled for now", "a@ours.test :defer:", "a@ours.test", ["{450}"]],
  ["a domain that is not ours", "a@ours.test b@x.test", "a@else.test", ["{not-ours}"]],
  ["a byte order mark", "\ufeffa@ours.test b@x.test", "a@ours.test", ["b@x.test"]],
];
for (const [what, text, address, found] of virtual) {
  test(`virtual: ${what}`, async () => {
    assert.deepEqual(await leads({ virtual: `${text}\npostmaster p@x.test` }, address), found);
  });
}

const delimited: [address: string, found: string[]][] = [
  ["a+b@ours.test", ["exact@x.test"]],
  ["a+c@ours.test", ["base@x.test"]],
  ["A+C@Ours.test", ["base@x.test"]],
  ["a@ours.test", ["base@x.test"]],
  ["+a@ours.test", ["{unknown}"]],
  ["list+x@ours.test", ["alias@x.test"]],
];
for (const [address, found] of delimited) {
  test(`behind a delimiter: ${address}`, async () => {
    const files = {
      virtual: "a+b@ours.test exact@x.test\na@ours.test base@x.test",
      aliases: `list: alias@x.test${POSTMASTER}`,
    };
    assert.deepEqual(await leads(files, address, { recipientDelimiter: "+" }), found);
  });
}

test("what was behind the delimiter is kept on request, in its case", async () => {
  const files = { virtual: "a@ours.test b@x.test\nm@ours.test c@x.test, d@x.test\npostmaster p@x.test" };
  const rules = { recipientDelimiter: "+", keepExtension: true };
  assert.deepEqual(await leads(files, "a+Tag@ours.test", rules), ["b+Tag@x.test"]);
  assert.deepEqual(await leads(files, "m+t@ours.test", rules), ["c+t@x.test", "d+t@x.test"]);
  assert.deepEqual(await leads(files, "a@ours.test", rules), ["b@x.test"]);
  const odd = ["x%else.test", "x!y", "x..y", "x.", "é", "t".repeat(70)].map((text) => `a+${text}@ours.test`);
  for (const address of [...odd, '"a+@else.test"@ours.test', '"a+b c"@ours.test', "a+@ours.test"]) {
    assert.deepEqual(await leads(files, address, rules), ["b@x.test"], address);
  }
});

test("a virtual table comes before the aliases, and they before its catch-all", async () => {
  const files = {
    aliases: `a: alias@x.test\nb: alias@x.test${POSTMASTER}`,
    virtual: "a@ours.test virtual@x.test\n@ours.test rest@x.test",
  };
  assert.deepEqual(await leads(files, "a@ours.test"), ["virtual@x.test"]);
  assert.deepEqual(await leads(files, "b@ours.test"), ["alias@x.test"]);
  assert.deepEqual(await leads(files, "c@ours.test"), ["rest@x.test"]);
});

test("owner-NAME is the sender of what a list sends out, the innermost list's first", async () => {
  const aliases = [
    "all: a@x.test, staff",
    "owner-all: boss@x.test",
    "staff: b@x.test, plain",
    "owner-staff: chief@x.test",
    "plain: c@x.test",
  ].join("\n");
  assert.deepEqual(await leads({ aliases: aliases + POSTMASTER }, "all@second.test"), [
    "a@x.test as owner-all@second.test",
    "b@x.test as owner-staff@second.test",
    "c@x.test as owner-staff@second.test",
  ]);
  assert.deepEqual(await leads({ aliases: aliases + POSTMASTER }, "plain@ours.test"), ["c@x.test"]);
});

test("lists are read in their place, and lists in lists", async () => {
  const files = {
    aliases: `all: first@x.test, :include:/lists/all, last@x.test${POSTMASTER}`,
    "/lists/all": "# who\na@x.test,\n  b@x.test, c@x.test\n\n:include:/lists/more\n",
    "/lists/more": "d@x.test\n",
  };
  assert.deepEqual(await leads(files, "all@ours.test"), [
    "first@x.test",
    "a@x.test",
    "b@x.test",
    "c@x.test",
    "d@x.test",
    "last@x.test",
  ]);
  const loaded = await load(files);
  assert.deepEqual(loaded.files, ["aliases", "/lists/all", "/lists/more"]);
});

test("an address that leads to itself stays, where its domain has a server that keeps mail", async () => {
  const rules = { staysAt: () => true, knowsUsers: () => false };
  const files = { aliases: `a: a, b@x.test\nc: A@Ours.test${POSTMASTER}` };
  assert.deepEqual(await leads(files, "a@ours.test", rules), ["a@ours.test", "b@x.test"]);
  assert.deepEqual(await leads(files, "c@ours.test", rules), ["a@ours.test", "b@x.test"]);
  const staysAt = (domain: string) => domain === "ours.test";
  assert.deepEqual(await problems(files, { ...rules, staysAt }), [
    "aliases:1:4 loop at second.test: a → a: keep its mail here by localDelivery, or give it an address outside",
  ]);
});

test("a local copy stays, with no further look, and without the extension", async () => {
  const rules = { staysAt: () => true, recipientDelimiter: "+" };
  const files = { aliases: `a: \\a, b@x.test\nc: \\a${POSTMASTER}` };
  assert.deepEqual(await leads(files, "a+tag@old.test", rules), ["a@ours.test", "b@x.test"]);
  assert.deepEqual(await leads(files, "c@ours.test", rules), ["a@ours.test"]);
});

test("a store that knows users is asked for every address that stands in no table", async () => {
  const rules = { staysAt: () => true, storeKnowsUsers: true, recipientDelimiter: "+" };
  const files = { aliases: `a: b@x.test, dora${POSTMASTER}` };
  assert.deepEqual(await leads(files, "Dora+tag@old.test", rules), ["Dora+tag@ours.test"]);
  assert.deepEqual(await leads(files, "a@ours.test", rules), ["b@x.test", "dora@ours.test"]);
  assert.deepEqual(await leads(files, "dora@else.test", rules), ["{not-ours}"]);
});

test("postmaster is an address at our host name, too", async () => {
  const files = { aliases: `a: b@x.test${POSTMASTER}` };
  assert.deepEqual(await leads(files, "Postmaster@MX.ours.test"), ["p@x.test"]);
  assert.deepEqual(await leads(files, "a@mx.ours.test"), ["{not-ours}"]);
  const named = { aliases: "a: b@x.test\npostmaster: a" };
  assert.deepEqual(await leads(named, "postmaster@mx.ours.test"), ["b@x.test"]);
});

test("a name of Object.prototype is no alias", async () => {
  assert.deepEqual(await leads({ aliases: `a: b@x.test${POSTMASTER}` }, "constructor@ours.test"), [
    "{unknown}",
  ]);
});

const wrong: [what: string, files: Files, ...problems: string[]][] = [
  [
    "a name that leads to itself",
    { aliases: "a: a" },
    "aliases:1:4 loop at ours.test: a → a: keep its mail here by localDelivery, or give it an address outside",
  ],
  [
    "two names that lead to each other",
    { aliases: "a: b\nb: a" },
    "aliases:2:4 loop at ours.test: a → b → a: give one of them an address outside",
  ],
  [
    "a ring of three with a way in",
    { aliases: "x: ok@x.test, a\na: b\nb: c\nc: a" },
    "aliases:4:4 loop at ours.test: a → b → c → a: give one of them an address outside",
  ],
  [
    "a ring across both tables",
    { aliases: "a: B@ours.test", virtual: "b@ours.test a@second.test" },
    "virtual:1:13 loop at ours.test: a → b@ours.test → a: give one of them an address outside",
  ],
  [
    "a catch-all that leads to its own domain",
    { aliases: "a: b@x.test", virtual: "@ours.test gone@ours.test" },
    "virtual:1:12 loop at ours.test: @ours.test → @ours.test: keep its mail here by localDelivery, or give it an address outside",
  ],
  [
    "many ways into one loop tell it once",
    { aliases: "x: y, a\ny: b\na: b\nb: a" },
    "aliases:3:4 loop at ours.test: b → a → b: give one of them an address outside",
  ],
  [
    "unknown names, where they stand",
    { aliases: "a: b\nc: x@x.test,\n  nobody\nb: Nobody@Ours.test" },
    'aliases:3:3 "nobody" is neither an address nor a name in these tables at ours.test',
    'aliases:4:4 "Nobody@Ours.test" is at a domain of ours, and in no table: add it, or take it out here',
  ],
  [
    "a local copy, and nobody who keeps it",
    { aliases: "a: b@x.test, \\a" },
    "aliases:1:14 no mail store keeps a local copy: set localDelivery, or take \\a out",
  ],
  [
    "a list that is not there",
    { aliases: "a: b@x.test, :include:/lists/a" },
    "aliases:1:14 list /lists/a cannot be read (ENOENT): correct the path or its rights",
  ],
  [
    "a list in itself",
    { aliases: "a: :include:/l", "/l": "b@x.test\n:include:/l" },
    "/l:2:1 :include: loop: /l → /l: take one of them out",
  ],
  [
    "mistakes in a list",
    { aliases: "a: :include:/l", "/l": "b@x.test\nc d@x.test, |x\n" },
    '/l:2:1 address "c d@x.test": has a character before the @ that is only allowed inside quotes',
    "/l:2:13 programs are not run: hand the mail to one by LMTP instead",
  ],
  [
    "mistakes in a virtual table",
    {
      virtual:
        "a@ours.test\nb@else.test x@x.test\nc@ours.test /x\n  \n d@x.test\nc@ours.test e@x.test\n@old.test x@x.test",
    },
    'virtual:1:1 no target behind the address: write "user@domain target"',
    "virtual:2:1 else.test is none of our domains: add it to domains, or take this line out",
    "virtual:3:13 files are not written: keep the mail in a mail store by LMTP, or in a Maildir",
    'virtual:6:1 "c@ours.test" stands on an earlier line already: join the two',
    "virtual:7:1 old.test is another name of ours.test: write the address at that one",
  ],
  [
    "two lines of one address",
    { virtual: "a@ours.test b@x.test\nA@Ours.Test c@x.test" },
    'virtual:2:1 "a@ours.test" stands on an earlier line already: join the two',
  ],
  [
    "a catch-all over our own names",
    { virtual: "@mx.ours.test b@x.test" },
    "virtual:1:1 a catch-all at mx.ours.test would take every guess at an address of our own: name the addresses",
  ],
];
for (const [what, files, ...told] of wrong) {
  test(`told when tables are loaded: ${what}`, async () => {
    const whole =
      files.aliases === undefined
        ? { ...files, virtual: `${files.virtual}\npostmaster p@x.test` }
        : { ...files, aliases: files.aliases + POSTMASTER };
    assert.deepEqual(await problems(whole), told);
  });
}

test("loops that share all their names are told, a hundred of them, in time that does not explode", async () => {
  const names = Array.from({ length: 150 }, (_, at) => `n${at}`);
  const aliases = names.map((name) => `${name}: ${names.join(", ")}`).join("\n") + POSTMASTER;
  const loaded = await load({ aliases });
  assert.ok(!loaded.ok);
  assert.equal(loaded.problems.length, 100);
});

test("names of many domains, each a whole address at most of them, are checked in time that does not explode", async () => {
  const domains = Array.from({ length: 100 }, (_, at) => `d${at}.test`);
  const names = Array.from({ length: 200 }, (_, at) => `n${at}`);
  const virtual = names.flatMap((name) => domains.slice(1).map((domain) => `${name}@${domain} x@x.test`));
  const aliases = names.map((name) => `all-${name}: ${names.join(", ")}`).join("\n") + POSTMASTER;
  const loaded = await load({ aliases, virtual: virtual.join("\n") }, { domains });
  assert.ok(!loaded.ok);
  assert.match(loaded.problems[0]?.message ?? "", /^"n0" is neither an address .* at d0\.test$/);
  assert.equal(loaded.problems.length + loaded.more, names.length ** 2);
});

test("told when tables are loaded: nobody is postmaster", async () => {
  assert.deepEqual(await problems({ aliases: "a: b@x.test" }), [
    'aliases:1:1 nobody reads mail to postmaster@ours.test, as RFC 5321 asks: add a line such as "postmaster: you@example.net"',
  ]);
});

test("tables full of mistakes tell a hundred each, and how many more there are", async () => {
  const virtual = Array.from({ length: 5000 }, (_, at) => `u${at}@else.test x@x.test`).join("\n");
  const aliases = Array.from({ length: 150 }, (_, at) => `a${at}: |x`).join("\n") + POSTMASTER;
  const loaded = await load({ aliases, virtual });
  assert.ok(!loaded.ok);
  assert.equal(loaded.problems.filter(({ file }) => file === "aliases").length, 100);
  assert.equal(loaded.problems.length, 200);
  assert.equal(loaded.more, 4950);
});

/** With a mail store; a maildir's, which knows no users, unless told. */
const STORE = { staysAt: () => true, knowsUsers: () => false };

const edges: [
  what: string,
  files: Files,
  address: string,
  found: string[],
  rules?: Partial<TableRuleOptions>,
][] = [
  [
    "an alias of an address that throws away",
    { aliases: "a: b\nb: :blackhole:" },
    "a@ours.test",
    ["{discard}"],
  ],
  ["an alias of a disabled one", { aliases: "a: b\nb: :fail: 551 gone" }, "a@ours.test", ["{551}"]],
  [
    "a list with one that is disabled for now",
    { aliases: "a: b, c@x.test\nb: :defer:" },
    "a@ours.test",
    ["{450}"],
  ],
  [
    "an owner of a list with one member",
    { aliases: "a: b@x.test\nowner-a: o@x.test" },
    "a@ours.test",
    ["b@x.test as owner-a@ours.test"],
  ],
  [
    "a list in the virtual table",
    { virtual: "a@ours.test :include:/l, c@x.test\n@second.test :include:/l", "/l": "b@x.test" },
    "a@ours.test",
    ["b@x.test", "c@x.test"],
  ],
  [
    "a list as a catch-all",
    { virtual: "@second.test :include:/l", "/l": "b@x.test" },
    "z@second.test",
    ["b@x.test"],
  ],
  [
    "a name behind an address of another domain of ours is looked up there",
    {
      aliases: "a: team@second.test\nteam: bob",
      virtual: "bob@ours.test 1@x.test\nbob@second.test 2@x.test",
    },
    "a@ours.test",
    ["2@x.test"],
  ],
  [
    "the same list at two domains",
    {
      aliases: "a: team@second.test, team\nteam: bob",
      virtual: "bob@ours.test 1@x.test\nbob@second.test 2@x.test",
    },
    "a@ours.test",
    ["2@x.test", "1@x.test"],
  ],
  [
    "a local copy behind an address of another domain of ours is kept there",
    { aliases: "a: b@second.test, b\nb: \\b" },
    "a@ours.test",
    ["b@second.test", "b@ours.test"],
    STORE,
  ],
  [
    "a virtual address that leads to its own name goes on to the aliases",
    { aliases: "joe: j@x.test", virtual: "joe@ours.test joe" },
    "joe@ours.test",
    ["j@x.test"],
  ],
  [
    "… with an extension",
    { aliases: "joe: j@x.test", virtual: "joe@ours.test joe" },
    "joe+x@ours.test",
    ["j@x.test"],
    { recipientDelimiter: "+" },
  ],
  [
    "an alias that leads to itself does not go on to the catch-all",
    { aliases: "joe: joe", virtual: "@ours.test rest@x.test" },
    "joe@ours.test",
    ["joe@ours.test"],
    STORE,
  ],
  [
    "a name with the delimiter in it is a whole name to the store",
    { aliases: "john-smith: \\john-smith\njane-doe: jane-doe" },
    "john-smith@ours.test",
    ["john-smith@ours.test"],
    { ...STORE, recipientDelimiter: "-" },
  ],
  [
    "… where it leads to itself",
    { aliases: "john-smith: \\john-smith\njane-doe: jane-doe" },
    "jane-doe@ours.test",
    ["jane-doe@ours.test"],
    { ...STORE, recipientDelimiter: "-" },
  ],
  [
    "names that share what stands before the delimiter are two",
    { aliases: "alice-old: alice-new\nalice-new: a@x.test" },
    "alice-old@ours.test",
    ["a@x.test"],
    { ...STORE, recipientDelimiter: "-" },
  ],
  [
    "a name that leads to its base leads on to the catch-all",
    { aliases: "jean-luc: jean", virtual: "@ours.test rest@x.test\n@second.test rest@x.test" },
    "jean-luc@ours.test",
    ["rest@x.test"],
    { ...STORE, recipientDelimiter: "-" },
  ],
  [
    "an extension of its own name is the address itself",
    { aliases: "joe: joe-inbox, j@x.test" },
    "joe-any@ours.test",
    ["joe-inbox@ours.test", "j@x.test"],
    { ...STORE, recipientDelimiter: "-" },
  ],
  [
    "… unless that has an entry",
    { aliases: "joe: joe-inbox, j@x.test\njoe-inbox: i@x.test" },
    "joe@ours.test",
    ["i@x.test", "j@x.test"],
    { ...STORE, recipientDelimiter: "-" },
  ],
  [
    "a name that is a whole address wherever the name behind it is asked for",
    {
      aliases: "a: bob",
      virtual: "bob@ours.test 1@x.test\na@second.test 2@x.test",
    },
    "a@ours.test",
    ["1@x.test"],
  ],
  [
    "a name with a dot at every domain",
    { aliases: "jdoe: j@x.test", virtual: "john.doe jdoe" },
    "john.doe@second.test",
    ["j@x.test"],
  ],
  [
    "where names are no addresses, the aliases are not asked",
    { aliases: "a: b@x.test" },
    "a@second.test",
    ["{unknown}"],
    { nameDomains: ["ours.test"] },
  ],
  [
    "… but for postmaster",
    { aliases: "a: b@x.test" },
    "postmaster@second.test",
    ["p@x.test"],
    { nameDomains: ["ours.test"] },
  ],
  [
    "… and a name as a target is looked up where names are",
    { aliases: "bob: b@x.test", virtual: "a@second.test bob" },
    "a@second.test",
    ["b@x.test"],
    { nameDomains: ["ours.test"] },
  ],
];
for (const [what, files, address, found, rules] of edges) {
  test(`followed: ${what}`, async () => {
    const whole = { ...files, aliases: `${files.aliases ?? ""}${POSTMASTER}` };
    assert.deepEqual(await leads(whole, address, rules), found);
  });
}

test("members who lead nowhere are told, and the others get their copies", async () => {
  const aliases = `a: gone, b@x.test, c@x.test\ngone: :fail: she left${POSTMASTER}`;
  const loaded = await load({ aliases });
  assert.ok(loaded.ok);
  const found = follow(loaded.tables, mailbox("a@ours.test"));
  assert.ok(found.kind === "destinations");
  assert.equal(found.destinations.length, 2);
  assert.deepEqual(found.dropped, [{ target: "gone", why: "refused: 550 5.2.1 she left" }]);
});

test("an entry with an empty list leads nowhere", async () => {
  assert.deepEqual(
    await leads({ aliases: `a: :include:/l${POSTMASTER}`, "/l": "# nobody yet\n" }, "a@ours.test"),
    ["{nowhere}"],
  );
});

const machine = "is on this machine, and its domain is none of domains: write the name alone";
const wrongWith: [what: string, files: Files, rules: Partial<TableRuleOptions>, ...problems: string[]][] = [
  [
    "names with the delimiter that lead to each other, though somebody knows users",
    { aliases: "alice-old: alice-new\nalice-new: alice-old" },
    { staysAt: () => true, recipientDelimiter: "-" },
    "aliases:2:12 loop at ours.test: alice-old → alice-new → alice-old: give one of them an address outside",
  ],
  [
    "a name and its extension that lead to each other",
    { aliases: "list: list-admin, b@x.test\nlist-admin: list" },
    { staysAt: () => true, recipientDelimiter: "-" },
    "aliases:2:13 loop at ours.test: list → list-admin → list: give one of them an address outside",
  ],
  [
    "a name that leads to another one of the same base, which is nobody",
    { aliases: "home-office: home-base" },
    { ...STORE, recipientDelimiter: "-" },
    'aliases:1:14 "home-base" is neither an address nor a name in these tables at ours.test',
  ],
  [
    "a name that a maildir would make a mailbox for",
    { aliases: "a: b@x.test, alcie" },
    STORE,
    'aliases:1:14 "alcie" is neither an address nor a name in these tables at ours.test',
  ],
  [
    "a name that is an address at one domain alone",
    { aliases: "a: bob", virtual: "bob@ours.test b@x.test" },
    {},
    'aliases:1:4 "bob" is neither an address nor a name in these tables at second.test',
  ],
  [
    "… also where that domain has fewer addresses than the other",
    { aliases: "a: bob", virtual: "bob@ours.test b@x.test\nx@second.test b@x.test\ny@second.test b@x.test" },
    {},
    'aliases:1:4 "bob" is neither an address nor a name in these tables at second.test',
  ],
  [
    "a name in a list that is an address at one domain alone",
    { aliases: "a: :include:/l", "/l": "x@x.test, bob", virtual: "bob@ours.test b@x.test" },
    {},
    '/l:1:11 "bob" is neither an address nor a name in these tables at second.test',
  ],
  [
    "two names, each an address at another domain",
    { aliases: "a: bob, joe", virtual: "bob@ours.test b@x.test\njoe@second.test b@x.test" },
    {},
    'aliases:1:4 "bob" is neither an address nor a name in these tables at second.test',
    'aliases:1:9 "joe" is neither an address nor a name in these tables at ours.test',
  ],
  [
    "a loop that whole addresses break at one domain, and not at the other",
    { aliases: "a: b\nb: a", virtual: "b@ours.test b@x.test" },
    {},
    "aliases:2:4 loop at second.test: a → b → a: give one of them an address outside",
  ],
  [
    "two loops that share a name",
    { aliases: "a: b, c, x@x.test\nb: a\nc: d\nd: a" },
    {},
    "aliases:2:4 loop at ours.test: a → b → a: give one of them an address outside",
    "aliases:4:4 loop at ours.test: a → c → d → a: give one of them an address outside",
  ],
  [
    "postmaster of two domains, at the lines that say so",
    { virtual: "x@ours.test a@x.test\npostmaster@ours.test :fail: no\npostmaster@second.test :blackhole:" },
    {},
    "virtual:2:1 mail to postmaster@ours.test is not taken, as RFC 5321 asks: let this entry lead to an address",
    "virtual:3:1 mail to postmaster@second.test is not taken, as RFC 5321 asks: let this entry lead to an address",
  ],
  [
    "copies that no mailbox can have",
    { aliases: "a: x@x.test,\n \\a/b\n..: .." },
    {
      ...STORE,
      mailboxFault: ({ localPart }) => (/^\w+$/.test(localPart) ? undefined : "it has a bad name"),
    },
    'aliases:2:2 "a/b": it has a bad name: correct it',
    'aliases:3:5 "..": it has a bad name: correct it',
  ],
  [
    "our own host name as a target",
    { aliases: "a: root@localhost\nb: x@x.test, c@MX.ours.test", virtual: "d@ours.test d@localhost" },
    {},
    `aliases:1:4 "root@localhost" ${machine}`,
    `aliases:2:14 "c@MX.ours.test" ${machine}`,
    `virtual:1:13 "d@localhost" ${machine}`,
  ],
  [
    "a list of the virtual table that is not there",
    { virtual: "a@ours.test b@x.test,\n  :include:/l" },
    {},
    "virtual:2:3 list /l cannot be read (ENOENT): correct the path or its rights",
  ],
  [
    "a bad name in a list, once, where it stands",
    { aliases: "a: :include:/l\nb: :include:/l", "/l": "b@x.test\n  c@x.test, bobb" },
    {},
    '/l:2:13 "bobb" is neither an address nor a name in these tables at ours.test',
  ],
  [
    "a list that throws away and does not",
    { aliases: "a: :include:/l", "/l": ":blackhole:\nm@x.test" },
    {},
    "/l:1:1 :blackhole:, :fail: and :defer: stand alone: take the other addresses out",
  ],
  [
    "a name with blanks, as where a colon was lost",
    { aliases: "root = harry\n orphan: x@x.test" },
    {},
    'aliases:1:1 the name "root = harry orphan" has blanks: put it in quotes, or correct the lines',
  ],
  [
    "a file that is not UTF-8",
    { aliases: "m\ufffdller: x@x.test" },
    {},
    "aliases:1:1 the file is not UTF-8: convert it",
  ],
  [
    "Postfix's line of a domain",
    { virtual: "ours.test anything" },
    {},
    'virtual:1:1 "ours.test" alone declares a domain to Postfix: it is known already, take this line out',
  ],
  [
    "… of a domain that is not ours",
    { virtual: "new.test anything" },
    {},
    'virtual:1:10 "anything" is neither an address nor a name in these tables at ours.test; or, if "new.test" declares a domain, as for Postfix: list it in domains, and take this line out',
  ],
  [
    "a pattern",
    { virtual: "/^x-.*@ours\\.test$/ x@x.test" },
    {},
    "virtual:1:1 patterns are not read: write addresses, or @domain for all others of a domain",
  ],
  [
    "a pattern's target",
    { virtual: "@ours.test %1@x.test\na@ours.test $1@x.test" },
    {},
    "virtual:1:12 %1 and $1 stand for nothing here: to map a whole domain, use domainAliases in the configuration",
    "virtual:2:13 %1 and $1 stand for nothing here: to map a whole domain, use domainAliases in the configuration",
  ],
  [
    "a wildcard",
    { aliases: "*: x@x.test", virtual: "*@ours.test a@x.test\n* a@x.test" },
    {},
    'aliases:1:1 "*" is a wildcard to Exim: for all others of a domain, write "@domain target" into a virtual table',
    'virtual:1:1 "*" is no wildcard here: write @domain for all others of a domain',
    'virtual:2:1 "*" is no wildcard here: write @domain for all others of a domain',
  ],
  [
    "a catch-all twice",
    { virtual: "@ours.test a@x.test\n@ours.test b@x.test" },
    {},
    'virtual:2:1 "@ours.test" stands on an earlier line already: join the two',
  ],
];
for (const [what, files, rules, ...told] of wrongWith) {
  test(`told when tables are loaded: ${what}`, async () => {
    const whole = { ...files, aliases: `${files.aliases ?? "x: x@x.test"}${POSTMASTER}` };
    assert.deepEqual(await problems(whole, rules), told);
  });
}

test("told when tables are loaded: postmaster is not taken", async () => {
  for (const target of [":blackhole:", ":fail: no", "gone\ngone: :fail: no"]) {
    const [told, ...more] = await problems({ aliases: `postmaster: ${target}` });
    assert.match(told ?? "", /^aliases:1:1 mail to postmaster@ours\.test is not taken, as RFC 5321 asks/);
    assert.equal(more.length, 0);
  }
});

const shapes: [targets: string, isText: boolean, rules?: Partial<TableRuleOptions>][] = [
  ["b@x.test", true],
  ["b@x.test, c@y.test", true],
  ["b@x.test,\tc@y.test ,", true],
  ['"b, c"@x.test, c@x.test', true],
  [":fail: 551 she left", true],
  [":blackhole:", true],
  ["\\a, c@x.test", true, STORE],
  ["\\A", true, STORE],
  [
    "\\a, c@x.test",
    false,
    { ...STORE, mailboxFault: ({ localPart }) => (localPart === "a" ? "no" : undefined) },
  ],
  ["b@x.test, joe@ours.test", false],
  ["joe", false],
  ["joe, b@x.test", false],
];
for (const [targets, isText, rules = {}] of shapes) {
  test(`a line with ${targets} is kept as ${isText ? "text" : "an entry"}, and leads where it did`, async () => {
    const files = { virtual: `a@ours.test ${targets}\njoe j@x.test\npostmaster p@x.test` };
    const loaded = await load(files, rules);
    const slot = loaded.ok ? loaded.tables.addresses.get("a@ours.test") : {};
    assert.equal(typeof slot === "string", isText);
    const whole = await load(files, rules, true);
    if (!loaded.ok || !whole.ok) return assert.deepEqual(loaded, whole);
    const address = mailbox("a@ours.test");
    assert.deepEqual(follow(loaded.tables, address), follow(whole.tables, address));
    const found = findEntry(whole.tables, address);
    assert.equal(found.kind === "entry" && found.entry.line, 1);
  });
}

test("what is wrong with a target is told where it stands, on lines of every shape", async () => {
  const virtual = [
    "a@ours.test b@x.test, nobody",
    "b@ours.test \\b , nobody",
    "c@ours.test nobody@ours.test",
    "d@ours.test\tb@x.test,c@x..test",
    "postmaster p@x.test",
  ].join("\n");
  assert.deepEqual(
    (await problems({ virtual }, STORE)).map((problem) => problem.split(" ")[0]),
    ["virtual:1:23", "virtual:2:18", "virtual:3:13", "virtual:4:22"],
  );
});

test("a line with a mistake is told once, whoever leads to it", async () => {
  const virtual =
    "a@ours.test b@x.test, |x\nb@ours.test :fail: a, b@x.test\nz@ours.test a@ours.test, b@ours.test";
  assert.deepEqual(
    (await problems({ virtual: `${virtual}\npostmaster p@x.test` })).map((problem) => problem.split(" ")[0]),
    ["virtual:1:23", "virtual:2:12"],
  );
});

test("a table is checked in slices, and others have their turn between them", async () => {
  const lines = Array.from({ length: 30_000 }, (_, at) => `n${at}: n${at - (at % 40)}x\nn${at}x: x@x.test`);
  const rules = createTableRules(RULES);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const text = Buffer.from(lines.join("\n") + POSTMASTER);
  let after = 0;
  const loaded = await loadTables({ aliases: "aliases" }, rules, async function* () {
    yield text;
    after = turns;
  });
  clearInterval(timer);
  assert.ok(loaded.ok);
  assert.ok(turns - after >= 5, `${turns - after} turns`);
});

test("a list of 200,000 members is taken, and read once for all who name it", async () => {
  let opened = 0;
  const list = Array.from({ length: 200_000 }, (_, at) => `m${at}@x.test`).join("\n");
  const names = Array.from({ length: 500 }, (_, at) => `a${at}: :include:/l`).join("\n");
  const loaded = await loadTables({ aliases: "aliases" }, createTableRules(RULES), async function* (path) {
    if (path === "/l") opened++;
    yield Buffer.from(path === "/l" ? list : names + POSTMASTER);
  });
  assert.ok(loaded.ok);
  assert.equal(opened, 1);
  const found = follow(loaded.tables, mailbox("a499@ours.test"));
  assert.ok(found.kind === "destinations");
  assert.equal(found.destinations.length, 200_000);
});

test("lists in lists, each many times: every member comes once", async () => {
  const files: Record<string, string> = { aliases: `a: :include:/l1${POSTMASTER}` };
  for (let level = 1; level < 10; level++) files[`/l${level}`] = `:include:/l${level + 1}\n`.repeat(20);
  files["/l10"] = "m@x.test";
  assert.deepEqual(await leads(files, "a@ours.test"), ["m@x.test"]);
});

function chain(length: number): string {
  const names = Array.from({ length: length - 1 }, (_, at) => `n${at + 1}: n${at + 2}`);
  return [...names, `n${length}: end@x.test`].join("\n");
}

test("names may be nested 50 deep, and no deeper, whichever stands first", async () => {
  assert.deepEqual(await leads({ aliases: chain(50) + POSTMASTER }, "n1@ours.test"), ["end@x.test"]);
  const deeper = "aliases:1:5 names are nested more than 50 deep behind this one: n2";
  assert.deepEqual(await problems({ aliases: chain(51) + POSTMASTER }), [deeper]);
  const reversed = chain(51).split("\n").reverse().join("\n");
  const last = "aliases:51:5 names are nested more than 50 deep behind this one: n2";
  assert.deepEqual(await problems({ aliases: reversed + POSTMASTER }), [last]);
});

test("a chain of 100,000 names is told, and ends nothing", async () => {
  assert.match(
    (await problems({ aliases: chain(100_000) + POSTMASTER })).join("\n"),
    /nested more than 50 deep/,
  );
});

test("names that many share are walked once: 40 levels of two branches end at two addresses", async () => {
  const level = (at: number) => (at === 40 ? "l@x.test, r@x.test" : `l${at + 1}, r${at + 1}`);
  const lines = Array.from(
    { length: 40 },
    (_, at) => `l${at + 1}: ${level(at + 1)}\nr${at + 1}: ${level(at + 1)}`,
  );
  assert.deepEqual(await leads({ aliases: lines.join("\n") + POSTMASTER }, "l1@ours.test"), [
    "l@x.test",
    "r@x.test",
  ]);
});
