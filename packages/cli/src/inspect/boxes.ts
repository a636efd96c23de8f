// An inspection as nested boxes: each hop holds the address that it was made from. Open to the right, since addresses
// are longer than terminals are wide, and are copied from there. Called by `homing inspect`.
import { printable } from "@homing/srs-core";
import { colouredSrs, SRS_STYLE } from "../coloured-srs.ts";
import { paint } from "../output.ts";
import type { Hop, Inspection, Srs0Hop, Srs1Hop, StampFinding, TagFinding } from "./inspection.ts";

const WIDTH = 72;
const LABEL_WIDTH = 10;

/** The lines of the drawing. */
export function drawBoxes({ hops, sender }: Inspection): string[] {
  return box(hops, sender, WIDTH);
}

function box(hops: readonly Hop[], sender: string | null, width: number): string[] {
  const [hop, ...inner] = hops;
  if (!hop) return sender === null ? [] : framed("original sender", [paint(SRS_STYLE.user, sender)], width);
  return framed(title(hop), [...facts(hop), ...box(inner, sender, width - 2)], width);
}

function framed(name: string, lines: readonly string[], width: number): string[] {
  const rule = (start: string, length: number): string =>
    paint("dim", start + "─".repeat(Math.max(length, 2)));
  return [
    `${paint("dim", "┌─")} ${paint("bold", name)} ${rule("", width - name.length - 4)}`,
    ...lines.map((line) => `${paint("dim", "│")} ${line}`),
    rule("└", width - 1),
  ];
}

function title(hop: Hop): string {
  const kind = hop.kind === "malformed" ? "not readable" : hop.kind.toUpperCase();
  return `${kind} at ${hop.forwarder}`;
}

function facts(hop: Hop): string[] {
  const lines = [fact("address", colouredSrs(hop.address))];
  if (hop.kind === "malformed") lines.push(fact("problem", paint("red", hop.message)));
  else lines.push(...fields(hop));
  const { octets, limit } = hop.localPart;
  const size = `${octets} of ${limit} octets before the @`;
  lines.push(fact("length", octets > limit ? paint("red", `${size}: servers may refuse it`) : size));
  lines.push(fact("bounce", bounceWords(hop)));
  return lines;
}

function fields(hop: Srs0Hop | Srs1Hop): string[] {
  const tag = fact("tag", `${paint(SRS_STYLE.tag, hop.tag.text)}  ${tagWords(hop.tag, hop.forwarder)}`);
  const alias = selectorWords(hop.tag);
  if (hop.kind === "srs1") {
    return [
      tag,
      ...alias,
      fact("host", `${paint(SRS_STYLE.domain, printable(hop.host))}, the first forwarder`),
    ];
  }
  const domain = paint(SRS_STYLE.domain, printable(hop.domain));
  const user = paint(SRS_STYLE.user, printable(hop.user));
  return [
    tag,
    ...alias,
    ...stampWords(hop.stamp),
    fact("host", hop.kept ? `${domain}, which stands for a sender that the forwarder keeps` : domain),
    fact("user", hop.kept ? `${user}, the token of that sender` : user),
  ];
}

function selectorWords(tag: TagFinding): string[] {
  if (tag.verdict === "wrong" || tag.selector === undefined) return [];
  const sure = tag.verdict === "ok" ? "" : ", if Homing made this tag";
  return [fact("alias", `selector ${tag.selector}: of the alias that was written to${sure}`)];
}

function tagWords(tag: TagFinding, forwarder: string): string {
  if (tag.verdict === "wrong") {
    return paint("red", "wrong: none of the secrets made it, or the address was changed");
  }
  if (tag.verdict === "unverifiable") {
    const why =
      tag.why === "no-secret"
        ? "no secret given (--secrets FILE)"
        : `${forwarder} has a secret of its own, or it was changed`;
    return paint("yellow", `not verified: ${why}`);
  }
  const which = tag.secretIndex === 0 ? "the newest" : `number ${tag.secretIndex + 1}`;
  const line = tag.secretLine === undefined ? "secret" : `secret on line ${tag.secretLine}`;
  return paint("green", `ok: ${tag.scheme}, ${line} (${which})`);
}

function stampWords(stamp: StampFinding): string[] {
  const text = paint(SRS_STYLE.stamp, stamp.text);
  return [
    fact("stamp", `${text}  ${stamp.date} UTC, ${stateWords(stamp)}`),
    fact("", paint("dim", `or ${stamp.before}, 1,024 days before: ten bits wrap`)),
  ];
}

function stateWords({ state, ageDays, daysLeft }: StampFinding): string {
  if (state === "future") return paint("red", `${days(-ageDays)} ahead of today: from the future`);
  const age = ageDays === 0 ? "today" : `${days(ageDays)} ago`;
  if (state === "expired") return paint("red", `${age}: expired ${days(-daysLeft)} ago`);
  return paint("green", `${age}: ${daysLeft === 0 ? "its last day" : `${days(daysLeft)} left`}`);
}

function bounceWords(hop: Hop): string {
  const { bounce, forwarder } = hop;
  if (bounce.answer === "refused") return paint("red", `would be refused: ${REFUSED[bounce.reason]}`);
  const to = bounce.to === null ? "the sender that is kept under this token" : bounce.to;
  if (bounce.answer === "accepted") return `would go to ${to}`;
  return `would go to ${to}, if ${forwarder} finds the tag good`;
}

const REFUSED = {
  "not-srs": "not an SRS address",
  malformed: "its fields are not those of an SRS address",
  "bad-tag": "the tag is wrong",
  expired: "it is too old",
  future: "it is dated in the future",
} as const;

function fact(label: string, text: string): string {
  return `${label.padEnd(LABEL_WIDTH)}${text}`;
}

function days(count: number): string {
  return count === 1 ? "1 day" : `${count} days`;
}
