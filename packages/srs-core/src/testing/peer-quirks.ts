// Differences that are one peer's own: a bug, or a habit that no other program has. None of them is ours to follow.
import { asciiLower } from "../ascii.ts";
import { addressOf, domain, fields, inside, localPart, reason, rightTag } from "./comparison-facts.ts";
import type { Comparison } from "./comparisons.ts";
import {
  type DifferenceRule,
  differInQuotes,
  onlyTheyRefuse,
  onlyWeRefuse,
  unquoted,
} from "./difference-rule.ts";

/** A quirk has no answer of ours to give: it is the common one. */
export type PeerQuirk = Pick<DifferenceRule, "id" | "theirs"> & Required<Pick<DifferenceRule, "explains">>;

const oneOf = (comparison: Comparison, ...peers: readonly string[]) =>
  peers.some((name) => comparison.peer.startsWith(name));
const tagOf = (text: string) => fields(text).values[0] ?? "";

export const PEER_QUIRKS: readonly PeerQuirk[] = [
  {
    id: "unchanged-is-an-error",
    theirs: "PostSRSd answers `NOTFOUND` (1.10: `500`) for a sender that it leaves as it is.",
    explains: (c) =>
      c.op === "forward" &&
      oneOf(c, "postsrsd") &&
      unquoted(addressOf(c.ours) ?? "") === c.input &&
      /^(?:NOTFOUND Need not rewrite local domain\.|500 Already rewritten)$/.test(onlyTheyRefuse(c) ?? ""),
  },
  {
    id: "any-own-tag-is-own",
    theirs: "PostSRSd 1.10 leaves an SRS address of another domain as it is, if its own secret made the tag.",
    explains: (c) =>
      c.op === "forward" &&
      oneOf(c, "postsrsd-1") &&
      domain(c.input) !== c.options.domain &&
      fields(addressOf(c.ours) ?? "").kind !== undefined &&
      onlyTheyRefuse(c) === "500 Already rewritten",
  },
  {
    id: "srs1-doubled",
    theirs:
      "libsrs2 takes the tag of an `SRS1` address for its HOST, and doubles the rest; nobody can reverse that.",
    explains: (c) => {
      const given = fields(c.input);
      const made = fields(addressOf(c.theirs) ?? "");
      return (
        c.op === "forward" &&
        oneOf(c, "libsrs2") &&
        given.kind === "srs1" &&
        made.kind === "srs1" &&
        made.values[1] === given.values[0] &&
        (reason(c.ours) === "too-long" || fields(addressOf(c.ours) ?? "").values[1] === given.values[1])
      );
    },
  },
  {
    id: "bare-srs1",
    theirs: "libsrs2 and PostSRSd 2 refuse the sender `SRS1@domain`, which is an ordinary one.",
    explains: (c) =>
      c.op === "forward" && /^SRS1@/.test(c.input) && / in SRS1 address\.$/.test(onlyTheyRefuse(c) ?? ""),
  },
  {
    id: "exact-tag-length",
    theirs: "libsrs2 and Go refuse a right tag that is longer or shorter than configured, minimum or not.",
    explains: (c) =>
      c.op === "reverse" &&
      oneOf(c, "libsrs2", "go") &&
      addressOf(c.ours) === inside(c.input) &&
      /^Hash (?:invalid|too short) in SRS address/.test(onlyTheyRefuse(c) ?? "") &&
      tagOf(c.input).length !== (c.options.tagLength ?? 4),
  },
  {
    id: "case-counts",
    theirs: "Go wants `SRS0`, the tag and its own domain in the case in which it wrote them.",
    explains: (c) => {
      if (!oneOf(c, "go") || !("address" in c.ours)) return false;
      if (c.op === "reverse") {
        const folded =
          /^srs/.test(c.input) ||
          [asciiLower(tagOf(c.input)), tagOf(c.input).toUpperCase()].includes(tagOf(c.input));
        return (
          folded &&
          c.ours.address === inside(c.input) &&
          /^(?:Not an SRS address|Hash invalid in SRS address)/.test(onlyTheyRefuse(c) ?? "")
        );
      }
      if (/^(?:srs|Srs)/.test(c.input))
        return addressOf(c.theirs)?.includes(`=${localPart(c.input)}@`) === true;
      const own =
        domain(c.input) !== c.options.domain && asciiLower(domain(c.input)) === asciiLower(c.options.domain);
      return own && c.ours.address === c.input && "address" in c.theirs;
    },
  },
  {
    id: "stamp-without-a",
    theirs: "Go leaves the leading `A` of a stamp out: one character on 31 days of 1,024, none on one.",
    explains: (c) =>
      oneOf(c, "go") &&
      c.op === "forward" &&
      `A${fields(addressOf(c.theirs) ?? "").values[1] || "A"}` === fields(addressOf(c.ours) ?? "").values[1],
  },
  {
    id: "separator-lost",
    theirs:
      "Go writes `=` for the first forwarder's `+` or `-` when it wraps `SRS1` again; that forwarder refuses it then or not.",
    explains: (c) =>
      oneOf(c, "go") &&
      c.op === "forward" &&
      /^SRS1=[^=]+=[^=]+=[+-]/.test(c.input) &&
      addressOf(c.theirs) === addressOf(c.ours)?.replace(/^(SRS1=[^=]+=[^=]+=)[+-]/, "$1="),
  },
  {
    id: "folds-all-letters",
    theirs: "Go folds the case of letters above ASCII too, so its tags for them are its own.",
    explains: (c) => {
      const local = localPart(c.input);
      if (!oneOf(c, "go") || local.toLowerCase() === asciiLower(local)) return false;
      if (c.op === "reverse" && onlyWeRefuse(c, "bad-tag")) return !rightTag(c).startsWith(tagOf(c.input));
      const but = (text = "") => text.replace(/^(SRS[01]=)[^=]+/, "$1");
      return addressOf(c.ours) !== addressOf(c.theirs) && but(addressOf(c.ours)) === but(addressOf(c.theirs));
    },
  },
  {
    id: "quotes-put-back",
    theirs: "python-srs quotes what came in quotes, needed or not.",
    explains: (c) => oneOf(c, "pysrs") && c.op === "reverse" && c.input.startsWith('"') && differInQuotes(c),
  },
  {
    id: "backslashes-signed",
    theirs: "python-srs signs a local part without its quotes, but with its backslashes.",
    explains: (c) =>
      oneOf(c, "pysrs") && c.op === "reverse" && /^"SRS.*\\/.test(c.input) && onlyWeRefuse(c, "bad-tag"),
  },
  {
    id: "sender-in-lower-case",
    theirs: "Exim gives the sender back in lower case.",
    explains: (c) =>
      oneOf(c, "exim") &&
      c.op === "reverse" &&
      addressOf(c.theirs) !== addressOf(c.ours) &&
      addressOf(c.theirs) === asciiLower(addressOf(c.ours) ?? ""),
  },
  {
    id: "stamp-in-lower-case",
    theirs: "Exim reads its stamp in lower case only.",
    explains: (c) =>
      oneOf(c, "exim") &&
      /^SRS0=[0-9]{4}=[A-Z2-7]*[A-Z]/.test(c.input) &&
      addressOf(c.ours) === inside(c.input) &&
      onlyTheyRefuse(c) === "inbound_srs false",
  },
  {
    id: "utf8-does-not-return",
    theirs: "Exim does not verify its own address when the local part is not ASCII.",
    explains: (c) =>
      oneOf(c, "exim") && /[^\0-\x7f]/.test(localPart(c.input)) && onlyTheyRefuse(c) === "inbound_srs false",
  },
  {
    id: "quotes-signed",
    theirs:
      "Exim signs a quoted local part with its quotes, and writes it without them: our reader cannot tell.",
    explains: (c) =>
      oneOf(c, "exim") && c.op === "reverse" && c.input.startsWith('"') && onlyWeRefuse(c, "bad-tag"),
  },
];
