// docs/srs.md is enough for a second implementation: one that was written from it makes the same addresses.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Mailbox, renderMailbox } from "./mailbox.ts";
import { createRewriter } from "./rewriter.ts";
import { KEPT_LABEL } from "./sender-store.ts";
import { parseSrs } from "./srs-address.ts";
import { domains, localParts, mailboxes, memoryStore } from "./testing/arbitraries.ts";
import { selectorOf, srs0, srs1, stampOf, tokenOf } from "./testing/strong-scheme.ts";

const cases = fc.record({
  secret: fc.string({ unit: "grapheme", minLength: 1, maxLength: 100 }),
  separator: fc.constantFrom("=" as const, "+" as const, "-" as const),
  sender: mailboxes,
  alias: fc.option(mailboxes, { nil: undefined }),
  now: fc.integer({ min: 0, max: 2 ** 34 }),
});

test("the strong scheme as docs/srs.md has it gives every address that forward makes, kept senders too", () => {
  const met = { srs0: 0, srs1: 0, kept: 0, selected: 0 };
  const property = fc.property(cases, ({ secret, separator, sender, alias, now }) => {
    const options = { secrets: [secret], domain: "f.example", separator, store: memoryStore() };
    const rewriter = createRewriter(options);
    const outcome = rewriter.forward(sender, now, { ...(alias && { alias }) });
    if (!outcome.ok || !outcome.rewritten) return;
    const made = parseSrs(outcome.sender.localPart);
    assert.ok(made.kind === "srs0" || made.kind === "srs1");
    const selector = made.tag.length === 14 && alias ? selectorOf(secret, renderMailbox(alias)) : "";
    const common = { secret, separator, srsDomain: "f.example", selector };
    met[made.kind] += 1;
    if (made.kind === "srs1") {
      return assert.equal(renderMailbox(outcome.sender), srs1(common, made.host, made.rest));
    }
    if (selector !== "") met.selected += 1;
    const kept = made.domain === "1";
    if (kept) met.kept += 1;
    const [domain, user] = kept
      ? ["1", tokenOf(secret, renderMailbox(sender))]
      : [sender.domain, sender.localPart];
    assert.equal(renderMailbox(outcome.sender), srs0(common, stampOf(now), domain, user));
  });
  fc.assert(property, { numRuns: 3000 });
  assert.ok(
    Object.values(met).every((count) => count > 50),
    JSON.stringify(met),
  );
});

test("what the second implementation forges is reversed here, with its selector", () => {
  const property = fc.property(
    cases,
    localParts,
    domains,
    ({ secret, separator, alias, now }, user, domain) => {
      const sender: Mailbox = { localPart: user, domain };
      const selector = alias ? selectorOf(secret, renderMailbox(alias)) : "";
      const address = srs0(
        { secret, separator, srsDomain: "f.example", selector },
        stampOf(now),
        domain,
        user,
      );
      const at = address.lastIndexOf("@");
      const local = address.startsWith('"')
        ? address.slice(1, at - 1).replace(/\\(.)/gs, "$1")
        : address.slice(0, at);
      const rewriter = createRewriter({
        secrets: ["a newer secret", secret],
        domain: "f.example",
        separator,
      });
      fc.pre(secret !== "a newer secret" && Buffer.byteLength(local) <= 254);
      const outcome = rewriter.reverse({ localPart: local, domain: "f.example" }, now);
      if (domain === KEPT_LABEL) return assert.equal(!outcome.ok && outcome.reason, "expired");
      assert.ok(outcome.ok, JSON.stringify(outcome));
      assert.deepEqual(outcome.address, sender);
      assert.deepEqual([outcome.secretIndex, outcome.selector], [1, selector === "" ? undefined : selector]);
    },
  );
  fc.assert(property, { numRuns: 1000 });
});
