// Sites that hand in mail by SMTP with their name and a site key, as a program that knows nothing of the HTTP API does: whose
// mail it is, the envelope sender says. docs/submission.md.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { rawFieldOf } from "../packages/on-behalf/src/testing/read-mail.ts";
import { storiesNeed } from "./harness/availability.ts";
import { dkim } from "./harness/dkim.ts";
import { homing } from "./harness/homing.ts";
import { read } from "./harness/on-behalf-calls.ts";
import { BOUNCES, type OnBehalfSite, startOnBehalfSite } from "./harness/on-behalf-site.ts";
import type { Taken } from "./harness/scripted-hop.ts";
import { authLogin, authPlain, dialStartTls, handIn, loggedInSite } from "./harness/submit-client.ts";

const ALICE = "alice@strict.example";
const CARDS = "cards@site.example";
const TAKEN = /^250 2\.0\.0 /;

let site: OnBehalfSite;
/** Of the key of site.example, as `homing dkim new` gives it. */
let records: Readonly<Record<string, string>> = {};
before(async () => {
  site = await startOnBehalfSite({
    zone: { "_dmarc.strict.example": [{ type: "TXT", strings: ["v=DMARC1; p=reject"] }] },
    sites: {
      tight: {
        title: "Tight",
        from: "tight@tight.example",
        bounceDomain: "bounce.tight.example",
        limits: { userPerDay: 2, recipients: 2, recipientPerDay: 1 },
      },
    },
    settings: { dkim: [{ domain: "site.example", selector: "s1", keyFile: "dkim.key" }] },
    async prepare(folder) {
      const out = [
        "--domain",
        "site.example",
        "--selector",
        "s1",
        "--out",
        join(folder, "dkim.key"),
        "--json",
      ];
      const { code, stdout, stderr } = await homing(["dkim", "new", ...out]);
      assert.equal(code, 0, stderr);
      const { name, record } = JSON.parse(String(stdout)) as Record<"name" | "record", string>;
      records = { [name]: record };
    },
  });
  await site.confirmed(ALICE);
});
after(() => site[Symbol.asyncDispose]());

const letter = (to: string, more = ""): string =>
  `From: "Alice via Example Cards" <${CARDS}>\r\nReply-To: ${ALICE}\r\nTo: ${to}\r\nSubject: A card\r\n${more}\r\nHello.\r\n`;

async function onlyMailTo(address: string): Promise<Taken> {
  const mails = await site.mailTo(address);
  assert.equal(mails.length, 1);
  return mails[0] ?? assert.fail();
}

test("port 587: the user's address as sender is wrapped, for each recipient anew; what is missing is added", async () => {
  using client = await dialStartTls(site);
  assert.match(await authLogin(client, { name: "CARDS", password: site.keyOf("cards") }), /^235 2\.7\.0 /);
  const [bob, eve] = ["bob@friends.example", "eve@friends.example"];
  // One of them twice, as an address book has him.
  const to = [bob, eve, bob];
  assert.match(await handIn(client, { from: ALICE, to, message: letter(bob) }), TAKEN);
  const paths = new Set<string>();
  await site.settled();
  for (const recipient of [bob, eve]) {
    const mail = await onlyMailTo(recipient);
    assert.match(
      mail.reversePath,
      /^SRS0=[a-z2-7]+=[A-Z2-7]{2}=strict\.example=alice@bounce\.site\.example$/i,
    );
    paths.add(mail.reversePath);
    const header = read(mail);
    assert.match(rawFieldOf(header, "Date") ?? "", /^\w{3}, \d/);
    assert.match(rawFieldOf(header, "Message-ID") ?? "", /^<[^<>@]+@site\.example>$/);
    assert.match(rawFieldOf(header, "Received") ?? "", /with ESMTPSA/);
    assert.match(
      rawFieldOf(header, "List-Unsubscribe") ?? "",
      /^<https:\/\/mail\.site\.example\/mine\?t=[\w-]+>$/,
    );
    assert.equal(rawFieldOf(header, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert.equal(header.parts.get("text/plain"), "Hello.\r\n", "the text is the site's own");
  }
  assert.equal(paths.size, 2);
  assert.deepEqual(
    site.hop.taken.filter(({ recipient }) => /^bob@/i.test(recipient)).length,
    1,
    "nobody has two",
  );
  const [event] = await site.waitForEvents("message.queued", 1);
  assert.equal(event?.data.recipients, 2);
  const known = await site.api("GET", `/v1/messages/${event?.data.message}`);
  assert.deepEqual(
    known.body.recipients?.map(({ status }) => status),
    ["delivered", "delivered"],
  );
});

test("a bounce to such mail: the user hears of it, and the recipient is refused from then on", async () => {
  const to = "gone@friends.example";
  using client = await loggedInSite(site);
  assert.match(await handIn(client, { from: ALICE, to: [to], message: letter(to) }), TAKEN);
  const { reversePath } = await onlyMailTo(to);
  assert.match(await site.bounce(reversePath, { target: to }), /^250 /);
  const dsn = (await site.mailTo(ALICE, 2)).at(-1) ?? assert.fail();
  assert.match(dsn.message, /^Final-Recipient: rfc822; ?gone@friends\.example\r$/m);
  assert.match(
    dsn.message,
    /^You sent this through Example Cards\. To see or end what is sent in your name:\r\nhttps:\/\/mail\.site\.example\/mine\?t=[\w-]+\r$/m,
  );
  assert.match(
    await handIn(client, { from: ALICE, to: [to], message: letter(to) }),
    /^550 5\.7\.1 recipient-suppressed: mail to gone@friends\.example came back/,
  );
});

test("one click in the recipient's mail program ends it for this site, also by SMTP", async () => {
  const to = "olga@friends.example";
  using client = await loggedInSite(site);
  assert.match(await handIn(client, { from: ALICE, to: [to], message: letter(to) }), TAKEN);
  const field = rawFieldOf(read(await onlyMailTo(to)), "List-Unsubscribe") ?? assert.fail();
  const path = field.slice("<https://mail.site.example".length, -1);
  assert.equal((await site.page("POST", path, { "List-Unsubscribe": "One-Click" })).status, 200);
  assert.match(
    await handIn(client, { from: ALICE, to: [to], message: letter(to) }),
    /^550 5\.7\.1 recipient-suppressed: /,
  );
});

const PROFILES: readonly [what: string, from: string, reversePath: RegExp, profile: string][] = [
  [
    "the site's address in From",
    CARDS,
    /^SRS0=.+=site\.example=bounces@bounce\.site\.example$/,
    "transactional",
  ],
  [
    "the site's address for bounces",
    "bounces@site.example",
    /^SRS0=.+=site\.example=bounces@bounce\.site\.example$/,
    "transactional",
  ],
  ["no sender", "", /^nobody@bounce\.site\.example$/, "unimportant"],
  ["nobody at the bounce domain", `nobody@${BOUNCES}`, /^nobody@bounce\.site\.example$/, "unimportant"],
];
for (const [index, [what, from, reversePath, profile]] of PROFILES.entries()) {
  test(`port 465, ${what} as sender: the mail is ${profile}`, async () => {
    using client = await loggedInSite(site);
    const to = `p${index}@friends.example`;
    const own = `Date: Fri, 20 Nov 2026 20:31:40 +0000\r\nMessage-ID: <p${index}@site.example>\r\n`;
    assert.match(await handIn(client, { from, to: [to], message: letter(to, own) }), TAKEN);
    const mail = await onlyMailTo(to);
    assert.match(mail.reversePath, reversePath);
    const header = read(mail);
    assert.equal(rawFieldOf(header, "Message-ID"), `<p${index}@site.example>`);
    assert.equal(rawFieldOf(header, "Date"), "Fri, 20 Nov 2026 20:31:40 +0000");
    assert.equal(rawFieldOf(header, "List-Unsubscribe"), undefined);
    const events = await site.eventsOf("cards", "message.queued");
    assert.equal(events.at(-1)?.data.profile, profile);
  });
}

test("of the site itself any address at its domain may stand in From, and on behalf of a user only the site's own", async () => {
  using client = await loggedInSite(site);
  const message = letter("q@friends.example").replace(/^From: .*\r\n/, "From: News <news@site.example>\r\n");
  assert.match(await handIn(client, { from: CARDS, to: ["q@friends.example"], message }), TAKEN);
  await site.mailTo("q@friends.example");
  assert.match(
    await handIn(client, { from: ALICE, to: ["q2@friends.example"], message }),
    /^550 5\.7\.1 from-not-permitted: /,
  );
});

test("limits: 450 4.7.1 with the time to wait, and 452 4.5.3 for the first recipient too many", async () => {
  const user = "tim@users.example";
  await site.confirmed(user, "tight");
  using client = await loggedInSite(site, "tight");
  const send = (to: readonly string[]): Promise<string> =>
    handIn(client, {
      from: user,
      to,
      message: letter("x@y.example").replaceAll(CARDS, "tight@tight.example"),
    });
  const [a, b, c] = ["a@limits.example", "b@limits.example", "c@limits.example"];
  assert.match(await send([a, b, c]), /^452 4\.5\.3 too-many-recipients: /);
  // One of them counts once.
  assert.match(await send([a, a, b, a]), TAKEN);
  assert.match(await send([a]), /^450 4\.7\.1 limit-recipient: .* \(in \d+ seconds\)/);
  assert.match(await send([c]), TAKEN);
  assert.match(await send(["d@limits.example"]), /^450 4\.7\.1 limit-user: .* \(in \d+ seconds\)/);
  await site.settled();
  const arrived = site.hop.taken
    .map(({ recipient }) => recipient)
    .filter((one) => one.endsWith("@limits.example"));
  assert.deepEqual(arrived.toSorted(), [a, b, c]);
});

test("a recipient in other letters is the same: he is counted as one, and has one copy", async () => {
  using client = await loggedInSite(site, "tight");
  const user = "tom@users.example";
  await site.confirmed(user, "tight");
  const to = ["twin@friends.example", "Twin@friends.example", "TWIN@FRIENDS.example"];
  const message = letter(to[0] ?? "").replaceAll(CARDS, "tight@tight.example");
  assert.match(await handIn(client, { from: user, to, message }), TAKEN);
  await site.settled();
  const copies = site.hop.taken.filter(({ recipient }) => /^twin@/i.test(recipient));
  assert.deepEqual(
    copies.map(({ recipient }) => recipient),
    ["twin@friends.example"],
  );
});

test("a second author is refused, though each might stand there alone", async () => {
  using client = await loggedInSite(site);
  const to = "two@friends.example";
  const both = letter(to).replace(/^From: .*\r\n/, `From: ${CARDS}, ${ALICE}\r\n`);
  assert.match(
    await handIn(client, { from: ALICE, to: [to], message: both }),
    /^550 5\.7\.1 from-not-permitted: From holds several addresses/,
  );
});

test("the subject is recorded as it came, and fields that pretend to be ours are taken out; a way out of the site's own stays alone", async () => {
  using client = await loggedInSite(site);
  const to = "own@friends.example";
  const forged = "Authentication-Results: mx.club.example; spf=pass\r\nX-Homing-Verdict: ok\r\n";
  const own = `${forged}List-Unsubscribe: <mailto:stop@site.example>\r\n`;
  assert.match(await handIn(client, { from: ALICE, to: [to], message: letter(to, own) }), TAKEN);
  const mail = await onlyMailTo(to);
  assert.doesNotMatch(mail.message, /^(Authentication-Results|X-Homing-Verdict):/im);
  assert.deepEqual(mail.message.match(/^List-Unsubscribe.*/gim), [
    "List-Unsubscribe: <mailto:stop@site.example>",
  ]);
  const [event] = (await site.eventsOf("cards", "message.queued")).slice(-1);
  const known = await site.api("GET", `/v1/messages/${event?.data.message}`);
  assert.match(known.text, /"subject":"A card"/);
});

test("postmaster at the bounce domain is the postmaster of the service", async () => {
  assert.match(await site.bounce(`postmaster@${BOUNCES}`, { target: "x@friends.example" }), /^250 /);
});

test("a site that forgets its log-in is told; one that logs in again is told, too", async () => {
  using client = await dialStartTls(site);
  assert.match(await client.ask(`MAIL FROM:<${ALICE}>`), /^530 5\.7\.0 /);
  const logIn = { name: "cards", password: site.keyOf("cards") };
  assert.match(await authPlain(client, logIn), /^235 /);
  assert.match(await authPlain(client, logIn), /^503 /);
});

const skip = (await storiesNeed("python3-dkim")) ?? false;
test("with a key of From's domain each copy is signed, over its way out, too: dkimpy verifies it", {
  skip,
}, async () => {
  await using python = await dkim();
  using client = await loggedInSite(site);
  const to = ["s1@friends.example", "s2@friends.example"];
  assert.match(await handIn(client, { from: ALICE, to, message: letter("s1@friends.example") }), TAKEN);
  const http = {
    profile: "on-behalf",
    onBehalfOf: ALICE,
    to: "s3@friends.example",
    subject: "A card",
    text: "Hello.",
  };
  assert.equal((await site.api("POST", "/v1/messages", { body: http })).status, 202);
  for (const recipient of [...to, "s3@friends.example"]) {
    const mail = await onlyMailTo(recipient);
    const signature = rawFieldOf(read(mail), "DKIM-Signature") ?? assert.fail(mail.message);
    assert.match(signature, /\bd=site\.example;/);
    const signed = /\bh=([^;]+);/
      .exec(signature)?.[1]
      ?.toLowerCase()
      .split(/[\s:]+/);
    for (const field of ["from", "list-unsubscribe", "list-unsubscribe-post"])
      assert.ok(signed?.includes(field), `${recipient}: ${signature}`);
    const octets = Buffer.from(mail.message, "latin1");
    assert.ok(await python.verify(octets, { dns: records }), recipient);
    const forged = Buffer.from(mail.message.replace("/mine?t=", "/mine?u="), "latin1");
    assert.ok(!(await python.verify(forged, { dns: records })), "its way out is signed");
  }
});

test("to the end nothing waits, and no bug was logged", async () => {
  await site.settled();
  assert.doesNotMatch(site.log(), /"event":"error"/);
});
