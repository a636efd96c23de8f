import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { resolve } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createBounceGate, createGuessBudget } from "@homing/bounce-handler";
import { SPF_ACTIONS, type SpfAnswer, type SpfResolver } from "@homing/spf";
import { createRewriter, renderReversePath } from "@homing/srs-core";
import fc from "fast-check";
import type { AdapterEvent } from "../adapter-events.ts";
import { createSenderChecks } from "../senders/create-sender-checks.ts";
import type { SenderChecks, SenderVerdict } from "../senders/sender-checks.ts";
import { connectionOf, rest } from "../testing/line-protocol.ts";
import { requestsIn } from "../testing/requests-in.ts";
import { listenAdapter } from "../wire/listener.ts";
import { ProtocolFault } from "../wire/protocol.ts";
import { type PolicyOptions, policyProtocol } from "./policy.ts";

const NOW = 1_700_000_000;
const TRUSTED = "203.0.113.9";
const rewriter = createRewriter({ secrets: ["a long random secret"], domain: "srs.example" });
const GOOD = renderReversePath(forwarded("bob", "fail.example"));
const FORGED = GOOD.replace(/=[^=]+=/, "=aaaaaaaa=");
const NOT_A_BOUNCE =
  "550 5.7.1 this address takes only bounces (MAIL FROM:<>) to mail that was sent through here lately";

const RECORDS: Readonly<Record<string, string>> = {
  "pass.example": "v=spf1 ip4:192.0.2.0/24 -all",
  "origin.example": "v=spf1 ip4:192.0.2.1 -all",
  "fail.example": "v=spf1 -all",
  "elsewhere.example": "v=spf1 ip4:198.51.100.1 -all exp=exp.elsewhere.example",
  "exp.elsewhere.example": "action=OK",
};

function forwarded(localPart: string, domain: string) {
  const outcome = rewriter.forward({ localPart, domain }, NOW);
  assert.ok(outcome.ok);
  return outcome.sender;
}

const none = () => ({ kind: "no-such-name" }) as const;
const resolver: SpfResolver = {
  txt(name) {
    if (name === "temp.example") return { kind: "failed", cause: "SERVFAIL" };
    const record = RECORDS[name];
    return record === undefined ? none() : { kind: "records", records: [record] };
  },
  ...{ a: none, aaaa: none, mx: none, ptr: none },
};

const PASS: SpfAnswer = {
  result: "pass",
  identity: "mailfrom",
  domain: "pass.example",
  sender: "bob@pass.example",
  path: [],
  namesNobody: false,
  passesEverybody: false,
  lookups: 0,
  voidLookups: 0,
  trace: [],
};

function service(options: Partial<PolicyOptions> = {}) {
  const events: AdapterEvent[] = [];
  const isTrustedClient = (address: string): boolean => address === TRUSTED;
  const senders: SenderChecks = createSenderChecks({
    resolver,
    isTrustedClient,
    hostname: "mx.ours.example",
    now: () => NOW,
    timeLimit: () => new AbortController().signal,
    actionsFor: (domain) => ({
      mode: domain === "off.example" ? "off" : "enforce",
      spf: domain === "hard.example" ? { ...SPF_ACTIONS, none: "refuse" } : SPF_ACTIONS,
    }),
    trustOf: async () => "not-trusted",
  });
  const protocol = policyProtocol({
    gate: createBounceGate(
      (domain) => (domain === "srs.example" ? rewriter : undefined),
      createGuessBudget(() => {}),
    ),
    senders,
    isNobody: (recipient) => recipient.endsWith("@srs.example"),
    isTrustedClient,
    autoReplies: "refuse",
    hostname: "mx.ours.example",
    now: () => NOW,
    report: (event) => events.push(event),
    ...options,
  });
  const session = protocol.createSession();
  /** The answer, with its end. */
  const raw = async (text: string | Uint8Array): Promise<string> => {
    let said = "";
    for (const request of requestsIn(protocol.createReader(), Buffer.from(text)))
      said += await session.answer(request);
    return said;
  };
  let count = 0;
  /** The action. Each request is of a message of its own, unless it says which. */
  const ask = async (changes: Readonly<Record<string, string>> = {}): Promise<string> => {
    const said = await raw(requestText({ instance: `${++count}`, ...changes }));
    const [, action] = /^action=([\x20-\x7e]+)\n\n$/.exec(said) ?? [];
    return action ?? `no action: ${said}`;
  };
  return { ask, raw, events, protocol };
}

function requestText(changes: Readonly<Record<string, string>>): string {
  const attributes: Readonly<Record<string, string>> = {
    request: "smtpd_access_policy",
    protocol_state: "RCPT",
    protocol_name: "ESMTP",
    client_address: "192.0.2.1",
    helo_name: "mail.pass.example",
    sender: "bob@pass.example",
    recipient: "alice@ours.example",
    sasl_username: "",
    ...changes,
  };
  const lines = Object.entries(attributes).map(([name, value]) => `${name}=${value}\n`);
  return `${lines.join("")}\n`;
}

const PASSED = /^PREPEND Received-SPF: pass \(.*; mechanism="ip4:192\.0\.2\.0\/24";$/;

const ANSWERS: readonly [
  what: string,
  changes: Readonly<Record<string, string>>,
  action: string | RegExp,
  options?: Partial<PolicyOptions>,
][] = [
  ["SPF passes", {}, PASSED],
  ["there is no SPF", { sender: "bob@none.example" }, /^PREPEND Received-SPF: none /],
  [
    "SPF fails",
    { sender: "bob@fail.example" },
    "550 5.7.23 SPF: fail.example does not let 192.0.2.1 send its mail",
  ],
  [
    "DNS does not answer",
    { sender: "bob@temp.example" },
    "451 4.4.3 SPF: DNS did not answer about temp.example, try again later",
  ],
  ["the null sender: HELO is asked about", { sender: "", helo_name: "fail.example" }, /^550 5\.7\.23 /],
  ["a domain where nobody is checked", { recipient: "alice@off.example" }, "DUNNO"],
  ["a client of ours", { client_address: TRUSTED, sender: "bob@fail.example" }, "DUNNO"],
  ["a client who has logged in", { sasl_username: "bob", sender: "bob@fail.example" }, "DUNNO"],
  ["a client whose address nobody knows", { client_address: "unknown", sender: "bob@fail.example" }, "DUNNO"],
  ["a client without an address", { client_address: "", sender: "bob@fail.example" }, "DUNNO"],
  ["a client over IPv6", { client_address: "2001:db8::1", sender: "bob@fail.example" }, /^550 5\.7\.23 /],
  ["a recipient that is no address", { recipient: "bob@", sender: "bob@fail.example" }, /^550 5\.7\.23 /],
  ["a sender that is no address", { sender: "bob@" }, /^PREPEND Received-SPF: none /],
  [
    "SPF fails, and the domain explains it",
    { sender: "bob@elsewhere.example" },
    /^550 5\.7\.23 SPF: .*\. elsewhere\.example explains: action=OK$/,
  ],
  [
    "postmaster without a domain",
    { recipient: "Postmaster", sender: "bob@elsewhere.example" },
    /^PREPEND Received-SPF: fail /,
  ],
  ["DATA", { protocol_state: "DATA", recipient: FORGED, sender: "bob@fail.example" }, "DUNNO"],
  ["END-OF-MESSAGE", { protocol_state: "END-OF-MESSAGE", sender: "bob@fail.example" }, "DUNNO"],
  ["MAIL", { protocol_state: "MAIL", sender: "bob@fail.example" }, "DUNNO"],
  ["VRFY", { protocol_state: "VRFY", sender: "bob@fail.example" }, "DUNNO"],
  ["no state", { protocol_state: "", sender: "bob@fail.example" }, "DUNNO"],
  ["a forged SRS recipient", { recipient: FORGED, sender: "" }, NOT_A_BOUNCE],
  [
    "a forged SRS recipient of a client of ours",
    { recipient: FORGED, client_address: TRUSTED },
    NOT_A_BOUNCE,
  ],
  [
    "a forged SRS recipient of one who has logged in",
    { recipient: FORGED, sasl_username: "b" },
    NOT_A_BOUNCE,
  ],
  ["a forged SRS recipient of nobody knows whom", { recipient: FORGED, client_address: "" }, NOT_A_BOUNCE],
  ["a bounce, whatever SPF says", { recipient: GOOD, sender: "", helo_name: "fail.example" }, "DUNNO"],
  ["a sender of its own to a good SRS address", { recipient: GOOD }, NOT_A_BOUNCE],
  ["no address to a good SRS address", { recipient: GOOD, sender: "bob@" }, NOT_A_BOUNCE],
  ["the same where it is accepted", { recipient: GOOD }, PASSED, { autoReplies: "accept" }],
  [
    "the same where it is accepted, and SPF fails",
    { recipient: GOOD, sender: "bob@fail.example" },
    /^550 5\.7\.23 /,
    { autoReplies: "accept" },
  ],
  ["a forged SRS recipient with a final dot", { recipient: `${FORGED}.`, sender: "" }, NOT_A_BOUNCE],
  [
    "a bounce to one with a final dot",
    { recipient: `${GOOD}.`, sender: "", helo_name: "x.example" },
    "DUNNO",
  ],
  ["SPF fails, and the sender has a final dot", { sender: "bob@fail.example." }, /^550 5\.7\.23 /],
  [
    "a forged one with blanks, which Postfix tells without quotes",
    { recipient: FORGED.replace("bob", "b b") },
    NOT_A_BOUNCE,
  ],
  [
    "a bounce to one with blanks",
    { recipient: renderReversePath(forwarded("b b", "fail.example")).replaceAll('"', ""), sender: "" },
    "DUNNO",
  ],
  ["a forged sender with blanks", { sender: FORGED.replace("bob", "b b") }, /^550 5\.7\.1 the sender is at/],
  ["a sender with blanks, and SPF fails", { sender: "e v@fail.example" }, /^550 5\.7\.23 /],
  ["nobody at the SRS domain", { recipient: "bob@srs.example" }, "550 5.1.1 no such address here"],
  [
    "no address at the SRS domain",
    { recipient: `${"x".repeat(300)}@srs.example` },
    "550 5.1.1 no such address here",
  ],
  [
    "nobody at the SRS domain, of a client of ours",
    { recipient: "bob@srs.example.", client_address: TRUSTED },
    "550 5.1.1 no such address here",
  ],
  ["an SRS address of others", { recipient: FORGED.replace("@srs.example", "@other.example") }, PASSED],
];
for (const [what, changes, action, options] of ANSWERS) {
  test(`${what}: ${typeof action === "string" ? action.slice(0, 10) : action.source.slice(0, 20)}`, async () => {
    const said = await service(options).ask(changes);
    if (typeof action === "string") assert.equal(said, action);
    else assert.match(said, action);
  });
}

test("a sender at our SRS domain with a wrong tag is refused, unless he is a user or a server of ours", async () => {
  const { ask, events } = service();
  const refusal =
    "550 5.7.1 the sender is at a domain of this server, which did not make that address, or long ago";
  assert.equal(await ask({ sender: FORGED }), refusal);
  assert.equal(await ask({ sender: "ceo@srs.example" }), refusal);
  assert.match(JSON.stringify(events), /"reason":"bad-tag"/);
  assert.notEqual(await ask({ sender: GOOD }), refusal);
  assert.equal(await ask({ sender: FORGED, sasl_username: "ann" }), "DUNNO");
  assert.equal(await ask({ sender: FORGED, client_address: TRUSTED }), "DUNNO");
});

const LOCAL_PART = FORGED.slice(0, FORGED.indexOf("@"));
const SPELLINGS = [
  `${LOCAL_PART}%srs.example`,
  `${LOCAL_PART}%srs.example@ours.example`,
  `srs.example!${LOCAL_PART}`,
  `srs.example!${LOCAL_PART}@ours.example`,
  `@ours.example:${FORGED}`,
  `${LOCAL_PART}@(c)srs.example`,
  `${FORGED}@ours.example`,
];
for (const spelling of SPELLINGS) {
  test(`who is a stranger has no recipient and no sender ${spelling}`, async () => {
    const { ask, events } = service();
    assert.match(await ask({ recipient: spelling, sender: "" }), /^553 5\.1\.3 .*write it as user@domain$/);
    assert.match(await ask({ recipient: spelling, client_address: "" }), /^553 5\.1\.3 /);
    assert.match(await ask({ sender: spelling }), /^553 5\.1\.7 .*write it as user@domain$/);
    assert.match(JSON.stringify(events), /"recipient-spelling".*"sender-spelling"/);
    assert.doesNotMatch(await ask({ recipient: spelling, sasl_username: "ann" }), /^553/);
    assert.equal(await ask({ sender: spelling, client_address: TRUSTED }), "DUNNO");
  });
}

test("a message has one Received-SPF, and a refusal goes to every recipient", async () => {
  const { ask } = service();
  const told = async (changes: Readonly<Record<string, string>>) =>
    (await ask(changes)).split(/[ :]/).slice(0, 2).join(" ");
  const message = (recipient: string) => told({ instance: "a.1", recipient });
  assert.equal(await message("alice@ours.example"), "PREPEND Received-SPF");
  assert.equal(await message("carol@ours.example"), "DUNNO");
  assert.equal(await message("alice@ours.example"), "DUNNO");
  assert.equal(await told({ instance: "a.2" }), "PREPEND Received-SPF");
  const failing = { instance: "a.3", sender: "bob@fail.example" };
  assert.equal(await told({ ...failing, recipient: "alice@ours.example" }), "550 5.7.23");
  assert.equal(await told({ ...failing, recipient: "carol@ours.example" }), "550 5.7.23");
});

test("recipients are judged by the settings of their domains, and one that is refused leaves the field to the next", async () => {
  const { ask } = service();
  const message = { instance: "b.1", sender: "bob@none.example" };
  assert.match(await ask({ ...message, recipient: "x@hard.example" }), /^550 5\.7\.1 SPF: none\.example /);
  assert.equal(await ask({ ...message, recipient: "x@off.example" }), "DUNNO");
  assert.equal(await ask({ ...message, recipient: FORGED }), NOT_A_BOUNCE);
  assert.match(await ask({ ...message, recipient: "x@ours.example" }), /^PREPEND /);
  assert.match(await ask({ ...message, recipient: "y@hard.example" }), /^550 /);
  assert.equal(await ask({ ...message, recipient: "y@ours.example" }), "DUNNO");
});

test("the request that docs/policy.md shows is answered as it shows", async () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../../../docs/policy.md"), "utf8");
  const [, request, action] = /(request=smtpd_access_policy\n(?:.+\n)+\n)(action=.*) …\n/.exec(page) ?? [];
  assert.ok(request && action);
  const said = await service({ hostname: "mx.club.example" }).raw(request);
  assert.ok(said.startsWith(`${action} `), said);
});

test("over a connection the answers are the same wherever the octets are cut, and a fault ends that one alone", async (t) => {
  const { protocol, events } = service();
  const listener = await listenAdapter({
    ...{ adapter: "policy", place: { host: "127.0.0.1", port: 0 }, protocol, maxConnections: 5 },
    report: (event) => events.push(event),
    nowMs: () => NOW * 1000,
  });
  t.after(() => listener.close());
  const dial = (): Socket => connect(connectionOf(listener.place));
  const text = (message: string) =>
    requestText({ instance: `${message}.1` }) +
    requestText({ instance: `${message}.1`, recipient: "carol@ours.example" }) +
    requestText({ instance: `${message}.2`, sender: "bob@fail.example" });
  const whole = dial();
  whole.end(text("d"));
  const broken = dial();
  broken.write("OK\n\n");
  const single = dial();
  for (const octet of Buffer.from(text("e"))) {
    single.write(Buffer.of(octet));
    await setImmediate();
  }
  single.end();
  const answers = await rest(whole);
  assert.match(answers, /^action=PREPEND .*\n\naction=DUNNO\n\naction=550 .*\n\n$/);
  assert.equal(await rest(single), answers);
  assert.equal(await rest(broken), "");
  assert.deepEqual(events.map(({ event }) => event).sort(), [
    "adapter-fault",
    "adapter-refused",
    "adapter-refused",
  ]);
});

test("a question that Postfix has given up does not use the field up, and a refusal is told to each", async () => {
  const slow = Promise.withResolvers<SenderVerdict>();
  const { ask } = service({ senders: { check: () => slow.promise } });
  const first = ask({ instance: "c.1" });
  const again = ask({ instance: "c.1" });
  slow.resolve({ action: "accept", field: "", answer: PASS });
  assert.equal(await first, "DUNNO");
  assert.match(await again, /^PREPEND /);
  assert.equal(await ask({ instance: "c.1" }), "DUNNO");
  const failing = { instance: "c.2", sender: "bob@fail.example" };
  const strict = service();
  const both = await Promise.all([strict.ask(failing), strict.ask(failing)]);
  assert.ok(both.every((action) => action.startsWith("550 5.7.23 ")));
});

test("guesses are counted by client, and those of our own networks are nobody's", async () => {
  const { ask } = service();
  const guess = (client: string) => ask({ recipient: FORGED, sender: "", client_address: client });
  const first = await Promise.all(Array.from({ length: 1001 }, () => guess("192.0.2.66")));
  assert.equal(first.filter((action) => action === NOT_A_BOUNCE).length, 1000);
  assert.match(first.at(-1) ?? "", /^451 4\.7\.1 too many wrong addresses/);
  assert.equal(await guess("192.0.2.67"), NOT_A_BOUNCE);
  const ours = await Promise.all(Array.from({ length: 1001 }, () => guess(TRUSTED)));
  assert.ok(ours.every((action) => action === NOT_A_BOUNCE));
});

test("refusals are told to the log, and nothing else is", async () => {
  const { ask, events } = service();
  await ask();
  await ask({ recipient: GOOD, sender: "" });
  await ask({ sender: "bob@fail.example" });
  await ask({ recipient: FORGED, sender: "" });
  const told = { event: "adapter-refused", adapter: "policy", client: "192.0.2.1" };
  assert.deepEqual(events, [
    {
      ...told,
      reversePath: "bob@fail.example",
      recipient: "alice@ours.example",
      reason: "spf-fail",
      reply: "550 5.7.23 SPF: fail.example does not let 192.0.2.1 send its mail",
    },
    { ...told, reversePath: "", recipient: FORGED, reason: "bad-tag", reply: NOT_A_BOUNCE },
  ]);
});

const HOSTILE = "x\r\n\naction=OK\n\n\u0000\u2028\u0085\u00e9";

test("whatever the checks say, it is one line", async () => {
  const answer = { ...PASS, domain: HOSTILE, problem: HOSTILE, mechanism: HOSTILE };
  const verdict = { action: "accept", field: HOSTILE, answer } as const;
  const reply = { code: 550, enhanced: "5.7.23", text: HOSTILE };
  const passed = await service({ senders: { check: async () => verdict } }).raw(requestText({}));
  assert.match(passed, /^action=PREPEND Received-SPF: pass [\x20-\x7e]+\n\n$/);
  const senders: SenderChecks = { check: async () => ({ ...verdict, action: "refuse", reply }) };
  const refused = await service({ senders }).raw(requestText({}));
  assert.equal(refused, "action=550 5.7.23 x???action=OK??????\n\n");
});

test("whatever HELO, sender and recipient are, the answer is one line, and never OK", async () => {
  const { raw } = service();
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 600 }).map((value) => value.replace(/[\n\0]/g, "\r")),
    fc.constantFrom(GOOD, FORGED, "OK", "bob@elsewhere.example", "x\raction=OK", "\u2028OK\u0085"),
  );
  await fc.assert(
    fc.asyncProperty(text, text, text, async (helo, sender, recipient) => {
      const said = await raw(requestText({ helo_name: helo, sender, recipient }));
      assert.match(
        said,
        /^action=(?:DUNNO|PREPEND Received-SPF: [\x20-\x7e]+|(?:55[03] 5|451 4)\.\d+\.\d+ [\x20-\x7e]+)\n\n$/,
      );
    }),
    { numRuns: 300 },
  );
});

test("random attributes and octets are answered with an action or a fault, and never with OK", async () => {
  const { raw } = service();
  const line = fc.tuple(
    fc.constantFrom("protocol_state", "client_address", "sender", "recipient", "instance", "x", ""),
    fc.string({ unit: "binary", maxLength: 40 }),
  );
  const attributes = fc.array(line).map((lines) => {
    const text = lines.map(([name, value]) => `${name}=${value}\n`).join("");
    return Buffer.from(`request=smtpd_access_policy\n${text}\n`);
  });
  const octets = fc.oneof(
    attributes,
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  );
  await fc.assert(
    fc.asyncProperty(octets, async (bytes) => {
      try {
        assert.match(await raw(bytes), /^(?:action=(?!OK)[\x20-\x7e]+\n\n)*$/);
      } catch (error) {
        assert.ok(error instanceof ProtocolFault, String(error));
      }
    }),
    { numRuns: 500 },
  );
});
