// The text of a secrets file: what a new one holds, what a rotation makes of it, and the comments by which `check` knows
// when an old secret may go. Called by `homing secrets`.

const HEADER = [
  "# Secrets of SRS tags, one a line, newest first: the first signs, all verify.",
  "# Keep this file to yourself. New one on top: homing secrets rotate. What may go: homing secrets check.",
];
const MARK = /^# (?:made|replaced) \d{4}-\d\d-\d\d/;
const MAY_GO = /^#.*\bmay go from (\d{4}-\d\d-\d\d)\b/;

export interface Rotation {
  readonly secret: string;
  /** UTC days, as `2026-11-21`. */
  readonly today: string;
  readonly mayGoFrom: string;
}

export function newFileText(secret: string, today: string): string {
  return [...HEADER, "", ...newEntry(secret, today), ""].join("\n");
}

/**
 * The text with a new secret above the first one. Every secret that has no date to go gets one; all else stays as it is.
 *
 * @param secretLines line numbers of the secrets, in their order
 */
export function rotatedText(text: string, secretLines: readonly number[], rotation: Rotation): string {
  const { secret, today, mayGoFrom } = rotation;
  const lines = text.split("\n");
  const edited: string[] = [];
  for (const [index, line] of lines.entries()) {
    const nextIsSecret = secretLines.includes(index + 2);
    // Our own comment on the secret below is written anew with its secret.
    if (nextIsSecret && isOwnMark(line)) continue;
    if (!secretLines.includes(index + 1)) {
      edited.push(line);
      continue;
    }
    const above = (index > 0 && lines[index - 1]) || "";
    if (index + 1 === secretLines[0]) edited.push(...newEntry(secret, today), "");
    if (!MAY_GO.test(above)) edited.push(markReplaced(isOwnMark(above) ? above : "", today, mayGoFrom));
    else if (isOwnMark(above)) edited.push(above);
    edited.push(line);
  }
  return edited.join("\n");
}

/** When the secret of a line may go, as the comment above it says. */
export function mayGoFrom(text: string, secretLine: number): string | undefined {
  return MAY_GO.exec(text.split("\n")[secretLine - 2] ?? "")?.[1];
}

function newEntry(secret: string, today: string): string[] {
  return [`# made ${today}`, secret];
}

function isOwnMark(line: string): boolean {
  return MARK.test(line);
}

function markReplaced(mark: string, today: string, from: string): string {
  const made = mark.trimEnd();
  return `${made === "" ? "# " : `${made}, `}replaced ${today}: may go from ${from}`;
}
