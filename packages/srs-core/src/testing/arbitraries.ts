// Random senders and options, as fast-check makes them: everything that forward may be given. Called by property tests.
import fc from "fast-check";
import { type Mailbox, parseMailbox, renderMailbox } from "../mailbox.ts";
import type { RewriterOptions } from "../rewriter-options.ts";
import type { SenderStore } from "../sender-store.ts";

const ATOM = [..."abcxyzABCXYZ0123456789!#$%&'*+-/=?^_`{|}~"];
const atom = fc.string({ unit: fc.constantFrom(...ATOM), minLength: 1, maxLength: 12 });
const fit = (text: string) => !/[\p{Cc}�]/u.test(text);

export const localParts: fc.Arbitrary<string> = fc.oneof(
  atom,
  fc.tuple(atom, atom).map((atoms) => atoms.join(".")),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter(fit),
  // What only quotes can carry.
  fc.string({ unit: fc.constantFrom(...'ab "\\@.,;:<>()[]='), minLength: 1, maxLength: 16 }),
  // What looks like SRS, and often is.
  fc
    .tuple(
      fc.constantFrom("SRS0", "SRS1", "srs0", "srs1", "Srs1", "SRS2"),
      fc.constantFrom("=", "+", "-", "_", ""),
      fc.array(fc.oneof(atom, fc.constantFrom("", "host.example", "G3", "=", "+x")), { maxLength: 6 }),
    )
    .map(([letters, separator, parts]) => letters + separator + parts.join("=")),
  fc.string({ unit: fc.constantFrom("l", "ñ"), minLength: 30, maxLength: 70 }),
);

export const domains: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.domain({ size: "small" }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom("Origin.Example", "a_b.example", "single", "xn--bcher-kva.example"),
  },
  { weight: 1, arbitrary: fc.constantFrom("[192.0.2.1]", "[IPv6:2001:db8::1]", "1", "7") },
);

/** Only what parseMailbox gives: a mailbox made by hand may be anything. */
export const mailboxes: fc.Arbitrary<Mailbox> = fc
  .record({ localPart: localParts, domain: domains })
  .filter((mailbox) => parseMailbox(renderMailbox(mailbox)).ok);

/** Text of any kind, lone surrogates and control characters among it. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: fc.constantFrom(...'SRSsrs01=+-@"\\. \r\n\0aG3\ud800\udc00é'), maxLength: 120 }),
  fc.uint8Array({ maxLength: 300 }).map((octets) => Buffer.from(octets).toString("latin1")),
);

export const rewriterOptions: fc.Arbitrary<RewriterOptions> = fc.record({
  secrets: fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 80 }), {
    minLength: 1,
    maxLength: 3,
  }),
  domain: fc.constantFrom("forwarder.example", "Fwd.Example", "f.example"),
  scheme: fc.constantFrom("strong" as const, "classic" as const),
  separator: fc.constantFrom("=" as const, "+" as const, "-" as const),
  tagLength: fc.integer({ min: 1, max: 27 }),
  alphabet: fc.constantFrom("base64" as const, "base64url" as const),
  maxAgeDays: fc.integer({ min: 0, max: 511 }),
  alwaysRewrite: fc.boolean(),
});

export function memoryStore(): SenderStore {
  const kept = new Map<string, Mailbox>();
  return {
    keep(token, sender) {
      kept.set(token, sender);
      return true;
    },
    find: (token) => kept.get(token),
  };
}
