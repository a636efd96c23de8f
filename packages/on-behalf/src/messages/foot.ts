// The foot of every message: who sent it for whom, and the link with which its reader can see and stop that, without an account.
// Called by compose-copy.ts.
import { asciiLower, type Mailbox, renderMailbox } from "@homing/srs-core";
import type { Site } from "../site.ts";

export interface Foot {
  readonly site: Site;
  /** Of `on-behalf`. */
  readonly user: Mailbox | undefined;
  /** Of the recipient. */
  readonly manageUrl: string;
}

export function withTextFoot(text: string, foot: Foot): string {
  // RFC 3676 §4.3: what is behind this line is no part of what was written, and is not quoted in replies.
  return [...linesOf(text), "", "-- ", whoSent(foot), STOP, foot.manageUrl, ""].join("\r\n");
}

export function withHtmlFoot(html: string, foot: Foot): string {
  const lines = linesOf(html).join("\r\n");
  const words = escapeHtml(`${whoSent(foot)} ${STOP}`);
  const url = escapeHtml(foot.manageUrl);
  const block = `<hr>\r\n<p><small>${words} <a href="${url}">this page</a></small></p>\r\n`;
  const shown = withoutComments(lines);
  if (shown.isOpen) return `${lines}-->\r\n${block}`;
  // Behind the end of the body, some programs show nothing.
  const end = asciiLower(shown.html).lastIndexOf("</body");
  return end < 0 ? `${lines}\r\n${block}` : `${lines.slice(0, end)}${block}${lines.slice(end)}`;
}

/** As HTML has them (§13.2.5.43 and on): empty ones, whole ones, and one that nobody closed and that has all the rest in it. */
const COMMENT = /<!--(?:-?>|[\s\S]*?--!?>|[\s\S]*$)/g;

/** Blanks in their places, so that nothing moves. */
function withoutComments(html: string): { readonly html: string; readonly isOpen: boolean } {
  let isOpen = false;
  const shown = html.replace(COMMENT, (comment) => {
    isOpen = !/(?:^<!--?-?|--!?)>$/.test(comment);
    return " ".repeat(comment.length);
  });
  return { html: shown, isOpen };
}

const STOP = "Who sends you mail in this way, and how to stop it:";

function whoSent({ site, user }: Foot): string {
  if (!user) return `${site.title} sent you this message.`;
  return `${renderMailbox(user)} asked ${site.title} to send you this message.`;
}

/** Whatever a form or a file had for line ends. */
function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r\n|\r|\n/);
  while (lines.length > 1 && lines.at(-1) === "") lines.pop();
  return lines;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
