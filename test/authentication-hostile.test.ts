// Senders who write what they like into everything that goes into our fields, and messages that cost time to look at. What we
// say of them is read back by Debian's authres. A forwarder in this process, with DNS of the story.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AUTHENTICATION_POLICY, type AuthenticationPolicy } from "@homing/forwarder";
import { signed, testKey } from "../packages/forwarder/src/authentication/content/testing/signed-mail.ts";
import { sendMessage } from "../packages/forwarder/src/testing/smtp-peers.ts";
import {
  ALICE,
  authenticationScene,
  clientOf,
  fieldsOf,
  type InProcessScene,
  message,
  rules,
  texts,
} from "./harness/authentication-scene.ts";
import { AUTHRES_PACKAGES, type Authres, authres, type ReadResults } from "./harness/authres.ts";
import { storiesNeed } from "./harness/availability.ts";

const skip = (await storiesNeed(...AUTHRES_PACKAGES)) ?? false;
const KEY = testKey("rsa", "good.example", "s");
const SEAL = testKey("rsa", "forwarder.example", "seal");
const ZONE = {
  "good.example": texts("v=spf1 ip4:127.0.0.1 -all"),
  "strange.example": texts(`v=spf1 ip4:127.0.0.1 exists:%{l}.(x).strange.example ~all`),
  "wrong.example": texts('v=spf1 "a\r\nX-Injected: 1" (; dkim=pass header.d=bank.example) ~all'),
  "_dmarc.policy.example": texts("v=DMARC1; p=reject"),
  [KEY.dns[0]]: texts(KEY.dns[1]),
};
/** What may stand above the message. */
const OURS =
  /^(?:arc-seal|arc-message-signature|arc-authentication-results|authentication-results|received-spf|x-homing-verdict|x-forwarded-for|received)$/;

interface Attack {
  readonly helo?: string;
  readonly from?: string;
  /** Above the header From, each with its CRLF. */
  readonly fields?: string;
  readonly author?: string;
  /** Of MAIL. */
  readonly parameters?: string;
}

const LONG = "x".repeat(990);
const signature = (tags: string): string =>
  `DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; h=From; bh=AAAA; b=BBBB; ${tags}\r\n`;

const attacks: [what: string, attack: Attack][] = [
  ["a HELO name with a result in it", { helo: "x;dkim=pass(header.d=bank.example)" }],
  ["a HELO name with parentheses that do not match", { helo: 'x(((")\\' }],
  ["a HELO name outside ASCII", { helo: "\u00fc\u0085\u00a0.example" }],
  ["a HELO name of 400 octets", { helo: "x".repeat(400) }],
  ["a null sender and such a HELO name", { helo: '";spf=pass', from: "" }],
  ["a sender with a result in it", { from: '"; dkim=pass header.d=bank.example; x="@good.example' }],
  ["a sender with a result as its local part", { from: "dmarc=pass@good.example" }],
  ["a sender with quotes and backslashes", { from: '"a\\"b\\\\ (c) d"@strange.example' }],
  ["a sender outside ASCII", { from: "b\u00fc\u2028@good.example", parameters: " SMTPUTF8" }],
  ["a sender of the longest kind", { from: `"${" ".repeat(60)}"@good.example` }],
  ["an SPF record that is an attack", { from: "bob@wrong.example" }],
  ["a signature with a result as its domain", { fields: signature("d=x spf=pass; s=s") }],
  ["a signature with a quoted domain", { fields: signature('d="x;spf=pass"; s="\\";dmarc=pass"') }],
  ["a signature with a folded domain", { fields: signature("d=good.example\r\n\tX-Injected: 1; s=s\r\n ;") }],
  ["a signature with a domain of 990 octets", { fields: signature(`d=${LONG}; s=${LONG}`) }],
  ["a signature outside ASCII", { fields: signature("d=b\u00fccher.example; s=\u0085\u00a0") }],
  [
    "a signature with bare CR and LF escaped as they can be",
    { fields: signature("d==0D=0AX-Injected:1; s=%0d%0a") },
  ],
  [
    "a signature with an algorithm of its own",
    { fields: signature("d=good.example; s=s").replace("rsa-sha256", "x;spf=pass") },
  ],
  ["an author with a result in it", { author: '"x; dmarc=pass" <ceo@bank.example;spf=pass>' }],
  ["an author with comments", { author: "ceo(;dmarc=pass)@bank.example ((unclosed" }],
  ["an author outside ASCII", { author: "ceo@b\u00fccher\u2028.example" }],
  ["an author of 990 octets", { author: `<a@${"x.".repeat(480)}example>` }],
  ["an author who is folded", { author: "ceo@bank\r\n\t.example\r\n X-Injected: 1" }],
];

async function scene(t: TestContext, changes: Partial<AuthenticationPolicy> = {}): Promise<InProcessScene> {
  return authenticationScene(t, ZONE, { authentication: { sealKey: SEAL, ...rules(changes) } });
}

async function attacked(
  { forwarder }: InProcessScene,
  attack: Attack,
): Promise<{ reply: string; content: string }> {
  const {
    helo = "client.example",
    from = "bob@good.example",
    fields = "",
    author = from,
    parameters = "",
  } = attack;
  using client = await clientOf(forwarder.port);
  const utf8 = (text: string): string => Buffer.from(text).toString("latin1");
  const content = utf8(fields + message(author));
  for (const command of [`EHLO ${helo}`, `MAIL FROM:<${from}>${parameters}`, `RCPT TO:<${ALICE}>`]) {
    const reply = await client.ask(utf8(command));
    if (!reply.startsWith("250")) return { reply, content };
  }
  return { reply: await sendMessage(client, content), content };
}

/** What stands above the message, once it is looked at: only fields of ours, in lines that every server takes. */
function ours(arrived: string, content: string): string {
  assert.equal(arrived.endsWith(content), true, "the message is as it was");
  const above = arrived.slice(0, arrived.length - content.length);
  for (const line of above.split("\r\n")) {
    assert.ok(line.length <= 998, `a line of ${line.length} octets`);
    assert.doesNotMatch(line, /[\r\n\0]/);
    assert.doesNotMatch(line, /^\s+$/, "no line is empty but for white space");
  }
  const names = fieldsOf(above).flatMap(([name]) => (name === "" ? [] : [name]));
  for (const name of names) assert.match(name, OURS);
  assert.equal(new Set(names).size, names.length, "each once");
  return above;
}

async function readBack(reader: Authres, above: string): Promise<ReadResults> {
  const value = fieldsOf(above).find(([name]) => name === "authentication-results")?.[1] ?? "";
  // It knows nothing of SMTPUTF8 (RFC 6531).
  return await reader.read(`Authentication-Results: ${value.replace(/[^\t -~]/g, "?")}`);
}

test("whatever senders write, our fields say what we found and nothing else", { skip }, async (t) => {
  await using reader = await authres();
  // What would be refused by default is looked at, too.
  const found = await scene(t, { dmarc: { ...AUTHENTICATION_POLICY.dmarc, unclear: "tag" } });
  let taken = 0;
  for (const [what, attack] of attacks) {
    const { reply, content } = await attacked(found, attack);
    assert.match(reply, /^[25]\d\d[ -]/, what);
    assert.match(reply, /^[\t -~\n]+$/, what);
    if (!reply.startsWith("250")) continue;
    taken++;
    const above = ours(found.arrived(), content);
    const { authservId, results } = await readBack(reader, above);
    assert.equal(authservId, "mx.forwarder.example", what);
    const event = found.authenticated();
    assert.ok(event);
    const expected = [
      ["spf", event.spf],
      ...(event.dkim.length === 0 ? [["dkim", "none"]] : event.dkim.map(({ result }) => ["dkim", result])),
      ["dmarc", event.dmarc],
    ];
    assert.deepEqual(
      results.map(({ method, result }) => [method, result]),
      expected,
      what,
    );
    assert.ok(!results.some(({ properties }) => properties["header.d"] === "bank.example"), what);
  }
  assert.ok(taken >= attacks.length - 6, `${taken} of ${attacks.length} were taken`);
});

test("a header that hides its author is no way around DMARC", async (t) => {
  const { send, hop } = await scene(t);
  const hidden: [content: string, said: RegExp][] = [
    [`${"X:\r\n".repeat(5001)}${message("ceo@policy.example")}`, /^550 5\.6\.0 /],
    [message('"ceo@policy.example'), /^550 5\.7\.26 /],
    [message("ceo@policy.example bob@good.example"), /^550 5\.7\.26 /],
    [message("ceo@policy.example\r\nFrom: bob@good.example"), /^550 5\.7\.26 /],
    [message("a@1.example, a@2.example, a@3.example, a@4.example, ceo@policy.example"), /^550 5\.7\.26 /],
    ["Subject: nobody wrote this\r\n\r\nHello!\r\n", /^550 5\.7\.26 /],
  ];
  for (const [content, said] of hidden)
    assert.match(await send({ from: "bob@good.example", message: content }), said);
  assert.equal(hop.messages.length, 0);
});

test("a signature that the library falls over is the message's fault, and no trouble of ours", async (t) => {
  const { send, authenticated } = await scene(t);
  const field = "DKIM-Signature: v=1; a=rsa-sha256; c=/; d=good.example; s=x; h=From; bh=AAAA; b=AAAA\r\n";
  assert.match(
    await send({ from: "bob@good.example", message: field + message("bob@good.example") }),
    /^250 /,
  );
  assert.equal(authenticated()?.verdict, "accept");
  const both = field + signed(message("bob@good.example"), KEY);
  assert.match(await send({ from: "bob@good.example", message: both }), /^250 /);
  assert.deepEqual(
    authenticated()?.dkim.map(({ result }) => result),
    ["neutral", "pass"],
    "a good one beside it is still good",
  );
});

/** Each is answered in seconds, however much there is in it. */
const heavy: [what: string, make: () => string, said: RegExp][] = [
  [
    "a thousand signatures",
    () =>
      "DKIM-Signature: v=1;a=rsa-sha256;h=From;bh=AAAA;b=BBBB;d=good.example;s=x\r\n".repeat(1000) +
      message("bob@good.example"),
    /^250 /,
  ],
  [
    "a hundred good signatures",
    () => {
      const text = message("bob@good.example");
      const whole = signed(text, KEY);
      return whole.slice(0, whole.length - text.length).repeat(100) + text;
    },
    /^250 /,
  ],
  [
    "signatures of a hundred domains without keys",
    () =>
      Array.from({ length: 100 }, (_, at) => signature(`d=d${at}.example; s=s`)).join("") +
      message("bob@good.example"),
    /^250 /,
  ],
  [
    "two hundred ARC sets",
    () => {
      const sets = Array.from({ length: 200 }, (_, at) => {
        const i = 200 - at;
        return (
          `ARC-Seal: i=${i}; a=rsa-sha256; cv=${i === 1 ? "none" : "pass"}; d=d${i}.example; s=s; t=1; b=AAAA\r\n` +
          `ARC-Message-Signature: i=${i}; a=rsa-sha256; c=relaxed/relaxed; d=d${i}.example; s=s; h=From; bh=AAAA; b=AAAA\r\n` +
          `ARC-Authentication-Results: i=${i}; d${i}.example; dmarc=pass\r\n`
        );
      });
      return sets.join("") + message("bob@good.example");
    },
    /^250 /,
  ],
  [
    "a header of 100 KB",
    () => `X-Long: ${"word ".repeat(15)}\r\n`.repeat(1200) + signed(message("bob@good.example"), KEY),
    /^552 5\.3\.4 /,
  ],
  [
    "a header of 90 KB",
    () => `X-Long: ${"word ".repeat(15)}\r\n`.repeat(1070) + signed(message("bob@good.example"), KEY),
    /^250 /,
  ],
  [
    "one field of 90 KB, folded",
    () => `X-Long: x\r\n${`\t${"word ".repeat(15)}\r\n`.repeat(1150)}${message("bob@good.example")}`,
    /^250 /,
  ],
  [
    "an author of 80 KB",
    () => message(`${Array.from({ length: 3000 }, (_, at) => `"a;(" <a@d${at}.example>`).join(",\r\n ")}`),
    /^[25]50 /,
  ],
  [
    "comments in each other, 20,000 deep",
    () => message(`${"(\r\n ".repeat(20_000)}bob@good.example`),
    /^[25]50 /,
  ],
];

for (const [what, make, said] of heavy) {
  test(`a message with ${what} is answered in seconds, with few questions to DNS`, async (t) => {
    const found = await scene(t);
    const content = make();
    await found.send({ from: "bob@good.example" });
    const asked = found.asked.length;
    const begin = performance.now();
    const reply = await found.send({ from: "bob@good.example", message: content });
    const seconds = (performance.now() - begin) / 1000;
    assert.match(reply, said);
    assert.ok(seconds < 4, `${seconds.toFixed(1)} s`);
    assert.ok(found.asked.length - asked <= 60, `${found.asked.length - asked} questions`);
    if (!reply.startsWith("250")) return;
    const above = ours(found.arrived(), content);
    // The seal names each field that it covers, and covers all signatures.
    assert.ok(above.length < 24_000, `${above.length} octets of ours`);
  });
}
