import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseFrom, type FromChoice } from "./choose-from.ts";

const SITE = { title: "Example Cards", from: { localPart: "cards", domain: "site.example" } };
const ALICE = { localPart: "alice", domain: "mail.example.org" };
type Zone = Readonly<Record<string, readonly string[] | "fails">>;

function choose(zone: Zone, more: Partial<FromChoice> = {}, asked: string[] = []) {
  const lookUpTxt = async (name: string) => {
    asked.push(name);
    const answer = zone[name] ?? [];
    if (answer === "fails") throw new Error("SERVFAIL");
    return answer;
  };
  return chooseFrom({ mode: "auto", site: SITE, user: ALICE, name: "Alice", lookUpTxt, ...more });
}

const FROM_SITE = {
  from: { name: "Alice via Example Cards", address: "cards@site.example" },
  replyTo: { name: "Alice", address: "alice@mail.example.org" },
};
const FROM_USER = {
  from: { name: "Alice", address: "alice@mail.example.org" },
  sender: { name: "Example Cards", address: "cards@site.example" },
};

const OWN = "_dmarc.mail.example.org";
const ABOVE = "_dmarc.example.org";
const TOP = "_dmarc.org";
const NONE = "v=DMARC1; p=none";
const permitting: readonly [what: string, zone: Zone, reason: string][] = [
  ["no record anywhere", {}, "mail.example.org has no DMARC record, and no domain above it has"],
  ["p=none", { [OWN]: [NONE] }, `${OWN} asks receivers for nothing`],
  [
    "P=None, and blanks",
    { [OWN]: ["v = DMARC1 ; P = None ; rua=mailto:d@x.example;"] },
    `${OWN} asks receivers for nothing`,
  ],
  ["p=none of a parent", { [ABOVE]: [NONE] }, `${ABOVE} asks receivers for nothing`],
  [
    "sp=none of a parent with p=reject",
    { [ABOVE]: ["v=DMARC1; p=reject; sp=none"] },
    `${ABOVE} asks receivers for nothing`,
  ],
  [
    "p=none with sp=reject of its own",
    { [OWN]: ["v=DMARC1;p=none;sp=reject"] },
    `${OWN} asks receivers for nothing`,
  ],
  [
    "other TXT records",
    { [OWN]: ["v=spf1 -all", "hello"] },
    "mail.example.org has no DMARC record, and no domain above it has",
  ],
];
for (const [what, zone, reason] of permitting) {
  test(`with ${what} the user's own address is in From, and Sender is the site`, async () => {
    assert.deepEqual(await choose(zone), {
      ok: true,
      mode: "user",
      reason: `The user's own address is in From because ${reason}`,
      ...FROM_USER,
    });
  });
}

const refusing: readonly [what: string, zone: Zone, reason: string][] = [
  ["p=reject", { [OWN]: ["v=DMARC1; p=reject"] }, `${OWN} asks receivers for "reject"`],
  ["p=quarantine", { [OWN]: ["v=DMARC1; p=quarantine"] }, `${OWN} asks receivers for "quarantine"`],
  [
    "p=reject in test mode",
    { [OWN]: ["v=DMARC1; p=reject; t=y; pct=0"] },
    `${OWN} asks receivers for "reject"`,
  ],
  ["p=reject of a parent", { [ABOVE]: ["v=DMARC1; p=reject"] }, `${ABOVE} asks receivers for "reject"`],
  [
    "p=reject of the top level",
    { [TOP]: ["v=DMARC1; p=reject; psd=y"] },
    `${TOP} asks receivers for "reject"`,
  ],
  [
    "sp=quarantine of a parent with p=none",
    { [ABOVE]: ["v=DMARC1; p=none; sp=quarantine"] },
    `${ABOVE} asks receivers for "quarantine"`,
  ],
  [
    "p=reject above its own p=none",
    { [OWN]: [NONE], [ABOVE]: ["v=DMARC1; p=reject"] },
    `${ABOVE} asks receivers for "reject"`,
  ],
  [
    "two records, one with p=reject",
    { [OWN]: [NONE, "v=DMARC1; p=reject"] },
    `${OWN} asks receivers for "reject"`,
  ],
  ["no p", { [OWN]: ["v=DMARC1; rua=mailto:d@x.example"] }, `${OWN} holds a record that nobody can read`],
  [
    "a p of its own invention",
    { [OWN]: ["v=DMARC1; p=discard"] },
    `${OWN} holds a record that nobody can read`,
  ],
  ["two p", { [OWN]: ["v=DMARC1; p=none; p=reject"] }, `${OWN} holds a record that nobody can read`],
  ["a missing semicolon", { [OWN]: ["v=DMARC1 p=none"] }, `${OWN} holds a record that nobody can read`],
  ["a lower-case version", { [OWN]: ["v=dmarc1; p=none"] }, `${OWN} holds a record that nobody can read`],
  [
    "a tag without a value",
    { [OWN]: ["v=DMARC1; p=none; nonsense"] },
    `${OWN} holds a record that nobody can read`,
  ],
  [
    "a record of 5,000 octets",
    { [OWN]: [`${NONE}; x=${"y".repeat(5000)}`] },
    `${OWN} holds a record that nobody can read`,
  ],
  ["no answer of DNS for the domain", { [OWN]: "fails" }, `DNS did not answer for ${OWN}`],
  ["no answer of DNS for the top level", { [OWN]: [NONE], [TOP]: "fails" }, `DNS did not answer for ${TOP}`],
];
for (const [what, zone, reason] of refusing) {
  test(`with ${what} auto takes the site's address`, async () => {
    assert.deepEqual(await choose(zone), {
      ok: true,
      mode: "site",
      reason: `The site's address is in From because ${reason}`,
      ...FROM_SITE,
    });
  });

  test(`with ${what} the mode user is refused`, async () => {
    const chosen = await choose(zone, { mode: "user" });
    assert.ok(!chosen.ok);
    assert.equal(chosen.problem.type, "from-not-permitted");
    assert.equal(chosen.problem.detail, `The user's address cannot stand in From because ${reason}`);
    assert.match(chosen.problem.hint ?? "", /use the mode site/);
  });
}

test("the mode site asks nobody", async () => {
  const asked: string[] = [];
  const chosen = await choose({}, { mode: "site" }, asked);
  assert.deepEqual(chosen, {
    ok: true,
    mode: "site",
    reason: "The site writes its own address into From",
    ...FROM_SITE,
  });
  assert.deepEqual(asked, []);
});

test("the domain and each one above it are asked, up to the top level", async () => {
  const asked: string[] = [];
  await choose({}, {}, asked);
  assert.deepEqual(asked, [OWN, ABOVE, TOP]);
});

test("of a name with many labels, it and seven above it are asked", async () => {
  const asked: string[] = [];
  const domain = "A.b.c.d.e.f.g.h.i.j.example";
  await choose({}, { user: { localPart: "alice", domain } }, asked);
  assert.deepEqual(asked, [
    "_dmarc.a.b.c.d.e.f.g.h.i.j.example",
    "_dmarc.e.f.g.h.i.j.example",
    "_dmarc.f.g.h.i.j.example",
    "_dmarc.g.h.i.j.example",
    "_dmarc.h.i.j.example",
    "_dmarc.i.j.example",
    "_dmarc.j.example",
    "_dmarc.example",
  ]);
});

test("an address at an IP address never stands in From", async () => {
  const asked: string[] = [];
  const user = { localPart: "alice", domain: "[192.0.2.1]" };
  const chosen = await choose({}, { user }, asked);
  assert.ok(chosen.ok && chosen.mode === "site");
  assert.equal(chosen.replyTo?.address, "alice@[192.0.2.1]");
  assert.deepEqual(asked, []);
});

test("without a name, the local part stands beside the site's title, and never the whole address", async () => {
  const lookUpTxt = async () => [];
  const chosen = await chooseFrom({ mode: "site", site: SITE, user: ALICE, lookUpTxt });
  assert.ok(chosen.ok);
  assert.deepEqual(chosen.from, { name: "alice via Example Cards", address: "cards@site.example" });
  assert.deepEqual(chosen.replyTo, { name: "", address: "alice@mail.example.org" });
});

for (const localPart of ["ceo@bank.example", "\u202ea", "=?utf-8?q?x?=", "a".repeat(65)]) {
  test(`without a name, a local part that is none (${JSON.stringify(localPart.slice(0, 20))}) is left out`, async () => {
    const user = { localPart, domain: "example.org" };
    const chosen = await chooseFrom({ mode: "site", site: SITE, user, lookUpTxt: async () => [] });
    assert.ok(chosen.ok);
    assert.equal(chosen.from.name, "Example Cards");
  });
}

for (const mode of ["auto", "site", "user"] as const) {
  test(`a name with a line break is refused in the mode ${mode}, before anything is asked`, async () => {
    const asked: string[] = [];
    const chosen = await choose({}, { mode, name: "Alice\r\nBcc: x@y.example" }, asked);
    assert.ok(!chosen.ok);
    assert.equal(chosen.problem.field, "name");
    assert.deepEqual(asked, []);
  });
}
