// What is answered to a request, without sockets: the page that says why, a page that says what this is, and errors in plain
// words. Nothing of a request is ever shown but the facts of a link that is ours. Called by listen-http.ts.
import type { WhyLinks } from "@homing/forwarder";
import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { CONTENT_SECURITY_POLICY, type Html, type Page, renderPage } from "./page.ts";
import { whyPage } from "./why-page.ts";

export interface AppOptions {
  /** Of the mail server, for people. */
  readonly hostname: string;
  readonly whyLinks: Pick<WhyLinks, "read">;
  /** Told of bugs. */
  readonly failed: (error: unknown) => void;
}

/** A link has 256 characters; what a proxy or a mail program adds to it is none of ours. */
const MAX_URL = 2048;

const HEADERS: Readonly<Record<string, string>> = {
  "Content-Security-Policy": CONTENT_SECURITY_POLICY,
  "X-Content-Type-Options": "nosniff",
  // The address of the page names a sender: neither the next site, nor a search engine, nor a cache hears of it.
  "Referrer-Policy": "no-referrer",
  "X-Robots-Tag": "noindex, nofollow",
  "Cache-Control": "no-store",
  "Cross-Origin-Resource-Policy": "same-origin",
};

export function createApp({ hostname, whyLinks, failed }: AppOptions): Hono {
  const app = new Hono();
  const answer = (context: Context, status: 200 | 404 | 405 | 410 | 414 | 500, page: Page) =>
    context.html(renderPage(page, hostname), status, HEADERS);

  app.use(async (context, next) => {
    const { method, url } = context.req;
    if (method !== "GET" && method !== "HEAD") {
      // What such a request brings along is not waited for.
      context.header("Connection", "close");
      context.header("Allow", "GET, HEAD");
      return answer(context, 405, READ_ONLY);
    }
    return url.length > MAX_URL ? answer(context, 414, NOT_OURS) : next();
  });
  app.get("/", (context) => answer(context, 200, welcome(hostname)));
  app.get("/why", (context) => {
    const read = whyLinks.read(queryOf(context.req.url));
    if (read.kind === "expired") return answer(context, 410, EXPIRED);
    if (read.kind === "not-ours") return answer(context, 404, NOT_OURS);
    return answer(context, 200, whyPage(read.facts, hostname));
  });
  app.notFound((context) => answer(context, 404, NO_PAGE));
  app.onError((error, context) => {
    failed(error);
    return answer(context, 500, BUG);
  });
  return app;
}

/** As it was written: a signature is over every character. */
function queryOf(url: string): string {
  const mark = url.indexOf("?");
  return mark < 0 ? "" : url.slice(mark + 1);
}

function page(title: string, ...paragraphs: readonly string[]): Page {
  return { title, body: html`${paragraphs.map((text) => html`<p>${text}</p>\n`)}` as Html };
}

function welcome(hostname: string): Page {
  return page(
    hostname,
    "This server forwards mail for other addresses. There is nothing to log in to.",
    "When it refuses a mail because its sender cannot be proven, the reply holds a link to a page here that says why, and what " +
      "can be done.",
  );
}

const NOT_OURS = page(
  "This link is not complete",
  "It is none that this server has made, or something of it is missing: mail programs break long links at the end of a line.",
  "Copy all of the link out of the mail that came back, up to the last character, and try again.",
);
const EXPIRED = page(
  "This link is too old",
  "This server keeps no record of the mail that it refuses: what there was to say stood in the link, and it is shown for " +
    "thirty days.",
  "If mail is still refused, the newest one that came back has a new link.",
);
const NO_PAGE = page(
  "There is no such page",
  "Follow the link as it stands in the mail that came back, up to its last character.",
);
const READ_ONLY = page("There is nothing to send here", "The pages of this server can only be read.");
const BUG = page("Something went wrong here", "It is not your fault. The postmaster can find it in the log.");
