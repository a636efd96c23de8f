// What we call an SRS address, and what may be configured, where others take more or less: rows of docs/srs.md.
import { addressOf, comesFromInside, fields, isHostName, reason, rightTag } from "./comparison-facts.ts";
import type { Comparison } from "./comparisons.ts";
import {
  type DifferenceRule,
  forwards,
  onlyTheyRefuse,
  onlyWeRefuse,
  reverses,
  unquoted,
} from "./difference-rule.ts";

const oneOf = (comparison: Comparison, ...peers: readonly string[]) =>
  peers.some((name) => comparison.peer.startsWith(name));

export const RULES_OF_SRS: readonly DifferenceRule[] = [
  {
    id: "empty-field",
    theirs: "Read empty DOMAIN, USER and HOST, if the tag is right, and give `user@` or `@domain` back.",
    ours: "`malformed`",
    why: "No such address exists, so none was signed by us.",
    examples: [
      reverses("SRS0=jC5G=G3==user@fwd1.example", "malformed"),
      reverses("SRS0=zNzB=G3=host.example=@fwd1.example", "malformed"),
      reverses("SRS1=Bvnd===abcd=AA=h.example=u@fwd1.example", "malformed"),
    ],
    explains: (c) =>
      c.op === "reverse" &&
      onlyWeRefuse(c, "malformed") &&
      fields(c.input).values.some((value) => value === ""),
  },
  {
    id: "stamp-form",
    theirs:
      "Read stamps of any length, if the tag is right, and Mail::SRS takes what is no base32 for an `A`. PostSRSd wants two characters.",
    ours: "`malformed` unless two base32 characters.",
    why: "A stamp of one address has one form.",
    examples: [
      reverses("SRS0=4yOL=AG3=y.z=x@fwd1.example", "malformed"),
      reverses("SRS0=64Ym=3=y.z=x@fwd1.example", "malformed"),
      reverses("SRS0=64Ym=G9=y.z=x@fwd1.example", "malformed"),
    ],
    explains: (c) =>
      c.op === "reverse" &&
      onlyWeRefuse(c, "malformed") &&
      fields(c.input).kind === "srs0" &&
      !/^[a-z2-7]{2}$/i.test(fields(c.input).values[1] ?? ""),
  },
  {
    id: "srs1-rest",
    theirs: "Read any REST, if the tag is right, and give back what is no SRS address: `SRS0abcd=…`.",
    ours: "`malformed` unless REST begins with a separator and goes on.",
    why: "The first forwarder could not take it back.",
    examples: [
      reverses("SRS1=RDPb=g.example=abcd=AA=h.example=u@fwd1.example", "malformed"),
      reverses("SRS1=gKaC=g.example=_x@fwd1.example", "malformed"),
      reverses("SRS1=ZS3b=g.example==@fwd1.example", "malformed"),
    ],
    explains: (c) => {
      const { kind, values } = fields(c.input);
      return (
        c.op === "reverse" &&
        onlyWeRefuse(c, "malformed") &&
        kind === "srs1" &&
        !/^[=+-]./.test(values[2] ?? "")
      );
    },
  },
  {
    id: "malformed-srs1",
    theirs: "Sign whatever follows `SRS1`, also where a field is missing or empty.",
    ours: "Carry it as any other sender, in `SRS0`, so that it comes back as it was.",
    why: "As `SRS1` it would lead a bounce to nobody.",
    examples: [
      forwards("SRS1=odd@f.example", "SRS0=Fv6O=G3=f.example=SRS1=odd@fwd1.example"),
      forwards(
        "SRS1=g.example==abcd=AA=h.example=u@f.example",
        "SRS0=j88a=G3=f.example=SRS1=g.example==abcd=AA=h.example=u@fwd1.example",
      ),
    ],
    explains: (c) => {
      const { kind, values } = fields(c.input);
      const [tag, host, rest = ""] = values;
      if (c.op !== "forward" || kind !== "srs1" || (tag && isHostName(host ?? "") && /^[=+-]./.test(rest)))
        return false;
      const refusedByGo = oneOf(c, "go") && / in SRS1? address$/.test(onlyTheyRefuse(c) ?? "");
      if (!refusedByGo && fields(addressOf(c.theirs) ?? "").kind !== "srs1") return false;
      return carriedInSrs0(c);
    },
  },
  {
    id: "empty-rest",
    theirs: "Wrap `SRS0=` with nothing behind it.",
    ours: "Carry it in `SRS0`.",
    why: "As `SRS1` its REST would be a separator alone, which is `malformed` on the way back.",
    examples: [forwards("SRS0=@f.example", "SRS0=lLBo=G3=f.example=SRS0=@fwd1.example")],
    explains: (c) =>
      c.op === "forward" &&
      /^SRS0[=+-]@/i.test(c.input) &&
      fields(addressOf(c.theirs) ?? "").kind === "srs1" &&
      carriedInSrs0(c),
  },
  {
    id: "base64url-read",
    theirs: "Refuse `-` and `_` in a tag. PostSRSd reads both alphabets, and since 2.2.6 writes base64url.",
    ours: "Read both.",
    why: "Otherwise one address in eight that a PostSRSd made would not come back.",
    examples: [
      reverses(
        "SRS0=-Mzt=G3=notifications.example.com=noreply@fwd1.example",
        "noreply@notifications.example.com",
      ),
    ],
    explains: (c) =>
      c.op === "reverse" &&
      onlyTheyRefuse(c) !== undefined &&
      comesFromInside(unquoted(addressOf(c.ours) ?? ""), c.input) &&
      /[-_]/.test(fields(c.input).values[0] ?? ""),
  },
  {
    id: "empty-secret",
    theirs: "Sign with it.",
    ours: "Refused when the rewriter is made.",
    why: "Everybody knows that secret.",
    examples: [],
    explains: (c) => onlyWeRefuse(c, "bad-option") && c.options.secrets.includes(""),
  },
  {
    id: "domain-not-address",
    theirs: "Take an address as the forwarder, and use what follows its `@`.",
    ours: "Refused when the rewriter is made.",
    why: "The SRS domain is a domain; an address there is a mistake in a configuration.",
    examples: [],
    explains: (c) => onlyWeRefuse(c, "bad-option") && c.options.domain.includes("@"),
  },
  {
    id: "own-srs",
    theirs: "With `AlwaysRewrite`, wrap their own address as `SRS1` of themselves.",
    ours: "Leave it as it is.",
    why: "It would grow, and nothing is gained.",
    examples: [forwards("SRS0=64Ym=G3=y.z=x@fwd1.example", "SRS0=64Ym=G3=y.z=x@fwd1.example")],
    explains: (c) =>
      c.op === "forward" &&
      c.options.alwaysRewrite === true &&
      fields(c.input).kind !== undefined &&
      unquoted(addressOf(c.ours) ?? "") === unquoted(c.input) &&
      fields(addressOf(c.theirs) ?? "").kind === "srs1",
  },
  {
    id: "tag-whole",
    theirs: "PostSRSd compares as many characters as it writes and ignores the rest.",
    ours: "Every character of the tag must be right.",
    why: "An address has one form, and a longer tag is worth its length.",
    examples: [
      reverses("SRS0=64YmX=G3=y.z=x@fwd1.example", "bad-tag"),
      reverses("SRS0=64Ym2=G3=y.z=x@fwd1.example", "x@y.z"),
    ],
    explains: (c) =>
      c.op === "reverse" &&
      oneOf(c, "postsrsd") &&
      onlyWeRefuse(c, "bad-tag") &&
      (fields(c.input).values[0]?.length ?? 0) > (c.options.tagLength ?? 4) &&
      !rightTag(c).startsWith(fields(c.input).values[0] ?? ""),
  },
];

/** We carry the whole sender in SRS0, or it is too long for that. */
function carriedInSrs0({ input, options, ours }: Comparison): boolean {
  const length = "SRS0==G3==".length + (options.tagLength ?? 4) + Buffer.byteLength(input.replace("@", ""));
  return reason(ours) === "too-long" ? length > 64 : fields(addressOf(ours) ?? "").kind === "srs0";
}
