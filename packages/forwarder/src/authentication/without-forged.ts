// A message without fields in which somebody pretends to be us: filters behind us believe what we say in these, so nobody else may
// (RFC 8601 §5). Called by check-message.ts, and for submitted mail.
import { type Content, fieldsNamed, ownResultsIn, withoutRanges } from "@homing/mail";

export function withoutForged(content: Content, authservId: string): Content {
  const { start } = content;
  const ranges = [...ownResultsIn(start, authservId), ...fieldsNamed(start, "x-homing-verdict")];
  return ranges.length === 0
    ? content
    : withoutRanges(
        content,
        ranges.toSorted((one, other) => one.from - other.from),
      );
}
