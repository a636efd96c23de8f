import assert from "node:assert/strict";
import { test } from "node:test";
import type { SpfAnswer } from "@homing/spf";
import {
  type Circumstances,
  contentVerdict,
  isSenderSigned,
  isSenderVerified,
  isSettledBySpf,
  mayBeRefusedNext,
  spfVerdict,
  type Verdict,
} from "./policy.ts";
import type { AuthenticationResults, DkimResult, DmarcResult } from "./results.ts";
import { AUTHENTICATION_POLICY, type AuthenticationPolicy } from "./settings.ts";

const NOWHERE: Circumstances = {
  isTrustedForwarder: false,
  mayBeTrustedForwarder: false,
  isFromOurs: false,
  isOurSender: false,
  isUnknownClient: false,
  isNullSender: false,
};

function spf(result: SpfAnswer["result"], more: Partial<SpfAnswer> = {}): SpfAnswer {
  return {
    result,
    identity: "mailfrom",
    domain: "sender.example",
    sender: "alice@sender.example",
    path: [],
    namesNobody: false,
    passesEverybody: false,
    lookups: 0,
    voidLookups: 0,
    trace: [],
    ...more,
  };
}

function signature(result: DkimResult["result"], domain = "sender.example", isAligned = true): DkimResult {
  return { result, domain, selector: "s", algorithm: "rsa-sha256", signature: "abcd", isAligned };
}

interface Found {
  readonly spf?: SpfAnswer;
  readonly dkim?: readonly DkimResult[];
  readonly dmarc?: DmarcResult["result"];
  readonly asks?: DmarcResult["policy"];
  readonly from?: string;
}

function found({ spf: answer = spf("pass"), dkim = [], dmarc = "none", asks = "none", from }: Found) {
  const domain = from ?? "sender.example";
  return {
    spf: answer,
    content: {
      dkim,
      headerFrom: domain === "" ? { kind: "several", domains: [] } : { kind: "domain", domain },
      dmarc: { result: dmarc, policy: asks, domain },
      arc: { result: "none", seals: [], instance: 0 },
    },
  } satisfies AuthenticationResults;
}

const RCPT: readonly [result: SpfAnswer["result"], action: Verdict["action"]][] = [
  ["pass", "accept"],
  ["fail", "refuse"],
  ["softfail", "accept"],
  ["neutral", "accept"],
  ["none", "accept"],
  ["temperror", "defer"],
  ["permerror", "tag"],
];
for (const [result, action] of RCPT) {
  test(`SPF ${result} is to ${action} by default`, () => {
    assert.equal(spfVerdict(AUTHENTICATION_POLICY, spf(result)).action, action);
  });
}

test("in a week of tagOnly nothing is refused or deferred, and the verdict says what would have been", () => {
  const policy: AuthenticationPolicy = { ...AUTHENTICATION_POLICY, mode: "tagOnly" };
  assert.deepEqual(spfVerdict(policy, spf("fail")), { action: "tag", fault: "spf-fail", would: "refuse" });
  assert.deepEqual(spfVerdict(policy, spf("temperror")), {
    action: "tag",
    fault: "spf-temperror",
    would: "defer",
  });
  const forged = found({ spf: spf("none"), dmarc: "fail", asks: "reject" });
  assert.equal(contentVerdict(policy, forged, NOWHERE).would, "refuse");
});

test("a fail is settled at RCPT where no signature counts: without DMARC, or for a domain that sends no mail", () => {
  assert.equal(isSettledBySpf(spf("fail"), false), true);
  assert.equal(isSettledBySpf(spf("fail"), true), false);
  assert.equal(isSettledBySpf(spf("fail", { namesNobody: true }), true), true);
});

interface Case {
  readonly name: string;
  readonly found: Found;
  readonly circumstances?: Partial<Circumstances>;
  readonly policy?: Partial<AuthenticationPolicy>;
  readonly is: Partial<Verdict>;
}

const fail = spf("fail");
const CASES: readonly Case[] = [
  { name: "all is well", found: {}, is: { action: "accept" } },
  { name: "SPF fail, no signature", found: { spf: fail }, is: { action: "refuse", fault: "spf-fail" } },
  {
    name: "SPF fail, and a good signature of the author's domain",
    found: { spf: fail, dkim: [signature("pass")], dmarc: "pass" },
    is: { action: "accept", overridden: { fault: "spf-fail", by: "dkim" } },
  },
  {
    name: "SPF fail, and a good signature of somebody else",
    found: { spf: fail, dkim: [signature("pass", "spammer.example", false)] },
    is: { action: "refuse", fault: "spf-fail" },
  },
  {
    name: "SPF fail, and a signature that is broken",
    found: { spf: fail, dkim: [signature("fail")] },
    is: { action: "refuse", fault: "spf-fail" },
  },
  {
    name: "SPF fail, and the key of the author's signature cannot be had",
    found: { spf: fail, dkim: [signature("temperror")] },
    is: { action: "defer", fault: "no-answer" },
  },
  {
    name: "SPF fail, and the key of somebody else's signature cannot be had",
    found: { spf: fail, dkim: [signature("temperror", "other.example", false)] },
    is: { action: "refuse", fault: "spf-fail" },
  },
  {
    name: "SPF fail from a trusted forwarder",
    found: { spf: fail, dmarc: "fail", asks: "reject" },
    circumstances: { isTrustedForwarder: true },
    is: { action: "accept", overridden: { fault: "spf-fail", by: "trusted-forwarder" } },
  },
  {
    name: "SPF fail, and a chain with a trusted sealer cannot be checked",
    found: { spf: fail },
    circumstances: { mayBeTrustedForwarder: true },
    is: { action: "defer", fault: "no-answer" },
  },
  {
    name: "SPF pass of the spammer's own domain under another's From, which asks for reject",
    found: {
      spf: spf("pass", { domain: "spammer.example" }),
      dmarc: "fail",
      asks: "reject",
      from: "bank.example",
    },
    is: { action: "refuse", fault: "dmarc-reject" },
  },
  {
    name: "the same, which asks for quarantine",
    found: { spf: spf("pass", { domain: "spammer.example" }), dmarc: "fail", asks: "quarantine" },
    is: { action: "tag", fault: "dmarc-quarantine" },
  },
  {
    name: "the same, which asks for nothing",
    found: { spf: spf("pass", { domain: "spammer.example" }), dmarc: "fail", asks: "none" },
    is: { action: "accept" },
  },
  {
    name: "the DMARC record cannot be had, and nothing is aligned",
    found: { spf: spf("pass", { domain: "other.example" }), dmarc: "temperror" },
    is: { action: "defer", fault: "no-answer" },
  },
  {
    name: "the DMARC record cannot be had, and SPF is of the very domain",
    found: { spf: spf("pass"), dmarc: "temperror" },
    is: { action: "accept" },
  },
  {
    name: "the DMARC record cannot be had, and SPF is of a domain below: the record may ask for the very one",
    found: { spf: spf("pass", { domain: "bounces.sender.example" }), dmarc: "temperror" },
    is: { action: "defer", fault: "no-answer" },
  },
  {
    name: "quarantine is asked for, and the key of the author's signature cannot be had",
    found: { dmarc: "fail", asks: "quarantine", dkim: [signature("temperror")] },
    is: { action: "defer", fault: "no-answer" },
  },
  {
    name: "SPF fail of an SRS address of ours that came round",
    found: { spf: fail },
    circumstances: { isOurSender: true },
    is: { action: "accept" },
  },
  {
    name: "the DMARC record cannot be had, and a signature is aligned",
    found: { spf: spf("none"), dkim: [signature("pass")], dmarc: "temperror" },
    is: { action: "accept" },
  },
  {
    name: "several authors at several domains",
    found: { spf: spf("pass"), dmarc: "permerror", from: "" },
    is: { action: "refuse", fault: "dmarc-unclear" },
  },
  {
    name: "no author that can be read, of an automatic answer",
    found: { spf: spf("pass"), dmarc: "permerror", from: "" },
    circumstances: { isNullSender: true },
    is: { action: "tag", fault: "dmarc-unclear" },
  },
  {
    name: "nobody knows who came to a relay, and a domain without SPF is refused",
    found: { spf: spf("none") },
    policy: { spf: { ...AUTHENTICATION_POLICY.spf, none: "refuse" } },
    circumstances: { isUnknownClient: true },
    is: { action: "accept" },
  },
  {
    name: "a DMARC record that is wrong",
    found: { spf: spf("pass"), dmarc: "permerror" },
    is: { action: "accept" },
  },
  {
    name: "permerror of SPF is tagged, and DMARC reject is harder",
    found: { spf: spf("permerror"), dmarc: "fail", asks: "reject" },
    is: { action: "refuse", fault: "dmarc-reject" },
  },
  {
    name: "permerror of SPF under a good signature",
    found: { spf: spf("permerror"), dkim: [signature("pass")], dmarc: "pass" },
    is: { action: "accept", overridden: { fault: "spf-permerror", by: "dkim" } },
  },
  {
    name: "our own domain in the From, from outside",
    found: { spf: spf("pass", { domain: "other.example" }), from: "ours.example" },
    circumstances: { isFromOurs: true },
    is: { action: "tag", fault: "own-domain" },
  },
  {
    name: "our own domain in the From, with our signature",
    found: { spf: spf("none"), dkim: [signature("pass", "ours.example")], from: "ours.example" },
    circumstances: { isFromOurs: true },
    is: { action: "accept" },
  },
  {
    name: "a domain whose policy refuses softfail",
    found: { spf: spf("softfail") },
    policy: { spf: { ...AUTHENTICATION_POLICY.spf, softfail: "refuse" } },
    is: { action: "refuse", fault: "spf-softfail" },
  },
];
for (const { name, found: what, circumstances, policy, is } of CASES) {
  test(`at the end of DATA: ${name}: ${is.action}`, () => {
    const verdict = contentVerdict({ ...AUTHENTICATION_POLICY, ...policy }, found(what), {
      ...NOWHERE,
      ...circumstances,
    });
    assert.equal(verdict.action, is.action);
    if (is.action !== "accept") assert.equal(verdict.fault, is.fault);
    assert.deepEqual(verdict.overridden, is.overridden);
  });
}

test("a sender is verified by a pass of MAIL FROM that not everybody gets", () => {
  assert.equal(isSenderVerified(spf("pass")), true);
  assert.equal(isSenderVerified(spf("pass", { passesEverybody: true })), false);
  assert.equal(isSenderVerified(spf("pass", { identity: "helo" })), false);
  assert.equal(isSenderVerified(spf("softfail")), false);
});

test("a sender is verified by a signature of the reverse-path's domain or one above it, unless SPF fails", () => {
  const signed = (domain: string, answer: SpfAnswer = spf("none")) =>
    isSenderSigned(found({ spf: answer, dkim: [signature("pass", domain, false)] }), "mail.sender.example");
  assert.equal(signed("mail.sender.example"), true);
  assert.equal(signed("sender.example"), true);
  assert.equal(signed("other.mail.sender.example"), false);
  assert.equal(signed("ender.example"), false);
  assert.equal(signed("mail.sender.example", fail), false);
});

test("the next hop may refuse what has DMARC's pass by SPF alone", () => {
  assert.equal(mayBeRefusedNext(found({ dmarc: "pass", asks: "reject" })), true);
  assert.equal(mayBeRefusedNext(found({ dmarc: "pass", asks: "reject", dkim: [signature("pass")] })), false);
  assert.equal(mayBeRefusedNext(found({ dmarc: "none" })), false);
});
