// What we call an address, where others take more: rows of the table in docs/srs.md.
import { domainToASCII } from "node:url";
import { isAscii } from "../ascii.ts";
import {
  addressOf,
  carriedDomain,
  comesFromInside,
  domain,
  isHostName,
  localPart,
  tooLong,
  wrappedOctets,
} from "./comparison-facts.ts";
import type { Comparison } from "./comparisons.ts";
import {
  type DifferenceRule,
  differInQuotes,
  forwards,
  onlyWeRefuse,
  reverses,
  unquoted,
} from "./difference-rule.ts";

const INVALID_OUTSIDE_QUOTES = "RFC 5321 §4.1.2; the next hop refuses it, and the mail is lost";

export const RULES_OF_ADDRESSES: readonly DifferenceRule[] = [
  {
    id: "quoted-sender",
    theirs:
      "Put the quotes into the middle of the local part, which is no address. python-srs puts them outside, Go drops them.",
    ours: "Sign the decoded local part, and quote the whole where it needs quotes.",
    why: "It must be valid for RFC 5321 and come back as it was.",
    examples: [forwards('"a b"@example.com', '"SRS0=gBPf=G3=example.com=a b"@fwd1.example')],
    explains: (c) =>
      c.op === "forward" &&
      /^"(?:[^"\\]|\\.)+"@[^@]+$/.test(c.input) &&
      (addressOf(c.ours) === c.input || /^"?SRS[01][=+-]/.test(addressOf(c.ours) ?? "")) &&
      addressOf(c.ours) !== addressOf(c.theirs),
  },
  {
    id: "quoted-srs",
    theirs: "Not an SRS address. python-srs, Go and Exim read it.",
    ours: "Read, as any quoted local part is.",
    why: "The quotes are no part of the name (RFC 5321 §4.1.2), and some MTA puts them there.",
    examples: [reverses('"SRS0=64Ym=G3=y.z=x"@fwd1.example', "x@y.z")],
    explains: (c) =>
      c.op === "reverse" &&
      /^"SRS[01][=+-][^"\\]+"@[^@]+$/i.test(c.input) &&
      comesFromInside(unquoted(addressOf(c.ours) ?? ""), c.input) &&
      addressOf(c.theirs) === undefined,
  },
  {
    id: "needless-quotes",
    theirs: "Leave quotes that change nothing.",
    ours: "Write the same address without them.",
    why: "One address has one form here.",
    examples: [reverses('"SRS0=RkqK=G3=gmail.com=user1"@fwd1.example', "user1@gmail.com")],
    explains: (c) => differInQuotes(c) && !/["\\]/.test(addressOf(c.ours) ?? '"'),
  },
  {
    id: "stray-quote",
    theirs: "Take it.",
    ours: "`bad-address`",
    why: INVALID_OUTSIDE_QUOTES,
    examples: [
      forwards('a."b".c@example.com', "bad-address"),
      reverses('SRS0=c4f1=G3=example.com="a b"@fwd1.example', "bad-address"),
    ],
    explains: (c) =>
      onlyWeRefuse(c, "bad-address") && c.input.includes('"') && !/^"(?:[^"\\]|\\.)+"@[^"]*$/.test(c.input),
  },
  {
    id: "several-at",
    theirs:
      "Mail::SRS refuses it as a sender and takes it in an SRS address; libsrs2 and PostSRSd split a sender at the first, python-srs at the last.",
    ours: "`bad-address`, unless quoted.",
    why: "Whoever splits elsewhere sees another address.",
    examples: [
      forwards("a@b@example.com", "bad-address"),
      forwards('"a@b"@example.com', '"SRS0=G5Oo=G3=example.com=a@b"@fwd1.example'),
    ],
    explains: (c) => onlyWeRefuse(c, "bad-address") && /^[^"]*@.*@/.test(c.input),
  },
  {
    id: "space",
    theirs: "Take spaces anywhere, at the end of an SRS address too.",
    ours: "`bad-address`, unless quoted.",
    why: INVALID_OUTSIDE_QUOTES,
    examples: [
      forwards("alice @example.com", "bad-address"),
      forwards("alice@example.com (comment)", "bad-address"),
      reverses("SRS0=64Ym=G3=y.z=x@fwd1.example ", "bad-address"),
    ],
    explains: (c) => onlyWeRefuse(c, "bad-address") && /^[^"@]*(?:@[^"@]*)? /.test(c.input),
  },
  {
    id: "angle-brackets",
    theirs: "Embed them, or refuse. Go takes them off.",
    ours: "`bad-address`",
    why: "They belong to the SMTP command. Inside an address they end the path early.",
    examples: [
      forwards("<alice@example.com>", "bad-address"),
      reverses("<SRS0=64Ym=G3=y.z=x@fwd1.example>", "bad-address"),
    ],
    explains: (c) => onlyWeRefuse(c, "bad-address") && /^[^"]*[<>]/.test(c.input),
  },
  {
    id: "specials",
    theirs: "Take `( ) , : ; [ ] \\` anywhere.",
    ours: "`bad-address`, unless quoted.",
    why: INVALID_OUTSIDE_QUOTES,
    examples: [
      forwards("a(b)@example.com", "bad-address"),
      forwards('"a(b)"@example.com', '"SRS0=X1nL=G3=example.com=a(b)"@fwd1.example'),
    ],
    explains: (c) => onlyWeRefuse(c, "bad-address") && /^[^"@]*[(),:;[\]\\]/.test(c.input),
  },
  {
    id: "control-characters",
    theirs: "Embed them.",
    ours: "`bad-address`, quoted or not.",
    why: "CR and LF would end the SMTP command; what follows is the attacker's next one.",
    explains: (c) => onlyWeRefuse(c, "bad-address") && /\p{Cc}/u.test(c.input),
    examples: [
      forwards("alice\tb@example.com", "bad-address"),
      forwards('"alice\r\nDATA"@example.com', "bad-address"),
    ],
  },
  {
    id: "no-local-part",
    theirs: "Forge an address with an empty USER, and give `@domain` back.",
    ours: "`bad-address`",
    why: "No such address exists.",
    examples: [forwards("@example.com", "bad-address")],
    explains: (c) => onlyWeRefuse(c, "bad-address") && c.input.startsWith("@"),
  },
  {
    id: "no-domain",
    theirs:
      "libsrs2 and PostSRSd read an SRS address with no `@`, or with nothing behind it; libsrs2, PostSRSd and python-srs forge from `user@`.",
    ours: "`bad-address`",
    why: "No SMTP path looks so.",
    examples: [
      forwards("user@", "bad-address"),
      reverses("SRS0=64Ym=G3=y.z=x", "bad-address"),
      reverses("SRS0=64Ym=G3=y.z=x@", "bad-address"),
    ],
    explains: (c) =>
      onlyWeRefuse(c, "bad-address") && /^[^"]*[^@"]@?$/.test(c.input) && /^[^@]+@?$/.test(c.input),
  },
  {
    id: "equals-in-domain",
    theirs: "Forge an address that nobody can read back, themselves included.",
    ours: "`bad-address`",
    why: "The parser ends DOMAIN at the first `=`.",
    examples: [forwards("u@a=b.example", "bad-address")],
    explains: (c) => onlyWeRefuse(c, "bad-address") && /^[^"@]+@[^@]*=[^@]*$/.test(c.input),
  },
  {
    id: "not-a-domain",
    theirs: "Take anything as a domain: empty labels, a dot or a hyphen at the edge.",
    ours: "`bad-address` for a sender; `malformed` when such a domain comes out of an SRS address.",
    why: "A bounce could not be sent there.",
    examples: [
      forwards("u@..", "bad-address"),
      forwards("u@example.com.", "bad-address"),
      forwards("u@-example.com", "bad-address"),
      reverses("SRS0=cq56=G3=example.com.=u@fwd1.example", "malformed"),
    ],
    explains: (c) =>
      c.op !== "wrap" &&
      onlyWeRefuse(c, "bad-address", "malformed") &&
      [domain(c.input), carriedDomain(c)].some(isNoDomain),
  },
  {
    id: "address-literal",
    theirs: "Put the brackets into the local part without quotes. Go refuses literals.",
    ours: "Quote the local part that holds one, and read it only quoted.",
    why: INVALID_OUTSIDE_QUOTES,
    examples: [
      forwards("u@[192.0.2.1]", '"SRS0=9YTf=G3=[192.0.2.1]=u"@fwd1.example'),
      reverses('"SRS0=9YTf=G3=[192.0.2.1]=u"@fwd1.example', "u@[192.0.2.1]"),
      reverses("SRS0=9YTf=G3=[192.0.2.1]=u@fwd1.example", "bad-address"),
    ],
    explains: (c) => {
      if (onlyWeRefuse(c, "bad-address")) return /^[^"]*\[(?:ipv6:)?[0-9a-f:.]+\][^"]*@[^@]+$/i.test(c.input);
      return (
        /^[^"]+@\[(?:ipv6:)?[0-9a-f:.]+\]$/i.test(c.input) && (differInQuotes(c) || "refused" in c.theirs)
      );
    },
  },
  {
    id: "odd-dots",
    theirs: "Leave dots at the edges and in a row as they are. Go refuses them.",
    ours: "Read them, as they are in use; write the local part quoted.",
    why: INVALID_OUTSIDE_QUOTES,
    examples: [
      reverses("SRS0=J2oY=G3=example.com=.user@fwd1.example", '".user"@example.com'),
      forwards("a..b@example.com", '"SRS0=vF2l=G3=example.com=a..b"@fwd1.example'),
    ],
    explains: (c) => {
      const oddDots = (text: string) => /^\.|\.\.|\.$/.test(text);
      if (oddDots(localPart(c.input)) && addressOf(c.theirs) === undefined) return c.peer.startsWith("go");
      return differInQuotes(c) && oddDots(localPart(addressOf(c.ours) ?? "").replace(/^"|"$/g, ""));
    },
  },
  {
    id: "u-label",
    theirs: "Sign the domain as it stands, and give it back so.",
    ours: "Turn U-labels into A-labels before signing, and those that another program signed when they come back.",
    why: "Hops write either, and only one of them can be signed. DNS and old MTAs know the A-label.",
    examples: [
      forwards("u@münchen.example", "SRS0=xeWp=G3=xn--mnchen-3ya.example=u@fwd1.example"),
      reverses("SRS0=rw3j=G3=münchen.example=u@fwd1.example", "u@xn--mnchen-3ya.example"),
    ],
    explains: (c) => {
      const [ours = "", theirs = ""] = [addressOf(c.ours), addressOf(c.theirs)];
      if (theirs.includes("xn--")) return false;
      if (c.op === "reverse")
        return domainToASCII(domain(theirs)) === domain(ours) && domain(ours) !== domain(theirs);
      return !isAscii(domain(c.input)) && /=xn--[^=]*=/.test(ours);
    },
  },
  {
    id: "kept-label",
    theirs: "Treat `1` as any other domain. PostSRSd with a database keeps senders under it.",
    ours: "Keep the label for kept senders: refused on its way out, and without a store `expired` on its way back.",
    why: "No top level domain is a number, so no sender has this one, and a token is nobody's mailbox.",
    examples: [forwards("u@1", "bad-address"), reverses("SRS0=gE2G=G3=1=u@fwd1.example", "expired")],
    explains: (c) => carriedDomain(c) === "1" && onlyWeRefuse(c, "bad-address", "expired"),
  },
  {
    id: "too-long",
    theirs: "Check nothing. PostSRSd refuses beyond about 512 octets, Exim and OpenSMTPD beyond 255.",
    ours: "`too-long` for a local part over 64 octets or an address over 254; `bad-address` for such an input.",
    why: "RFC 5321 §4.5.3.1: a next hop may refuse it, and then the mail is lost without a bounce.",
    examples: [
      forwards(`${"l".repeat(60)}@example.com`, "too-long"),
      forwards(`${"l".repeat(250)}@example.com`, "bad-address"),
    ],
    explains: (c) => {
      if (onlyWeRefuse(c, "bad-address")) return Buffer.byteLength(c.input) > 254;
      if (!onlyWeRefuse(c, "too-long") || c.op === "reverse") return false;
      // A wrap shows what came back; with us nothing went out.
      return c.op === "wrap" ? wrappedOctets(c.input, 8) > 64 : rewrittenTooLong(c);
    },
  },
];

function isNoDomain(name: string): boolean {
  return /^[!-~]+$/.test(name) && !isHostName(name) && !/^\[(?:ipv6:)?[0-9a-f:.]+\]$/i.test(name);
}

const DOT_STRING = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;

/** Theirs, as long as it would be with A-labels and quotes. */
function rewrittenTooLong(comparison: Comparison): boolean {
  const theirs = addressOf(comparison.theirs) ?? "";
  const sender = domain(comparison.input);
  const wire = isAscii(sender) ? theirs : theirs.replace(sender, domainToASCII(sender));
  return tooLong(DOT_STRING.test(localPart(wire)) || !isAscii(localPart(wire)) ? wire : `""${wire}`);
}
