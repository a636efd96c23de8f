// Laws that hold for every sender, secret and option, looked for counterexamples by fast-check.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseDomain } from "./domain.ts";
import { type Mailbox, parseMailbox, renderMailbox } from "./mailbox.ts";
import { NULL_PATH, parseReversePath } from "./reverse-path.ts";
import { createRewriter } from "./rewriter.ts";
import { KEPT_LABEL } from "./sender-store.ts";
import { parseSrs } from "./srs-address.ts";
import { anyText, domains, mailboxes, memoryStore, rewriterOptions } from "./testing/arbitraries.ts";

const DAY = 86_400;
const clocks = fc.integer({ min: 0, max: 2 ** 34 });

test("what forward makes of a sender is an address for SMTP, and reverse brings the sender back", () => {
  const alias = fc.option(mailboxes, { nil: undefined });
  const days = fc.integer({ min: 0, max: 511 });
  const property = fc.property(
    mailboxes,
    rewriterOptions,
    fc.record({ alias, now: clocks, days, keeps: fc.boolean(), rotated: fc.boolean() }),
    (sender, options, { alias, now, days, keeps, rotated }) => {
      const store = keeps ? { store: memoryStore() } : {};
      const outcome = createRewriter({ ...options, ...store }).forward(sender, now, {
        ...(alias && { alias }),
      });
      if (!outcome.ok)
        return assert.equal(outcome.reason, sender.domain === KEPT_LABEL ? "bad-address" : "too-long");
      if (!outcome.rewritten) return assert.deepEqual(outcome.sender, sender);
      const wire = parseMailbox(renderMailbox(outcome.sender));
      assert.deepEqual(wire, { ok: true, mailbox: outcome.sender });
      const [local = ""] = renderMailbox(outcome.sender).split(/@(?=[^@]*$)/);
      assert.ok(Buffer.byteLength(local) <= 64);

      const secrets = rotated ? ["a newer secret than all", ...options.secrets] : options.secrets;
      const later = createRewriter({ ...options, ...store, secrets });
      const back = later.reverse(outcome.sender, now + Math.min(days, options.maxAgeDays ?? 21) * DAY);
      assert.ok(back.ok, JSON.stringify(back));
      assert.equal(renderMailbox(back.address), renderMailbox(bounceOf(sender, back.kind)));
      if (back.selector !== undefined && alias) {
        assert.equal(later.selectorsOf(alias)[back.secretIndex], back.selector);
      }
    },
  );
  fc.assert(property, { numRuns: 3000 });
});

/** SRS0 carries the sender itself; SRS1 the first forwarder, whose letters come back in upper case. */
function bounceOf(sender: Mailbox, kind: "srs0" | "srs1"): Mailbox {
  if (kind === "srs0") return sender;
  const [, host = "", rest = ""] = /^srs1[=+-][^=]+=([^=]+)=(.*)$/is.exec(sender.localPart) ?? [];
  if (host !== "") return { localPart: `SRS0${rest}`, domain: host };
  return { ...sender, localPart: `SRS0${sender.localPart.slice(4)}` };
}

test("a change of any one character of an address's fields is refused, up to case and alphabet", () => {
  const property = fc.property(
    mailboxes,
    // Shorter classic tags are right by chance once in a while.
    rewriterOptions.map((options) => ({ ...options, tagLength: 20, alwaysRewrite: true })),
    fc.record({
      now: clocks,
      at: fc.nat(),
      other: fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
    }),
    (sender, options, { now, at, other }) => {
      const rewriter = createRewriter(options);
      const outcome = rewriter.forward(sender, now);
      if (!outcome.ok || !outcome.rewritten) return;
      const { localPart } = outcome.sender;
      const index = 5 + (at % (localPart.length - 5));
      const changed = localPart.slice(0, index) + other + localPart.slice(index + 1);
      if (same(changed) === same(localPart) || same(changed).length !== same(localPart).length) return;
      const reversed = rewriter.reverse({ ...outcome.sender, localPart: changed }, now);
      assert.ok(!reversed.ok, `${localPart} and ${changed}`);
    },
  );
  fc.assert(property, { numRuns: 3000 });
});

/** Equal for texts that count as one: ASCII case, and in a tag the two alphabets. */
function same(localPart: string): string {
  const folded = localPart.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return folded.replace(/^(srs[01][=+-])([^=]*)/, (_, letters: string, tag: string) => {
    return letters + tag.replaceAll("-", "+").replaceAll("_", "/");
  });
}

test("the same change in every place of one address, each refused", () => {
  const senders = ["bob@origin.example", "SRS0=abcd=G3=origin.example=bob@first.example"];
  for (const scheme of ["strong", "classic"] as const) {
    const rewriter = createRewriter({ secrets: ["s"], domain: "f.example", scheme, tagLength: 20 });
    for (const sender of senders) {
      const parsed = parseMailbox(sender);
      assert.ok(parsed.ok);
      const outcome = rewriter.forward(parsed.mailbox, 1_700_000_000);
      if (!outcome.ok) continue;
      const { localPart, domain } = outcome.sender as Mailbox;
      for (let at = 5; at < localPart.length; at++) {
        for (const other of "x=+-_@ \0é7") {
          const changed = localPart.slice(0, at) + other + localPart.slice(at + 1);
          if (same(changed) === same(localPart)) continue;
          assert.equal(rewriter.reverse({ localPart: changed, domain }, 1_700_000_000).ok, false, changed);
        }
      }
    }
  }
});

test("no text of any kind makes a parser throw", () => {
  const property = fc.property(anyText, (text) => {
    parseMailbox(text);
    parseReversePath(text);
    parseDomain(text);
    parseSrs(text);
    parseSrs(`SRS0=${text}`);
    parseSrs(`srs1-${text}`);
  });
  fc.assert(property, { numRuns: 3000 });
});

test("no mailbox, however it was made, makes forward or reverse throw", () => {
  const anyMailbox = fc.record({
    localPart: fc.oneof(
      anyText,
      anyText.map((text) => `SRS0=${text}`),
      anyText.map((text) => `SRS1+a=b.example=${text}`),
    ),
    domain: fc.oneof(domains, anyText),
  });
  const property = fc.property(
    anyMailbox,
    mailboxes,
    rewriterOptions,
    fc.integer(),
    (address, alias, options, now) => {
      const accept = ["strong", "classic", "exim"] as const;
      const rewriter = createRewriter({ ...options, accept, store: memoryStore() });
      rewriter.forward(address, now, { alias });
      rewriter.reverse(address, now);
      rewriter.selectorsOf(alias);
    },
  );
  fc.assert(property, { numRuns: 3000 });
  const rewriter = createRewriter({ secrets: ["s"], domain: "f.example" });
  assert.ok(rewriter.forward(NULL_PATH, 0).ok);
});

test("a text of a megabyte is answered", () => {
  const rewriter = createRewriter({
    secrets: ["s"],
    domain: "f.example",
    accept: ["strong", "classic", "exim"],
  });
  for (const unit of ["a", "=", '"', "\\", "@", ".", "é", "SRS0=", "a@", "\0", "ü.", "SRS1=a=b=="]) {
    const text = unit.repeat(1_000_000 / unit.length);
    for (const whole of [text, `${text}@origin.example`, `bob@${text}`, `"${text}"@origin.example`]) {
      assert.equal(parseMailbox(whole).ok, false);
    }
    assert.equal(parseDomain(text).ok, false);
    for (const localPart of [text, `SRS0=${text}`, `SRS1=a=b.example==${text}`]) {
      const mailbox = { localPart, domain: "origin.example" };
      assert.equal(rewriter.forward(mailbox, 0).ok, false);
      assert.equal(rewriter.reverse(mailbox, 0).ok, false);
      assert.match(parseSrs(localPart).kind, /^(?:malformed|not-srs)$/);
    }
  }
});
