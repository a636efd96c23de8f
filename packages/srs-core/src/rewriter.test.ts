import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Mailbox, parseMailbox, renderMailbox } from "./mailbox.ts";
import { NULL_PATH } from "./reverse-path.ts";
import { createRewriter, type Rewriter } from "./rewriter.ts";
import type { RewriterOptions } from "./rewriter-options.ts";

const NOW = 1_700_000_000; // stamp G3
const DAY = 86_400;
const SECRET = "vector secret / public 1";

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

function rewriter(options: Partial<RewriterOptions> = {}): Rewriter {
  return createRewriter({ secrets: [SECRET], domain: "fwd1.example", scheme: "classic", ...options });
}

function forward(from: Rewriter, sender: string, now = NOW): string {
  const outcome = from.forward(mailbox(sender), now);
  assert.ok(outcome.ok && outcome.sender !== NULL_PATH, JSON.stringify(outcome));
  return renderMailbox(outcome.sender);
}

function reverse(by: Rewriter, address: string, now = NOW): string {
  const outcome = by.reverse(mailbox(address), now);
  return outcome.ok ? renderMailbox(outcome.address) : outcome.reason;
}

// Observed outputs of Mail::SRS 0.31 (and of libsrs2 and PostSRSd) with this secret at this time.
test("classic addresses are byte for byte those of Mail::SRS, over three hops and back", () => {
  const first = rewriter();
  const second = rewriter({ domain: "relay-two.example" });
  const third = rewriter({ domain: "third.hop.example" });
  const one = forward(first, "x@y.z");
  const two = forward(second, one);
  const three = forward(third, two);
  assert.equal(one, "SRS0=64Ym=G3=y.z=x@fwd1.example");
  assert.equal(two, "SRS1=2MBd=fwd1.example==64Ym=G3=y.z=x@relay-two.example");
  assert.equal(
    three,
    "SRS1=2MBd=fwd1.example==64Ym=G3=y.z=x@third.hop.example",
    "the third hop adds nothing",
  );
  assert.equal(reverse(third, three), one, "a bounce to the third hop goes straight to the first forwarder");
  assert.equal(reverse(first, one), "x@y.z");
});

test("a strong tag has eight lower-case base32 characters, and survives a change of case of the whole address", () => {
  const strong = rewriter({ scheme: "strong" });
  const address = forward(strong, "Bob.Smith@Origin.Example");
  assert.match(address, /^SRS0=[a-z2-7]{8}=G3=Origin\.Example=Bob\.Smith@fwd1\.example$/);
  assert.equal(reverse(strong, address), "Bob.Smith@Origin.Example");
  assert.equal(reverse(strong, address.toLowerCase()), "bob.smith@origin.example");
  assert.equal(reverse(strong, address.toUpperCase()), "BOB.SMITH@ORIGIN.EXAMPLE");
});

test("the strong tag is the one that docs/srs.md specifies", () => {
  assert.equal(
    forward(
      rewriter({ scheme: "strong", secrets: ["a long random secret"], domain: "forwarder.example" }),
      "bob@origin.example",
    ),
    "SRS0=k5jjmthi=G3=origin.example=bob@forwarder.example",
  );
});

test("the tag covers the border between domain and user, unlike the classic one", () => {
  const strong = rewriter({ scheme: "strong" });
  const tag = (text: string) => text.split("=")[1];
  assert.notEqual(tag(forward(strong, "c@ab.example")), tag(forward(strong, "examplec@ab")));
});

test("every scheme and separator brings every sender back that it forges", () => {
  const localPart = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => !/[\p{Cc}\ufffd]/u.test(text));
  const domain = fc.domain({ size: "small" });
  const scheme = fc.constantFrom("strong" as const, "classic" as const);
  const separator = fc.constantFrom("=" as const, "+" as const, "-" as const);
  fc.assert(
    fc.property(localPart, domain, scheme, separator, (localPart, domain, scheme, separator) => {
      const by = rewriter({ scheme, separator });
      const outcome = by.forward({ localPart, domain }, NOW);
      if (!outcome.ok) return;
      assert.ok(outcome.rewritten);
      const wire = renderMailbox(outcome.sender);
      assert.equal(wire.match(/[=+-]/)?.[0], separator);
      const back = by.reverse(mailbox(wire), NOW);
      assert.deepEqual(back.ok && back.address, { localPart, domain });
    }),
  );
});

test("a change of any one character of tag, stamp, domain or user is refused", () => {
  for (const scheme of ["strong", "classic"] as const) {
    const by = rewriter({ scheme });
    const { localPart } = mailbox(forward(by, "bob@origin.example"));
    for (let at = 5; at < localPart.length; at++) {
      const old = localPart.charAt(at);
      if (old === "=") continue;
      const other = old.toLowerCase() === "x" ? "y" : "x";
      const changed = localPart.slice(0, at) + other + localPart.slice(at + 1);
      const outcome = by.reverse({ localPart: changed, domain: "fwd1.example" }, NOW);
      assert.equal(outcome.ok, false, changed);
    }
  }
});

test("an expired tag is refused though its HMAC is right, on the 22nd day and not before", () => {
  const by = rewriter();
  const address = forward(by, "bob@origin.example");
  assert.equal(reverse(by, address, NOW + 21 * DAY), "bob@origin.example");
  assert.equal(reverse(by, address, NOW + 22 * DAY), "expired");
  assert.equal(reverse(by, address, NOW - DAY), "future");
  assert.equal(reverse(by, address, NOW + 1024 * DAY), "bob@origin.example", "the ten bits of a stamp wrap");
});

test("who cannot sign learns nothing from the date", () => {
  assert.equal(reverse(rewriter(), "SRS0=aaaa=AA=origin.example=bob@fwd1.example"), "bad-tag");
});

test("an older secret verifies and no longer signs", () => {
  const old = forward(rewriter({ secrets: ["old secret"] }), "bob@origin.example");
  const outcome = rewriter({ secrets: ["new secret", "old secret"] }).reverse(mailbox(old), NOW);
  assert.equal(outcome.ok && outcome.secretIndex, 1);
  assert.equal(reverse(rewriter({ secrets: ["new secret"] }), old), "bad-tag");
});

test("both base64 alphabets verify, whichever is written", () => {
  const plain = rewriter({ tagLength: 27 });
  const url = rewriter({ tagLength: 27, alphabet: "base64url" });
  const senders = Array.from({ length: 40 }, (_, i) => `user${i}@origin.example`);
  assert.ok(senders.some((sender) => forward(plain, sender) !== forward(url, sender)));
  for (const sender of senders) {
    assert.equal(reverse(plain, forward(url, sender)), sender);
    assert.equal(reverse(url, forward(plain, sender)), sender);
  }
});

test("a tag shorter than the minimum is refused though its characters are right", () => {
  const long = rewriter({ tagLength: 8 });
  const address = forward(long, "bob@origin.example");
  const short = address.replace(/^(SRS0=.{4}).{4}/, "$1");
  assert.equal(reverse(long, short), "bad-tag");
  assert.equal(reverse(rewriter({ tagLength: 8, minTagLength: 4 }), short), "bob@origin.example");
});

test("a strong rewriter takes no classic tag unless told to, and a migration verifies both", () => {
  const classic = forward(rewriter(), "bob@origin.example");
  const strong = rewriter({ scheme: "strong" });
  assert.equal(reverse(strong, classic), "bad-tag");
  const both = rewriter({ scheme: "strong", accept: ["strong", "classic"] });
  assert.equal(reverse(both, classic), "bob@origin.example");
  assert.equal(reverse(both, forward(strong, "bob@origin.example")), "bob@origin.example");
});

test("the null sender, own domains and own SRS addresses stay as they are", () => {
  const by = rewriter({ ownDomains: ["Sister.Example"] });
  assert.deepEqual(by.forward(NULL_PATH, NOW), {
    ok: true,
    rewritten: false,
    sender: NULL_PATH,
    why: "null-sender",
  });
  for (const sender of ["bob@fwd1.example", "bob@SISTER.example", "SRS0=64Ym=G3=y.z=x@fwd1.example"]) {
    assert.equal(forward(by, sender), sender);
  }
  const always = rewriter({ alwaysRewrite: true });
  assert.match(forward(always, "bob@fwd1.example"), /^SRS0=/);
  assert.equal(forward(always, "SRS0=64Ym=G3=y.z=x@fwd1.example"), "SRS0=64Ym=G3=y.z=x@fwd1.example");
});

test("what does not fit is too long, never forged wrong", () => {
  const outcome = rewriter().forward(mailbox(`${"l".repeat(60)}@origin.example`), NOW);
  assert.deepEqual(outcome, {
    ok: false,
    reason: "too-long",
    octets: 88,
    limit: 64,
    message: "the rewritten local part would have 88 octets, the limit is 64",
  });
});

const notReversed: [address: string, reason: string][] = [
  ["bob@fwd1.example", "not-srs"],
  ["SRS0@fwd1.example", "not-srs"],
  ["SRS2=a=b=c=d@fwd1.example", "not-srs"],
  ["SRS0=@fwd1.example", "malformed"],
  ["SRS0=64Ym=G3=y.z@fwd1.example", "malformed"],
  ["SRS0=64Ym=G3==x@fwd1.example", "malformed"],
  ["SRS0=64Ym=AG3=y.z=x@fwd1.example", "malformed"],
  ["SRS0=64Ym=G=y.z=x@fwd1.example", "malformed"],
  ["SRS1=2MBd=host@fwd1.example", "malformed"],
  ["SRS1=2MBd=host=x@fwd1.example", "malformed"],
  ["SRS1=2MBd==rest@fwd1.example", "malformed"],
];
for (const [address, reason] of notReversed) {
  test(`reversing ${address} answers ${reason}`, () => assert.equal(reverse(rewriter(), address), reason));
}

test("SRS-like text that is no SRS1 is carried as an ordinary sender, so nothing is lost", () => {
  const by = rewriter();
  for (const sender of ["SRS1=odd@origin.example", "SRS0x@origin.example"]) {
    const address = forward(by, sender);
    assert.match(address, /^SRS0=/);
    assert.equal(reverse(by, address), sender);
  }
});

test("no local part makes reverse throw", () => {
  const by = rewriter({ scheme: "strong", accept: ["strong", "classic"] });
  const hostile = fc.tuple(
    fc.constantFrom("SRS0=", "SRS1+", "srs0-", ""),
    fc.string({ unit: "binary", maxLength: 200 }),
  );
  fc.assert(
    fc.property(hostile, ([prefix, rest]) => {
      by.reverse({ localPart: prefix + rest, domain: "fwd1.example" }, NOW);
    }),
  );
});

test("contradicting options are refused when the rewriter is made", () => {
  for (const options of [
    { secrets: [] },
    { secrets: [""] },
    { domain: "no domain" },
    { maxAgeDays: 512 },
    { maxAgeDays: 1.5 },
    { tagLength: 0 },
    { tagLength: 28 },
    { tagLength: 4, minTagLength: 5 },
  ]) {
    assert.throws(() => rewriter(options), /secrets|domain|maxAgeDays|tagLength|minTagLength/);
  }
});

const notOptions: [options: object, error: string][] = [
  [{ separator: "." }, 'RangeError: separator: "." is none of = + -'],
  [{ separator: "==" }, 'RangeError: separator: "==" is none of = + -'],
  [{ scheme: "bogus" }, 'RangeError: scheme: "bogus" is none of strong classic'],
  [{ scheme: "exim" }, 'RangeError: scheme: "exim" is none of strong classic'],
  [{ scheme: "constructor" }, 'RangeError: scheme: "constructor" is none of strong classic'],
  [{ accept: [] }, "RangeError: accept: at least one scheme is needed"],
  [{ accept: ["strong", "bogus"] }, 'RangeError: accept: "bogus" is none of strong classic exim'],
  [{ accept: "strong" }, "TypeError: accept: a list of schemes is needed"],
  [{ alphabet: "zz" }, 'RangeError: alphabet: "zz" is none of base64 base64url'],
  [{ domain: "1" }, 'RangeError: domain: "1" is the label of kept senders'],
  [{ domain: undefined }, "TypeError: domain: a text is needed"],
  [{ secrets: "a long random secret" }, "TypeError: secrets: a list of texts is needed, newest first"],
  [{ secrets: [7] }, "TypeError: secrets: a list of texts is needed, newest first"],
];
for (const [options, error] of notOptions) {
  test(`JavaScript may pass anything: ${JSON.stringify(options)} is refused when the rewriter is made`, () => {
    assert.throws(
      () => rewriter(options as Partial<RewriterOptions>),
      (thrown) => String(thrown) === error,
    );
  });
}
