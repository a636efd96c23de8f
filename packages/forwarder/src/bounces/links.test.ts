// Links: which message has one, who finds it, and what becomes of two of the same name.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Remembered } from "@homing/bounce-handler";
import { memoryContent } from "@homing/mail";
import { createRewriter, NULL_PATH, parseMailbox, type ReversePath } from "@homing/srs-core";
import type { RcptDsn } from "../dsn-parameters.ts";
import type { Incoming } from "../hand-over/incoming.ts";
import type { UnwrappedSrs0 } from "../routes.ts";
import type { Notes } from "../spool/notes.ts";
import { openSpool } from "../spool/open-spool.ts";
import { temporaryFolder } from "../spool/testing/folder.ts";
import { createSrsDomains } from "../srs-domains.ts";
import { createLinks, type LinkOptions, type Links } from "./links.ts";

const T0 = 1_800_000_000;
const rewriter = createRewriter({ secrets: ["a secret"], domain: "forwarder.example" });
const srsDomains = createSrsDomains(rewriter, new Map());
const BOB = mailbox("bob@source.example");

function mailbox(text: string) {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

interface Sent {
  readonly from?: ReversePath;
  readonly alias?: string;
  /** Undefined: the tag has no selector. */
  readonly selects?: string | undefined;
  readonly header?: string;
  readonly dsn?: RcptDsn;
  readonly envid?: string;
}

/** As it is after RCPT and DATA. */
function sent({ from = BOB, header = "Message-ID: <1@source.example>", envid, ...one }: Sent): Incoming {
  const { alias = "alice@forwarder.example", dsn } = one;
  const selects = "selects" in one ? one.selects : alias;
  const made = rewriter.forward(from, T0, selects === undefined ? {} : { alias: mailbox(selects) });
  assert.ok(made.ok);
  return {
    id: "id1",
    command: {
      reversePath: from,
      eightBit: false,
      smtpUtf8: false,
      client: { address: "192.0.2.1", helo: "client.example", session: "s", protocol: "ESMTP" },
      ...(envid === undefined ? {} : { dsn: { envid } }),
    },
    client: { isGone: () => false, onGone: () => () => {} },
    content: memoryContent(Buffer.from(`${header}\r\n\r\nHello\r\n`)),
    leads: [
      {
        recipient: mailbox(alias),
        copies: [{ mailbox: mailbox("a@home.example"), reversePath: made.sender, stays: false }],
        trace: () => "",
        dsn,
      },
    ],
  };
}

/** As the gate gives it of the address that the mail left with. */
function unwrapped(alias: string | undefined, sender = BOB): UnwrappedSrs0 {
  const made = rewriter.forward(sender, T0, alias === undefined ? {} : { alias: mailbox(alias) });
  assert.ok(made.ok && made.sender !== NULL_PATH);
  const reversed = rewriter.reverse(made.sender, T0);
  assert.ok(reversed.ok);
  const stamp = made.sender.localPart.split("=")[2] ?? "";
  return {
    srs: "srs0",
    to: reversed.address,
    facts: { rewriter, selector: reversed.selector, secretIndex: reversed.secretIndex, stamp },
    isAnswer: false,
  };
}

const ALICE = unwrapped("alice@forwarder.example");

async function openLinks(
  t: TestContext,
  more: Partial<LinkOptions> = {},
): Promise<Links & { readonly notes: Notes }> {
  const spool = await openSpool({ folder: await temporaryFolder(t), minFreeOctets: 0 });
  t.after(() => spool.close());
  const failed = (error: unknown): never => assert.fail(String(error));
  const { notes } = spool;
  return { ...createLinks({ notes, srsDomains, now: () => T0, failed, ...more }), notes };
}

async function findById(
  links: Links,
  id = "<1@source.example>",
  of = ALICE,
): Promise<Remembered | undefined> {
  return await links.find(of, [{ name: "Message-Id", value: id }]);
}

test("a link has what the sender gave, and is found by its Message-ID however a server folds it", async (t) => {
  const links = await openLinks(t);
  const header =
    "Received: by x\r\nMessage-ID:\r\n <1@source.example>\r\nSubject: Lunch\r\nTo: alice@forwarder.example";
  links.remember(sent({ header, envid: "e1", dsn: { orcpt: "rfc822;x@y.example", notify: ["failure"] } }));
  assert.deepEqual(await findById(links, " <1@Source.EXAMPLE> "), {
    ...{ envid: "e1", orcpt: "rfc822;x@y.example", notify: ["failure"], arrived: T0 },
    header: [
      { name: "Message-ID", value: "<1@source.example>" },
      { name: "Subject", value: "Lunch" },
      { name: "To", value: "alice@forwarder.example" },
    ],
  });
  assert.equal(await findById(links, "<2@source.example>"), undefined);
  const twice = ["<1@source.example>", "<2@source.example>"].map((value) => ({ name: "Message-ID", value }));
  assert.equal(await links.find(ALICE, twice), undefined, "of two, neither is the message's");
  assert.equal(await links.find(ALICE, []), undefined);
});

test("only the very SRS address of a message finds its link", async (t) => {
  const links = await openLinks(t);
  links.remember(sent({}));
  const others = [
    unwrapped("carol@forwarder.example"),
    unwrapped(undefined),
    unwrapped("alice@forwarder.example", mailbox("eve@source.example")),
    { ...ALICE, facts: { ...ALICE.facts, stamp: "AA" } },
  ];
  for (const other of others) assert.equal(await findById(links, undefined, other), undefined);
  assert.ok(await findById(links));
});

const WITHOUT: Readonly<Record<string, Sent>> = {
  "the null sender": { from: NULL_PATH },
  "no Message-ID": { header: "Subject: Lunch" },
  "an empty Message-ID": { header: "Message-ID:" },
  "a sender who comes with an SRS address of ours": {
    from: mailbox(`${localPartOf("alice@forwarder.example")}@forwarder.example`),
  },
};

function localPartOf(alias: string): string {
  const made = rewriter.forward(BOB, T0, { alias: mailbox(alias) });
  assert.ok(made.ok && made.sender !== NULL_PATH);
  return made.sender.localPart;
}

for (const [what, message] of Object.entries(WITHOUT)) {
  test(`${what}: there is no link`, async (t) => {
    const links = await openLinks(t);
    links.remember(sent(message));
    await findById(links);
    for await (const note of links.notes.all("link")) assert.fail(note.value);
  });
}

test("mail that keeps its sender has no link", async (t) => {
  const links = await openLinks(t);
  const mail = sent({});
  const [lead] = mail.leads;
  assert.ok(lead);
  const copies = lead.copies.map((copy) => ({ ...copy, reversePath: BOB, stays: true }));
  links.remember({ ...mail, leads: [{ ...lead, copies }] });
  await findById(links);
  for await (const note of links.notes.all("link")) assert.fail(note.value);
});

test("whoever sends in another's name with his Message-ID silences nobody, and changes nothing of his header", async (t) => {
  const links = await openLinks(t);
  const header = "Message-ID: <1@source.example>\r\nSubject: ";
  links.remember(sent({ header: `${header}Lunch`, envid: "e1" }));
  links.remember(sent({ header: `${header}You have won`, envid: "e2", dsn: { notify: "never" } }));
  const link = await findById(links);
  assert.equal(link?.notify, undefined);
  assert.equal(link?.envid, undefined, "it is one of two");
  assert.equal(link?.header[1]?.value, "Lunch");
});

test("without a selector two aliases have one SRS address: no ORCPT is told of the other", async (t) => {
  const links = await openLinks(t);
  const dsn = (address: string): RcptDsn => ({ orcpt: `rfc822;${address}`, notify: ["failure", "delay"] });
  for (const name of ["alice", "carol"]) {
    const alias = `${name}@forwarder.example`;
    links.remember(sent({ alias, selects: undefined, envid: "e1", dsn: dsn(alias) }));
  }
  const link = await findById(links, undefined, unwrapped(undefined));
  assert.equal(link?.orcpt, undefined);
  assert.equal(link?.envid, "e1");
  assert.deepEqual(link?.notify, ["failure", "delay"]);
});

test("a message that is sent again changes nothing", async (t) => {
  const links = await openLinks(t);
  for (let count = 0; count < 3; count++) links.remember(sent({ envid: "e1" }));
  assert.equal((await findById(links))?.envid, "e1");
  const places: string[] = [];
  for await (const { key } of links.notes.all("link-place")) places.push(key);
  assert.equal(places.length, 1);
});

test("a link is gone after seven days", async (t) => {
  let now = T0;
  const links = await openLinks(t, { now: () => now });
  links.remember(sent({}));
  now = T0 + 7 * 86_400 - 1;
  assert.ok(await findById(links));
  now++;
  assert.equal(await findById(links), undefined);
});

test("beyond the cap the oldest links go", async (t) => {
  const links = await openLinks(t, { maxOctets: 200_000 });
  const idOf = (at: number): string => `<m${at}@source.example>`;
  for (let at = 0; at < 1000; at++) {
    links.remember(sent({ header: `Message-ID: ${idOf(at)}` }));
    if (at % 100 === 99) await findById(links, idOf(at));
  }
  assert.equal(await findById(links, idOf(0)), undefined);
  assert.ok(await findById(links, idOf(999)));
  let octets = 0;
  for await (const { value } of links.notes.all("link")) octets += value.length;
  assert.ok(octets > 20_000 && octets < 200_000, `${octets}`);
});

test("while the disk hangs, what waits for it is bounded, and what comes later is remembered again", async (t) => {
  const hang = Promise.withResolvers<undefined>();
  let asked = 0;
  const never: Notes = {
    write: async () => false,
    change: async () => false,
    changeIf: async () => "away",
    find: () => {
      asked++;
      return hang.promise;
    },
    take: async () => false,
    async *all() {},
  };
  const links = await openLinks(t, { notes: never });
  for (let at = 0; at < 3000; at++) links.remember(sent({ header: `Message-ID: <${at}@source.example>` }));
  await new Promise(setImmediate);
  assert.equal(asked, 1000);
  hang.resolve(undefined);
  // Behind all of them.
  await findById(links, "<999@source.example>");
  await new Promise(setImmediate);
  asked = 0;
  links.remember(sent({}));
  await findById(links);
  assert.ok(asked >= 2);
});
