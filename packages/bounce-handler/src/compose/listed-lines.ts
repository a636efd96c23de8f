// Lines that came from outside, listed in a mail of ours: how many, how long, and of which characters. Called by
// folded-notice.ts and postmaster-digest.ts.

/** With 200 characters each, the mail stays below 256 KiB, which the spool keeps in one piece. */
const MAX_LISTED = 1000;
const MAX_LENGTH = 200;

export interface Listed {
  /** Each on a line of its own, set in: none is taken for a boundary, or for the end of the mail. */
  readonly lines: readonly string[];
  readonly unlisted: number;
}

/** What cannot be shown is counted. */
export function listedWords(words: readonly string[], count: number): Listed {
  return listed(
    words.filter((word) => word.length <= MAX_LENGTH && /^[!-~]+$/.test(word)),
    count,
  );
}

/** What cannot be shown becomes `?`. */
export function listedTexts(texts: readonly string[], count: number): Listed {
  return listed(
    texts.map((text) => text.slice(0, MAX_LENGTH).replaceAll(/[^ -~]/g, "?")),
    count,
  );
}

function listed(shown: readonly string[], count: number): Listed {
  const lines = shown.slice(0, MAX_LISTED).map((text) => `    ${text}`);
  return { lines, unlisted: Math.max(0, count - lines.length) };
}
