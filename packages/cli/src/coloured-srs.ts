// SRS addresses for a terminal: each field in its colour. Called by the story of `homing local` and by `homing inspect`.
import { parseMailbox, parseSrs, printable } from "@homing/srs-core";
import { paint, type Style } from "./output.ts";

export const SRS_STYLE = {
  tag: "magenta",
  stamp: "yellow",
  domain: "cyan",
  user: "green",
} as const satisfies Record<string, Style>;

/** An SRS address with its parts in colour; any other address as it is. */
export function colouredSrs(address: string): string {
  const parsed = parseMailbox(address);
  if (!parsed.ok) return printable(address);
  const srs = parseSrs(parsed.mailbox.localPart);
  if (srs.kind !== "srs0" && srs.kind !== "srs1") return address;
  const separator = parsed.mailbox.localPart.slice(0, 5);
  const tag = paint(SRS_STYLE.tag, srs.tag);
  const fields =
    srs.kind === "srs0"
      ? [
          tag,
          paint(SRS_STYLE.stamp, srs.stamp),
          paint(SRS_STYLE.domain, srs.domain),
          paint(SRS_STYLE.user, srs.user),
        ]
      : [tag, paint(SRS_STYLE.domain, srs.host), paint(SRS_STYLE.user, srs.rest)];
  return `${separator}${fields.join("=")}@${parsed.mailbox.domain}`;
}
