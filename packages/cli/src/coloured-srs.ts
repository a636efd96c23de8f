// SRS addresses for a terminal: each field in its colour. Called by the story of `homing local` and by `homing inspect`.
import { parseMailbox, parseSrs, printable, renderMailbox } from "@homing/srs-core";
import { paint, type Style } from "./output.ts";

export const SRS_STYLE = {
  tag: "magenta",
  stamp: "yellow",
  domain: "cyan",
  user: "green",
} as const satisfies Record<string, Style>;

/** An SRS address with its parts in colour, quotes and backslashes as they were; any other address as it is. */
export function colouredSrs(address: string): string {
  const parsed = parseMailbox(address);
  if (!parsed.ok) return printable(address);
  const srs = parseSrs(parsed.mailbox.localPart);
  if (srs.kind !== "srs0" && srs.kind !== "srs1") return address;
  const quote = renderMailbox(parsed.mailbox).startsWith('"') ? '"' : "";
  const painted = (style: Style, field: string): string =>
    paint(style, quote === "" ? field : field.replace(/["\\]/g, "\\$&"));
  const tag = painted(SRS_STYLE.tag, srs.tag);
  const fields =
    srs.kind === "srs0"
      ? [
          tag,
          painted(SRS_STYLE.stamp, srs.stamp),
          painted(SRS_STYLE.domain, srs.domain),
          painted(SRS_STYLE.user, srs.user),
        ]
      : [tag, painted(SRS_STYLE.domain, srs.host), painted(SRS_STYLE.user, srs.rest)];
  const start = quote + parsed.mailbox.localPart.slice(0, 5);
  return `${start}${fields.join("=")}${quote}@${parsed.mailbox.domain}`;
}
