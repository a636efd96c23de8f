import assert from "node:assert/strict";
import { test } from "node:test";
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { createForwardPolicy, type ForwardAlarm } from "./dot-forward/forward-policy.ts";
import type { ForwardAnswer } from "./dot-forward/forward-reader.ts";
import { followUsers } from "./follow-users.ts";
import type { Step } from "./tables/follow.ts";
import { loadTables } from "./tables/load-tables.ts";
import { createTableRules, type TableRuleOptions, type Tables } from "./tables/tables.ts";

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

async function tables(aliases: string, rules: Partial<TableRuleOptions>): Promise<Tables> {
  const options = { domains: ["ours.test"], ownNames: [], userDomains: ["ours.test"], ...rules };
  const loaded = await loadTables({ aliases: "aliases" }, createTableRules(options), async function* () {
    yield Buffer.from(`${aliases}\npostmaster: p@x.test\n`);
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.tables;
}

const STORE = { staysAt: () => true, knowsUsers: () => false };
const NO_STORE = {};

/** What users have: text of addresses with blanks between them, `\name` for a copy, or another answer. */
type Users = Readonly<Record<string, string | ForwardAnswer>>;

function reader(users: Users) {
  let running = 0;
  const peak = { value: 0 };
  return {
    peak,
    close() {},
    async read(user: string): Promise<ForwardAnswer> {
      peak.value = Math.max(peak.value, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      running--;
      const answer = users[user] ?? { kind: "no-user" };
      if (typeof answer !== "string") return answer;
      const targets = answer.split(" ").map((word) => {
        if (word.startsWith("\\")) return { kind: "local-copy", name: word.slice(1) } as const;
        return word.includes("@")
          ? ({ kind: "mailbox", mailbox: mailbox(word) } as const)
          : ({ kind: "name", name: word } as const);
      });
      return { kind: "targets", targets };
    },
  };
}

async function leads(given: Tables, users: Users, address: string) {
  const alarms: ForwardAlarm[] = [];
  const read = reader(users);
  const followed = await followUsers(given, mailbox(address), {
    reader: read,
    policy: createForwardPolicy({ choice: "refuse" }),
    now: () => 0,
    alarm: (alarm) => alarms.push(alarm),
    unavailable: () => {},
  });
  const to =
    followed.kind === "destinations" ? followed.destinations.map((one) => renderMailbox(one.mailbox)) : [];
  const code = "reply" in followed ? followed.reply.code : undefined;
  const dropped = "dropped" in followed ? followed.dropped.map(({ target, why }) => `${target}: ${why}`) : [];
  return { kind: followed.kind, to, code, dropped, alarms: alarms.length, peak: read.peak.value };
}

const ways: [
  what: string,
  setting: { aliases?: string; rules?: Partial<TableRuleOptions>; users: Users; address: string },
  found: { kind: string; to?: string[]; code?: number; dropped?: string[] },
][] = [
  [
    "a user's file",
    { users: { alice: "a@x.test" }, address: "Alice@ours.test" },
    { kind: "destinations", to: ["a@x.test"] },
  ],
  [
    "the file of a user with the delimiter in the name",
    {
      rules: { recipientDelimiter: "-" },
      users: { "jean-luc": "j@x.test", jean: "other@x.test" },
      address: "Jean-Luc@ours.test",
    },
    { kind: "destinations", to: ["j@x.test"] },
  ],
  [
    "the file of the base, where nobody has the whole name",
    {
      rules: { recipientDelimiter: "-" },
      users: { "jean-luc": "j@x.test", jean: "other@x.test" },
      address: "jean-lists@ours.test",
    },
    { kind: "destinations", to: ["other@x.test"] },
  ],
  [
    "a copy in the file of a user with the delimiter in the name",
    {
      rules: { ...STORE, recipientDelimiter: "-" },
      users: { "jean-luc": "jean-luc j@x.test" },
      address: "jean-luc@ours.test",
    },
    { kind: "destinations", to: ["jean-luc@ours.test", "j@x.test"] },
  ],
  ["nobody of that name", { users: {}, address: "bob@ours.test" }, { kind: "unknown", code: 550 }],
  [
    "a user without a file, and a store",
    { rules: STORE, users: { alice: { kind: "none" } }, address: "alice@ours.test" },
    { kind: "destinations", to: ["alice@ours.test"] },
  ],
  [
    "a user with an empty file, and a store",
    { rules: STORE, users: { alice: { kind: "targets", targets: [] } }, address: "alice@ours.test" },
    { kind: "destinations", to: ["alice@ours.test"] },
  ],
  [
    "a user without a file, and no store",
    { users: { alice: { kind: "none" } }, address: "alice@ours.test" },
    { kind: "unknown", code: 550 },
  ],
  [
    "nobody, and a store",
    { rules: STORE, users: {}, address: "bob@ours.test" },
    { kind: "unknown", code: 550 },
  ],
  [
    "a name behind an alias that is a user without a file",
    { aliases: "root: alice", rules: STORE, users: { alice: { kind: "none" } }, address: "root@ours.test" },
    { kind: "destinations", to: ["alice@ours.test"] },
  ],
  [
    "an alias that leads to itself, and the user's file behind it",
    {
      aliases: "alice: alice",
      rules: STORE,
      users: { alice: "\\alice a@x.test" },
      address: "alice@ours.test",
    },
    { kind: "destinations", to: ["alice@ours.test", "a@x.test"] },
  ],
  [
    "a file that names its own user",
    { rules: STORE, users: { alice: "alice a@x.test" }, address: "alice@ours.test" },
    { kind: "destinations", to: ["alice@ours.test", "a@x.test"] },
  ],
  [
    "… by the whole address, behind an alias",
    {
      aliases: "alice: alice",
      rules: STORE,
      users: { alice: "alice@ours.test a@x.test" },
      address: "alice@ours.test",
    },
    { kind: "destinations", to: ["alice@ours.test", "a@x.test"] },
  ],
  [
    "a copy that nobody keeps: the mail waits",
    { users: { alice: "\\alice a@x.test" }, address: "alice@ours.test" },
    { kind: "refuse", code: 451, dropped: ["\\alice: no mail store keeps it"] },
  ],
  [
    "two users who lead to each other",
    { users: { alice: "bob@ours.test", bob: "alice@ours.test" }, address: "alice@ours.test" },
    { kind: "nowhere", dropped: ["alice@ours.test: loop: ~alice → ~bob → ~alice"] },
  ],
  [
    "a mistyped name beside an address",
    { rules: STORE, users: { alice: "bbo a@x.test" }, address: "alice@ours.test" },
    { kind: "destinations", to: ["a@x.test"], dropped: ["bbo@ours.test: in no table"] },
  ],
  [
    "a list with a user whose home does not answer",
    {
      aliases: "a: alice, b@x.test",
      users: { alice: { kind: "unavailable", cause: "EIO" } },
      address: "a@ours.test",
    },
    {
      kind: "refuse",
      code: 451,
      dropped: ["~alice: refused: 451 4.3.0 where this address leads cannot be read now: try again later"],
    },
  ],
];
for (const [what, { aliases = "x: x@x.test", rules = NO_STORE, users, address }, found] of ways) {
  test(`users: ${what}`, async () => {
    const { kind, to, code, dropped } = await leads(await tables(aliases, rules), users, address);
    assert.deepEqual({ kind, to, code, dropped }, { to: [], code: undefined, dropped: [], ...found });
  });
}

test("the steps name the line of each list, and the destinations the line that names them", async () => {
  const files: Readonly<Record<string, string>> = {
    aliases: "# all\nteam: alice,\n :include:/l\npostmaster: p@x.test\n",
    "/l": "# members\nb@x.test\n:include:/m\n",
    "/m": "\nc@x.test\n",
  };
  const rules = createTableRules({ domains: ["ours.test"], ownNames: [], userDomains: ["ours.test"] });
  const loaded = await loadTables({ aliases: "aliases" }, rules, async function* (path) {
    yield Buffer.from(files[path] ?? "");
  });
  assert.ok(loaded.ok, JSON.stringify(loaded));
  const at = (file: string, line: number) => ({ file, line, column: 1 });
  const answer: ForwardAnswer = {
    kind: "targets",
    targets: [
      { kind: "mailbox", mailbox: mailbox("x@x.test"), place: at("~/.forward", 4) },
      { kind: "mailbox", mailbox: mailbox("y@x.test"), place: at("~/.forward", 6) },
      { kind: "mailbox", mailbox: mailbox("z@x.test"), place: at("~/list", 2) },
    ],
  };
  const steps: Step[] = [];
  const followed = await followUsers(
    loaded.tables,
    mailbox("team@ours.test"),
    {
      reader: reader({ alice: answer }),
      policy: createForwardPolicy({ choice: "refuse" }),
      now: () => 0,
      alarm: () => assert.fail(),
      unavailable: () => assert.fail(),
    },
    steps,
  );
  assert.deepEqual(
    steps.map(({ depth, key, file, line }) => `${depth} ${key} ${file}:${line}`),
    [
      "0 team aliases:2",
      "1 ~alice ~alice/.forward:4",
      "2 :include:~alice/list ~alice/.forward:0",
      "1 :include:/l aliases:3",
      "1 :include:/m /l:3",
    ],
  );
  assert.ok(followed.kind === "destinations");
  assert.deepEqual(
    followed.destinations.map((one) => `${renderMailbox(one.mailbox)} ${one.place?.file}:${one.place?.line}`),
    [
      "x@x.test ~alice/.forward:4",
      "y@x.test ~alice/.forward:6",
      "z@x.test ~alice/list:2",
      "b@x.test /l:2",
      "c@x.test /m:2",
    ],
  );
});

test("an alias of 2,000 users asks for 30 at a time, and reaches all", async () => {
  const names = Array.from({ length: 2000 }, (_, at) => `u${at}`);
  const users = Object.fromEntries(names.map((name) => [name, `${name}@x.test`]));
  const found = await leads(await tables(`all: ${names.join(",\n ")}`, {}), users, "all@ours.test");
  assert.equal(found.to.length, 2000);
  assert.equal(found.peak, 30);
});
