import assert from "node:assert/strict";
import { test } from "node:test";
import { createBounceGate } from "@homing/bounce-handler";
import { SPF_ACTIONS, type SpfResolver } from "@homing/spf";
import { createRewriter, type Mailbox, renderReversePath } from "@homing/srs-core";
import { createSenderChecks, type RefusedSender, type SenderChecksOptions } from "./create-sender-checks.ts";

const NOW = 1_700_000_000;
const rewriter = createRewriter({ secrets: ["a long random secret"], domain: "forwarder.example" });
const ALICE: Mailbox = { localPart: "alice", domain: "ours.example" };
const ASKED = {
  client: "192.0.2.1",
  helo: "mail.origin.example",
  sender: "bob@fail.example",
  recipient: ALICE,
};

const RECORDS: Readonly<Record<string, string>> = {
  "pass.example": "v=spf1 ip4:192.0.2.0/24 -all",
  "fail.example": "v=spf1 ip4:198.51.100.0/24 -all exp=why.fail.example",
  "nobody.example": "v=spf1 -all",
  "softfail.example": "v=spf1 ~all",
  "wrong.example": "v=spf1 moo",
  "forwarder.example": "v=spf1 ip4:203.0.113.1 -all",
  "why.fail.example": "call us",
};

function checksWith(options: Partial<SenderChecksOptions> = {}) {
  const asked: string[] = [];
  const none = () => ({ kind: "no-such-name" }) as const;
  const resolver: SpfResolver = {
    async txt(name) {
      asked.push(name);
      const record = RECORDS[name];
      if (name === "temp.example") return { kind: "failed", cause: "SERVFAIL" };
      return record === undefined ? none() : { kind: "records", records: [record] };
    },
    ...{ a: none, aaaa: none, mx: none, ptr: none },
  };
  const checks = createSenderChecks({
    resolver,
    hostname: "mx.ours.example",
    now: () => NOW,
    timeLimit: () => new AbortController().signal,
    actionsFor: () => ({ mode: "enforce", spf: SPF_ACTIONS }),
    isTrustedClient: (address) => address === "203.0.113.9",
    trustOf: async () => "not-trusted",
    ...options,
  });
  return { checks, asked };
}

const RESULTS: readonly [sender: string, action: string, reply?: RegExp][] = [
  ["bob@pass.example", "accept"],
  ["bob@softfail.example", "accept"],
  ["bob@wrong.example", "tag"],
  ["bob@temp.example", "defer", /^451 4\.4\.3 SPF: DNS did not answer about temp\.example, try again later$/],
  [
    "bob@fail.example",
    "refuse",
    /^550 5\.7\.23 SPF: fail\.example does not let 192\.0\.2\.1 send its mail\. fail\.example explains: call us$/,
  ],
];
for (const [sender, action, reply] of RESULTS) {
  test(`${sender} is to ${action}, and has its field`, async () => {
    const verdict = await checksWith().checks.check({ ...ASKED, sender });
    assert.equal(verdict?.action, action);
    assert.match(
      verdict.field,
      new RegExp(`^Received-SPF: ${verdict.answer.result} \\(mx\\.ours\\.example: `),
    );
    const said = verdict.reply && `${verdict.reply.code} ${verdict.reply.enhanced} ${verdict.reply.text}`;
    if (reply) assert.match(said ?? "", reply);
    else assert.equal(said, undefined);
  });
}

test("our own networks are not checked, and DNS is not asked", async () => {
  const { checks, asked } = checksWith();
  assert.equal(await checks.check({ ...ASKED, client: "203.0.113.9" }), undefined);
  assert.deepEqual(asked, []);
});

test("what is no address is none of our networks, and nobody can say anything about it", async () => {
  const { checks } = checksWith({
    isTrustedClient() {
      throw new Error("not an address");
    },
  });
  assert.equal((await checks.check({ ...ASKED, client: "unknown" }))?.answer.result, "none");
});

test("each domain has its settings, and a domain where nobody is checked asks nothing", async () => {
  const { checks, asked } = checksWith({
    actionsFor: (domain) =>
      domain === "off.example"
        ? { mode: "off", spf: SPF_ACTIONS }
        : { mode: "enforce", spf: { ...SPF_ACTIONS, fail: domain === undefined ? "defer" : "tag" } },
  });
  const of = (domain: string) => checks.check({ ...ASKED, recipient: { localPart: "x", domain } });
  assert.equal(await of("off.example"), undefined);
  assert.deepEqual(asked, []);
  assert.equal((await of("ours.example"))?.action, "tag");
  assert.equal((await checks.check({ ...ASKED, recipient: undefined }))?.action, "defer");
});

test("in mode tagOnly the verdict says what it would have been", async () => {
  const { checks } = checksWith({ actionsFor: () => ({ mode: "tagOnly", spf: SPF_ACTIONS }) });
  const verdict = await checks.check(ASKED);
  assert.equal(verdict?.action, "tag");
  assert.equal(verdict.would, "refuse");
  assert.equal(verdict.reply, undefined);
});

test("postmaster hears of everybody but those whose domain sends no mail", async () => {
  const { checks } = checksWith();
  const recipient: Mailbox = { localPart: "PostMaster", domain: "ours.example" };
  assert.equal((await checks.check({ ...ASKED, recipient }))?.action, "tag");
  const nobody = await checks.check({ ...ASKED, sender: "bob@nobody.example", recipient });
  assert.equal(nobody?.action, "refuse");
});

test("a trusted forwarder is let through, and one that DNS does not confirm now comes again", async () => {
  const trusted = await checksWith({ trustOf: async () => "trusted" }).checks.check(ASKED);
  assert.deepEqual(
    [trusted?.action, trusted?.isTrustedForwarder, trusted?.reply],
    ["accept", true, undefined],
  );
  const unknown = await checksWith({ trustOf: async () => "unknown" }).checks.check(ASKED);
  assert.equal(unknown?.action, "defer");
  assert.equal(unknown.reply?.code, 451);
  assert.equal(unknown.reply.enhanced, "4.7.23");
});

test("who is let in is not asked about", async () => {
  const { checks } = checksWith({
    async trustOf() {
      throw new Error("asked");
    },
  });
  assert.equal((await checks.check({ ...ASKED, sender: "bob@pass.example" }))?.action, "accept");
});

test("the reply has the link of the page that says why", async () => {
  const facts: RefusedSender[] = [];
  const { checks } = checksWith({
    whyUrl(fact) {
      facts.push(fact);
      return "https://mx.ours.example/why?x";
    },
  });
  const verdict = await checks.check(ASKED);
  assert.match(verdict?.reply?.text ?? "", /explains: call us\. See https:\/\/mx\.ours\.example\/why\?x$/);
  const { spf, ...rest } = facts[0] ?? {};
  assert.deepEqual(rest, {
    fault: "spf-fail",
    action: "refuse",
    at: NOW,
    client: "192.0.2.1",
    helo: "mail.origin.example",
    sender: "bob@fail.example",
  });
  assert.equal(spf?.mechanism, "-all");
});

test("an SRS address of ours as sender is let in with a good tag alone", async () => {
  const gate = createBounceGate(() => rewriter, { mustWait: () => false, failed: () => {} });
  const { checks } = checksWith({ gate });
  const made = rewriter.forward({ localPart: "bob", domain: "origin.example" }, NOW);
  assert.ok(made.ok);
  const good = renderReversePath(made.sender);
  assert.equal((await checks.check({ ...ASKED, sender: good }))?.action, "accept");
  const forged = good.replace(/=[^=]+=/, "=aaaaaaaa=");
  assert.equal((await checks.check({ ...ASKED, sender: forged }))?.action, "refuse");
});

test("the same question is asked once while it is under way, and anew behind its answer", async () => {
  const { checks, asked } = checksWith();
  const sender = "bob@pass.example";
  await Promise.all([1, 2, 3].map(() => checks.check({ ...ASKED, sender })));
  assert.deepEqual(asked, ["pass.example"]);
  await checks.check({ ...ASKED, sender });
  assert.deepEqual(asked, ["pass.example", "pass.example"]);
});

test("another client, HELO or sender is another question", async () => {
  const { checks, asked } = checksWith();
  const sender = "bob@pass.example";
  const others = [{}, { client: "192.0.2.2" }, { helo: "x.example" }, { sender: "eve@pass.example" }];
  await Promise.all(others.map((other) => checks.check({ ...ASKED, sender, ...other })));
  assert.equal(asked.length, 4);
});

test("a question that broke is asked anew", async () => {
  let isBroken = true;
  const { checks } = checksWith({
    timeLimit() {
      if (isBroken) throw new Error("broken");
      return new AbortController().signal;
    },
  });
  await assert.rejects(checks.check(ASKED), /broken/);
  isBroken = false;
  assert.equal((await checks.check(ASKED))?.action, "refuse");
});
