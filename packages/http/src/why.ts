// The pages of mail that was refused: why, and what this server is. Called by app.ts.
import type { WhyLinks } from "@homing/forwarder";
import type { Hono } from "hono";
import type { AnswerPage } from "./app.ts";
import { type Page, plainPage } from "./page.ts";
import { whyPage } from "./why-page.ts";

export interface WhyOptions {
  readonly hostname: string;
  readonly whyLinks: Pick<WhyLinks, "read">;
}

export function mountWhy(app: Hono, answer: AnswerPage, { hostname, whyLinks }: WhyOptions): void {
  app.get("/", (context) => answer(context, 200, welcome(hostname)));
  app.get("/why", (context) => {
    const read = whyLinks.read(queryOf(context.req.url));
    if (read.kind === "expired") return answer(context, 410, EXPIRED);
    if (read.kind === "not-ours") return answer(context, 404, NOT_OURS);
    return answer(context, 200, whyPage(read.facts, hostname));
  });
}

/** As it was written: a signature is over every character. */
function queryOf(url: string): string {
  const mark = url.indexOf("?");
  return mark < 0 ? "" : url.slice(mark + 1);
}

function welcome(hostname: string): Page {
  return plainPage(
    hostname,
    "This server forwards mail for other addresses. There is nothing to log in to.",
    "When it refuses a mail because its sender cannot be proven, the reply holds a link to a page here that says why, and what " +
      "can be done.",
  );
}

export const NOT_OURS = plainPage(
  "This link is not complete",
  "It is none that this server has made, or something of it is missing: mail programs break long links at the end of a line.",
  "Copy all of the link out of the mail that came back, up to the last character, and try again.",
);
const EXPIRED = plainPage(
  "This link is too old",
  "This server keeps no record of the mail that it refuses: what there was to say stood in the link, and it is shown for " +
    "thirty days.",
  "If mail is still refused, the newest one that came back has a new link.",
);
