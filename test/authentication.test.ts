// Who may send: forgeries are refused before the forwarder gives them an SPF pass of its own, and what is good is passed on
// with what was found about it. Each message is judged by a forwarder in this process, with DNS of the story; what a real
// client hears is in forged-mail.test.ts.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  AUTHENTICATION_POLICY,
  type AuthenticationPolicy,
  createMessageSigner,
  type ForwarderEvent,
} from "@homing/forwarder";
import { renderMailbox } from "@homing/srs-core";
import type { Zone } from "../packages/forwarder/src/testing/dns-server.ts";
import { greeted, type Hop, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { dnsOf } from "../packages/forwarder/src/testing/test-dns.ts";
import { createDkimKey } from "./harness/dkim.ts";
import {
  type InProcessForwarder,
  type InProcessOptions,
  inProcessForwarder,
  NOW,
} from "./harness/in-process.ts";

const ALICE = "alice@forwarder.example";
const ALIASES = "alice: private@home.example\nlist: private@home.example, hidden@club.example\n";
const KEY = createDkimKey("signed.example", "s");
const SIGNER = createMessageSigner(
  [{ domain: "signed.example", selector: "s", privateKey: KEY.signer.privateKeyPem }],
  () => NOW,
);

const txt = (text: string) => [{ type: "TXT", strings: text.match(/.{1,255}/g) ?? [""] } as const];

/** Clients of this story come from 127.0.0.1. */
const ZONE: Zone = {
  "good.example": txt("v=spf1 ip4:127.0.0.1 -all"),
  "everybody.example": txt("v=spf1 +all"),
  "forged.example": txt("v=spf1 ip4:192.0.2.1 -all"),
  "nobody.example": txt("v=spf1 -all"),
  "_dmarc.nobody.example": txt("v=DMARC1; p=none"),
  "soft.example": txt("v=spf1 ip4:192.0.2.1 ~all"),
  "wrong.example": txt("v=spf1 ip4:192.0.2.1.1 -all"),
  "broken.example": "SERVFAIL",
  "explains.example": txt("v=spf1 -all exp=why.explains.example"),
  "why.explains.example": txt("%{i} is none of ours"),
  "signed.example": txt("v=spf1 ip4:192.0.2.1 -all"),
  "_dmarc.signed.example": txt("v=DMARC1; p=reject"),
  "s._domainkey.signed.example": txt(KEY.dns["s._domainkey.signed.example"] ?? ""),
  "policy.example": txt("v=spf1 ip4:192.0.2.1 ~all"),
  "_dmarc.policy.example": txt("v=DMARC1; p=reject"),
  "suspect.example": txt("v=spf1 ip4:192.0.2.1 ~all"),
  "_dmarc.suspect.example": txt("v=DMARC1; p=quarantine"),
};

function message(from: string, subject = "x"): string {
  return `From: ${from}\r\nTo: ${ALICE}\r\nSubject: ${subject}\r\nMessage-ID: <1@x.example>\r\n\r\nHello!\r\n`;
}

interface Scene {
  readonly forwarder: InProcessForwarder;
  readonly hop: Hop;
  send(from: string, content?: string | Uint8Array, to?: string): Promise<string>;
  authenticated(): Extract<ForwarderEvent, { event: "authenticated" }> | undefined;
  /** The header of the last message at the next hop. */
  header(): string;
}

async function scene(
  t: TestContext,
  authentication: Partial<InProcessOptions["authentication"]> = {},
  options: Partial<InProcessOptions> = {},
): Promise<Scene> {
  const hop = await startHop();
  t.after(() => hop[Symbol.asyncDispose]());
  const forwarder = await inProcessForwarder({
    aliases: ALIASES,
    nextHop: hop.port,
    authentication: { dns: await dnsOf(t, ZONE), ...authentication },
    ...options,
  });
  t.after(() => forwarder[Symbol.asyncDispose]());
  return {
    forwarder,
    hop,
    async send(from, content = message(from), to = ALICE) {
      const client = await greeted({ host: "127.0.0.1", port: forwarder.port });
      return await transact(client, { from, to, message: content }).finally(() => client.socket.destroy());
    },
    authenticated: () => forwarder.events.findLast((one) => one.event === "authenticated"),
    header: () => (hop.messages.at(-1) ?? Buffer.alloc(0)).toString("latin1").split("\r\n\r\n")[0] ?? "",
  };
}

const policy = (changes: Partial<AuthenticationPolicy>) => ({
  policyFor: () => POLICIES.get(changes) ?? remembered(changes),
});
/** The same rules are the same value. */
const POLICIES = new Map<Partial<AuthenticationPolicy>, AuthenticationPolicy>();
function remembered(changes: Partial<AuthenticationPolicy>): AuthenticationPolicy {
  const made = { ...AUTHENTICATION_POLICY, ...changes };
  POLICIES.set(changes, made);
  return made;
}

interface Answer {
  readonly from: string;
  readonly header?: string;
  readonly answer: RegExp;
  readonly spf?: string;
  readonly verdict?: string;
}

const ANSWERS: readonly Answer[] = [
  { from: "bob@good.example", answer: /^250 /, spf: "pass", verdict: "accept" },
  { from: "bob@everybody.example", answer: /^250 /, spf: "pass", verdict: "accept" },
  {
    from: "bob@forged.example",
    answer: /^550 5\.7\.23 SPF: forged\.example does not let 127\.0\.0\.1 send its mail$/,
  },
  { from: "bob@nobody.example", answer: /^550 5\.7\.23 / },
  {
    from: "bob@explains.example",
    answer: /^550 5\.7\.23 SPF: .*\. explains\.example explains: 127\.0\.0\.1 is none of ours$/,
  },
  { from: "bob@soft.example", answer: /^250 /, spf: "softfail", verdict: "accept" },
  { from: "bob@unknown.example", answer: /^250 /, spf: "none", verdict: "accept" },
  { from: "bob@wrong.example", answer: /^250 /, spf: "permerror", verdict: "tag" },
  { from: "bob@broken.example", answer: /^451 4\.4\.3 SPF: DNS did not answer about broken\.example/ },
  {
    from: "bob@good.example",
    header: "ceo@policy.example",
    answer: /^550 5\.7\.26 DMARC: neither SPF nor DKIM shows that this is mail of policy\.example$/,
  },
  {
    from: "bob@good.example",
    header: "ceo@suspect.example",
    answer: /^250 /,
    spf: "pass",
    verdict: "tag",
  },
  {
    from: "bob@good.example",
    header: "alice@forwarder.example",
    answer: /^250 /,
    spf: "pass",
    verdict: "tag",
  },
];

for (const { from, header = from, answer, spf, verdict } of ANSWERS) {
  test(`mail of ${from} with ${header} as its author is answered ${answer.source.slice(1, 12)}`, async (t) => {
    const { send, authenticated, hop } = await scene(t);
    assert.match(await send(from, message(header)), answer);
    assert.equal(hop.messages.length, verdict ? 1 : 0);
    if (verdict) {
      assert.equal(authenticated()?.spf, spf);
      assert.equal(authenticated()?.verdict, verdict);
    }
  });
}

test("a fail is told at RCPT without a DMARC record, and at the end of DATA with one", async (t) => {
  const { forwarder, send } = await scene(t);
  await send("bob@forged.example");
  await send("bob@signed.example");
  const stages = forwarder.events.flatMap((one) => (one.event === "refused" ? [one.stage] : []));
  assert.deepEqual(stages, ["rcpt", "data"]);
});

test("a good signature of the author's domain overrides a fail; a broken one does not", async (t) => {
  const { send, authenticated, header } = await scene(t);
  const signed = await SIGNER(Buffer.from(message("bob@signed.example")));
  assert.match(await send("bob@signed.example", signed), /^250 /);
  assert.deepEqual(authenticated()?.overridden, { fault: "spf-fail", by: "dkim" });
  assert.match(header(), /^Authentication-Results: mx\.forwarder\.example;/m);
  assert.match(header(), /X-Homing-Verdict: accepted; spf-fail-overridden-by-dkim/);
  const broken = Buffer.from(signed.toString("latin1").replace("Hello", "Pay me"), "latin1");
  assert.match(await send("bob@signed.example", broken), /^550 5\.7\.23 /);
});

test("what was found stands on top, above our Received field", async (t) => {
  const { send, header } = await scene(t);
  await send("bob@good.example");
  const names = header()
    .split("\r\n")
    .filter((line) => /^\S/.test(line))
    .map((line) => line.split(":")[0]);
  assert.deepEqual(names.slice(0, 3), ["Authentication-Results", "Received-SPF", "Received"]);
  assert.match(header(), /Received-SPF: pass .*receiver=mx\.forwarder\.example;/s);
  assert.match(header(), /spf=pass smtp\.mailfrom=bob@good\.example/);
});

test("fields that pretend to be our results are cut out, and nothing else is touched", async (t) => {
  const { send, hop } = await scene(t);
  const forged =
    "Authentication-Results: MX.forwarder.example 1;\r\n\tspf=pass smtp.mailfrom=ceo@bank.example\r\n";
  const other = "Authentication-Results: mx.other.example; spf=pass\r\n";
  const rest = message("bob@good.example");
  await send("bob@good.example", `${forged}${other}${forged}${rest}`);
  const arrived = hop.messages[0]?.toString("latin1") ?? "";
  assert.equal(arrived.endsWith(`${other}${rest}.\r\n`), true);
  assert.doesNotMatch(arrived, /bank\.example/);
});

test("in a week of tagOnly everything is taken, and the field says what would have been", async (t) => {
  const rules = { mode: "tagOnly" } as const;
  const { send, header, authenticated } = await scene(t, policy(rules));
  assert.match(await send("bob@forged.example"), /^250 /);
  assert.match(header(), /^X-Homing-Verdict: suspect; spf-fail; would-refuse/m);
  assert.equal(authenticated()?.would, "refuse");
  assert.match(await send("bob@broken.example"), /^250 /);
  assert.match(header(), /would-defer/);
});

test("mode off for a domain looks at nothing, and takes away what pretends to be ours", async (t) => {
  const { send, header, forwarder } = await scene(t, policy({ mode: "off" }));
  const forged = "Authentication-Results: mx.forwarder.example; spf=pass\r\nX-Homing-Verdict: accepted\r\n";
  assert.match(await send("bob@forged.example", forged + message("bob@forged.example")), /^250 /);
  assert.doesNotMatch(header(), /X-Homing-Verdict/);
  assert.doesNotMatch(header(), /Received-SPF|Authentication-Results/);
  assert.equal(
    forwarder.events.some(({ event }) => event === "authenticated"),
    false,
  );
});

test("our own networks are never checked", async (t) => {
  const { send, header } = await scene(t, {}, { trustedNetworks: ["127.0.0.1"] });
  assert.match(await send("bob@forged.example"), /^250 /);
  assert.doesNotMatch(header(), /Received-SPF|Authentication-Results/);
});

test("a bounce to an SRS address is taken whatever SPF says, and the log has it", async (t) => {
  const { send, forwarder } = await scene(t);
  const srs = forwarder.rewriter.forward({ localPart: "bob", domain: "good.example" }, NOW, {});
  assert.ok(srs.ok && srs.rewritten);
  const client = await greeted({ host: "127.0.0.1", port: forwarder.port });
  await client.ask("EHLO nobody.example");
  await client.ask("MAIL FROM:<>");
  assert.match(await client.ask(`RCPT TO:<${renderMailbox(srs.sender)}>`), /^250 /);
  client.socket.destroy();
  // With mail to an alias, the same client is refused: postmaster@nobody.example sends nothing (RFC 7208 §2.4).
  const other = await greeted({ host: "127.0.0.1", port: forwarder.port });
  await other.ask("EHLO nobody.example");
  await other.ask("MAIL FROM:<>");
  assert.match(await other.ask(`RCPT TO:<${ALICE}>`), /^550 5\.7\.23 /);
  other.socket.destroy();
  assert.match(await send("bob@good.example"), /^250 /);
});

test("recipients at the same time are for senders whom SPF names, and not for those whom everybody's does", async (t) => {
  const answers = async (from: string, state: Partial<InProcessOptions>): Promise<string> => {
    const { forwarder } = await scene(t, {}, state);
    const client = await greeted({ host: "127.0.0.1", port: forwarder.port });
    await client.ask("EHLO client.example");
    await client.ask(`MAIL FROM:<${from}>`);
    await client.ask(`RCPT TO:<${ALICE}>`);
    const answer = await client.ask("RCPT TO:<list@forwarder.example>");
    client.socket.destroy();
    return answer;
  };
  const folder = await mkdtemp(join(tmpdir(), "homing-authentication-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  assert.match(await answers("bob@soft.example", {}), /^452 4\.5\.3 /);
  assert.match(
    await answers("bob@everybody.example", { stateFolder: `${folder}/everybody` }),
    /^452 4\.5\.3 /,
  );
  assert.match(await answers("bob@good.example", { stateFolder: `${folder}/good` }), /^250 /);
});
