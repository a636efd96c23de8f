// A mail to the operator's postmaster about double bounces: bounces of ours that could not be delivered either. No report: it
// returns nobody's mail. Pure. Called by the forwarder when a digest is due.
import { listedTexts } from "./listed-lines.ts";
import { type OwnMail, textMail } from "./own-mail.ts";

export interface PostmasterDigest extends OwnMail {
  /** Double bounces, listed or not. */
  readonly count: number;
  /** What is known of each, in their order. */
  readonly lines: readonly string[];
}

export function composePostmasterDigest(digest: PostmasterDigest): Buffer {
  return textMail(
    digest,
    {
      subject: `${bounces(digest.count)} could not be delivered to anybody`,
      automatic: "auto-generated",
    },
    digestWords(digest),
  );
}

function digestWords({ hostname, count, lines }: PostmasterDigest): string {
  const listed = listedTexts(lines, count);
  return [
    `${bounces(count)} could not be delivered to anybody: double bounces.`,
    "",
    ...listed.lines,
    ...(listed.lines.length === 0 ? [] : [""]),
    ...(listed.unlisted === 0 ? [] : [`Not listed: ${listed.unlisted} more.`, ""]),
    `What it means: mail failed, ${hostname} wrote to its sender about it, and that mail`,
    "failed, too. It was dropped: whoever sent the first mail knows nothing of its failure.",
    "",
    "What to do: a few come from senders that were made up, as in spam, and need nothing.",
    "Many about one sender mean that his server does not take our bounces: look for the",
    "refusals in the log. Many about one alias mean that its target is dead: correct it, or",
    "take the alias out of the table.",
    "",
  ].join("\r\n");
}

function bounces(count: number): string {
  return count === 1 ? "1 bounce" : `${count} bounces`;
}
