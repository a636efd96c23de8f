// DNS that does not answer about a sender: mail waits where the answer could decide, and only there. And lists in DNS, of
// clients and of domains. A forwarder in this process, with DNS of the story.
import assert from "node:assert/strict";
import { test } from "node:test";
import { signed, testKey } from "../packages/forwarder/src/authentication/content/testing/signed-mail.ts";
import {
  ALICE,
  address,
  authenticationScene,
  clientOf,
  fieldOf,
  message,
  rules,
  type StoryZone,
  texts,
  trusting,
} from "./harness/authentication-scene.ts";

const BOB = "bob@bank.example";
const KEY = testKey("rsa", "bank.example", "s");
const OTHER = testKey("rsa", "elsewhere.example", "s");
/** Failures of DNS are known for four seconds, what it has not for a minute. */
const FAILURE_MS = 4_001;

function storyZone(): StoryZone {
  return {
    "bank.example": texts("v=spf1 ip4:192.0.2.1 -all"),
    "_dmarc.bank.example": texts("v=DMARC1; p=reject"),
    [KEY.dns[0]]: texts(KEY.dns[1]),
    [OTHER.dns[0]]: texts(OTHER.dns[1]),
    "good.example": texts("v=spf1 ip4:127.0.0.1 -all"),
    "silent.example": texts("v=spf1 ip4:127.0.0.1 -all"),
    "nothing.example": texts("no SPF here"),
  };
}

test("the key of the author's own signature cannot be had: the client comes again, and passes when it can", async (t) => {
  const zone = storyZone();
  zone[KEY.dns[0]] = "SERVFAIL";
  const { send, pass, authenticated } = await authenticationScene(t, zone);
  const sending = { from: BOB, message: signed(message(BOB), KEY) };
  assert.match(await send(sending), /^451 4\.4\.3 DNS did not answer .*bank\.example/);
  assert.equal(authenticated()?.fault, "no-answer");
  zone[KEY.dns[0]] = texts(KEY.dns[1]);
  assert.match(await send(sending), /^451 4\.4\.3 /, "the failure is known for a while");
  pass(FAILURE_MS);
  assert.match(await send(sending), /^250 /);
  assert.deepEqual(authenticated()?.overridden, { fault: "spf-fail", by: "dkim" });
});

test("the key of somebody else's signature cannot be had: it would not help, and the mail is refused", async (t) => {
  const zone = storyZone();
  zone[OTHER.dns[0]] = "SERVFAIL";
  const { send, authenticated } = await authenticationScene(t, zone);
  assert.match(await send({ from: BOB, message: signed(message(BOB), OTHER) }), /^550 5\.7\.23 /);
  assert.deepEqual(authenticated()?.dkim, [
    { domain: "elsewhere.example", result: "temperror", aligned: false },
  ]);
});

test("a good signature of the author's beside one whose key cannot be had is enough", async (t) => {
  const zone = storyZone();
  const second = testKey("rsa", "bank.example", "second");
  zone[second.dns[0]] = "SERVFAIL";
  const { send } = await authenticationScene(t, zone);
  assert.match(await send({ from: BOB, message: signed(signed(message(BOB), KEY), second) }), /^250 /);
});

test("a DMARC record that cannot be had defers mail that nothing shows to be its author's, and no other", async (t) => {
  const zone = storyZone();
  zone["_dmarc.silent.example"] = "SERVFAIL";
  const { send, pass } = await authenticationScene(t, zone);
  const forged = { from: "bob@good.example", message: message("ceo@silent.example") };
  assert.match(await send(forged), /^451 4\.4\.3 /);
  assert.match(await send({ from: "ceo@silent.example" }), /^250 /, "SPF is aligned");
  delete zone["_dmarc.silent.example"];
  pass(FAILURE_MS);
  assert.match(await send(forged), /^250 /, "there is none");
});

test("a DMARC record that cannot be had does not help the forger whose SPF fails", async (t) => {
  const zone = storyZone();
  zone["_dmarc.bank.example"] = "SERVFAIL";
  const { send } = await authenticationScene(t, zone);
  assert.match(await send({ from: BOB }), /^550 5\.7\.23 /);
});

test("an SPF record that cannot be had is told at RCPT, and when it can be had, the mail passes", async (t) => {
  const zone = storyZone();
  zone["good.example"] = "SERVFAIL";
  const { send, pass, told, asked } = await authenticationScene(t, zone);
  assert.match(
    await send({ from: "bob@good.example" }),
    /^451 4\.4\.3 SPF: DNS did not answer about good\.example, try again later/,
  );
  assert.deepEqual(
    told("refused").map((one) => one.event === "refused" && [one.stage, one.reason]),
    [["rcpt", "spf-temperror"]],
  );
  const before = asked.length;
  assert.match(await send({ from: "bob@good.example" }), /^451 4\.4\.3 /);
  assert.equal(asked.length, before, "a flood does not reach the broken server");
  zone["good.example"] = texts("v=spf1 ip4:127.0.0.1 -all");
  pass(FAILURE_MS);
  assert.match(await send({ from: "bob@good.example" }), /^250 /);
});

const LISTS = { dnsbl: ["clients.list.example"], rhsbl: ["domains.list.example"] };
const CLIENT_ENTRY = "2.0.0.127.clients.list.example";

function listed(name: string): StoryZone {
  return {
    ...storyZone(),
    [`${name} A`]: address("127.0.0.2"),
    [`${name} TXT`]: texts("see http://list.example/why?x"),
  };
}

test("a listed client is refused with the words of the list, and its neighbour is not", async (t) => {
  const { send } = await authenticationScene(t, listed(CLIENT_ENTRY), { authentication: rules(LISTS) });
  assert.equal(
    await send({ from: "bob@nothing.example", client: "127.0.0.2" }),
    "550 5.7.1 127.0.0.2 is listed by clients.list.example: see http://list.example/why?x",
  );
  assert.match(await send({ from: "bob@nothing.example", client: "127.0.0.3" }), /^250 /);
});

test("a listed domain is refused although SPF passes; the null sender has none", async (t) => {
  const { send } = await authenticationScene(t, listed("good.example.domains.list.example"), {
    authentication: rules(LISTS),
  });
  assert.match(
    await send({ from: "bob@GOOD.example" }),
    /^550 5\.7\.1 good\.example is listed by domains\.list\.example: see /,
  );
  assert.match(await send({ from: "", message: message("bob@good.example") }), /^250 /);
});

for (const [what, entry, cause] of [
  ["says that it does not serve us", address("127.255.255.254"), /clients\.list\.example answers 127\.255\./],
  ["does not answer", "SERVFAIL", /SERVFAIL|DNS/],
] as const) {
  test(`a list that ${what} lists nobody, and the log has it`, async (t) => {
    const zone = { ...storyZone(), [CLIENT_ENTRY]: entry };
    const { send, told } = await authenticationScene(t, zone, { authentication: rules(LISTS) });
    assert.match(await send({ from: "bob@nothing.example", client: "127.0.0.2" }), /^250 /);
    const [first, ...others] = told("list-unknown");
    assert.ok(first?.event === "list-unknown" && others.length === 0);
    assert.match(first.cause, cause);
  });
}

test("the words of a list are told in one line of printable ASCII, whatever they are", async (t) => {
  const hostile = `x\r\n250 2.0.0 taken \u0007 b\u00fc${"y".repeat(900)}`;
  const zone = { ...listed(CLIENT_ENTRY), [`${CLIENT_ENTRY} TXT`]: texts(hostile) };
  const { forwarder } = await authenticationScene(t, zone, { authentication: rules(LISTS) });
  using client = await clientOf(forwarder.port, "127.0.0.2");
  await client.ask("EHLO client.example");
  await client.ask("MAIL FROM:<bob@nothing.example>");
  const reply = await client.ask(`RCPT TO:<${ALICE}>`);
  assert.match(reply, /^550 5\.7\.1 [ -~]{1,500}$/);
  assert.match(await client.ask("NOOP"), /^250 /, "nothing else was said");
});

test("in a week of tagOnly a listed client's mail is marked, and the rest of the check is made all the same", async (t) => {
  const { send, arrived, authenticated } = await authenticationScene(t, listed(CLIENT_ENTRY), {
    authentication: rules({ ...LISTS, mode: "tagOnly" }),
  });
  assert.match(await send({ from: BOB, client: "127.0.0.2" }), /^250 /);
  assert.equal(
    fieldOf(arrived(), "x-homing-verdict"),
    "suspect; spf-fail; dnsbl; would-refuse; dmarc-at-risk",
  );
  assert.equal(authenticated()?.mark, "dnsbl");
});

test("a trusted forwarder goes before a list; who may be one, and nobody knows, comes again", async (t) => {
  const entries = "mail.club.example the club forwards for its members";
  const pointer = "2.0.0.127.in-addr.arpa";
  const scene = (zone: StoryZone) =>
    authenticationScene(
      t,
      { ...listed(CLIENT_ENTRY), ...zone },
      { authentication: { ...rules(LISTS), trustedForwarders: trusting(entries) } },
    );
  const said = async (zone: StoryZone): Promise<string> =>
    (await scene(zone)).send({ from: "bob@nothing.example", client: "127.0.0.2" });
  const name = { [pointer]: [{ type: "PTR", target: "mail.club.example" }] } as const;
  assert.match(await said({ ...name, "mail.club.example": address("127.0.0.2") }), /^250 /);
  assert.match(await said({ [pointer]: "SERVFAIL" }), /^451 4\.7\.1 127\.0\.0\.2 is listed by /);
  assert.match(await said({}), /^550 5\.7\.1 127\.0\.0\.2 is listed by /);
});
