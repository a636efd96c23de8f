// What is answered to a request, without sockets: the page that says why, and where mail is sent on behalf of users, pages for
// these and the API for their sites; errors in plain words. Called by listen-http.ts.
import type { WhyLinks } from "@homing/forwarder";
import type { OnBehalf } from "@homing/on-behalf";
import { type Context, Hono } from "hono";
import { type ApiRefusal, createApi } from "./api/api.ts";
import { clientOf } from "./client-address.ts";
import { type InboxMail, inboxRoutes } from "./inbox.ts";
import { type Page, pageHeaders, plainPage, renderPage } from "./page.ts";
import { mountPeople, PEOPLE_PATHS } from "./people/people.ts";
import { mountProblems } from "./problems/problems.ts";
import { mountWhy, NOT_OURS } from "./why.ts";

export interface AppOptions {
  /** Of the mail server, for people. */
  readonly hostname: string;
  readonly whyLinks: Pick<WhyLinks, "read">;
  /** Told of bugs. */
  readonly failed: (error: unknown) => void;
  /** Told of every request that the API refuses. */
  readonly refused?: ((refusal: ApiRefusal) => void) | undefined;
  /** For the body of a form. */
  readonly formMs?: number;
  /** Without it there is the page that says why, and nothing else. */
  readonly onBehalf?: PublishedOnBehalf | undefined;
  /** Of `homing local`: what arrived, newest last. */
  readonly inbox?: (() => readonly InboxMail[]) | undefined;
}

export interface PublishedOnBehalf extends ServedOnBehalf {
  /** How the world reaches this server, without a slash at the end. */
  readonly publicUrl: string;
}

export type ServedOnBehalf = Pick<
  OnBehalf,
  "sites" | "identities" | "people" | "messages" | "suppressions" | "events" | "publicKeys"
>;

export type PageStatus = 200 | 400 | 404 | 405 | 410 | 413 | 414 | 422 | 429 | 500 | 503;
export type AnswerPage = (context: Context, status: PageStatus, page: Page) => Response | Promise<Response>;

/** A form has a few hundred octets. */
export const FORM_MS = 3000;
/** A token has up to 1,024 characters; what a proxy or a mail program adds to it is none of ours. */
const MAX_URL = 2048;

export function createApp(options: AppOptions): Hono {
  const { hostname, failed, refused, formMs = FORM_MS, onBehalf, inbox } = options;
  const app = new Hono();
  const answer: AnswerPage = (context, status, page) =>
    context.html(renderPage(page, hostname), status, pageHeaders(page));
  // Before the rules of pages: it has its own.
  if (onBehalf) {
    const api = createApi({ onBehalf, publicUrl: onBehalf.publicUrl, failed, refused });
    for (const path of ["/v1", "/v1/*"]) app.all(path, (context) => api(context.req.raw, clientOf(context)));
  }
  app.use(async (context, next) => {
    const { method, url, path } = context.req;
    const posts = onBehalf !== undefined && PEOPLE_PATHS.includes(path);
    if (method !== "GET" && method !== "HEAD" && !(method === "POST" && posts)) {
      // What such a request brings along is not waited for.
      context.header("Connection", "close");
      context.header("Allow", posts ? "GET, HEAD, POST" : "GET, HEAD");
      return answer(context, 405, posts ? NO_SUCH_METHOD : READ_ONLY);
    }
    return url.length > MAX_URL ? answer(context, 414, NOT_OURS) : next();
  });
  mountWhy(app, answer, options);
  if (onBehalf) {
    mountPeople(app, answer, { people: onBehalf.people, formMs });
    mountProblems(app, answer);
  }
  if (inbox) app.route("/", inboxRoutes(inbox, hostname));
  app.notFound((context) => answer(context, 404, NO_PAGE));
  app.onError((error, context) => {
    failed(error);
    return answer(context, 500, BUG);
  });
  return app;
}

const NO_PAGE = plainPage(
  "There is no such page",
  "Follow the link as it stands in the mail that came back, up to its last character.",
);
const READ_ONLY = plainPage("There is nothing to send here", "The pages of this server can only be read.");
const NO_SUCH_METHOD = plainPage(
  "That cannot be done here",
  "This page can be read, and its buttons pressed.",
);
const BUG = plainPage(
  "Something went wrong here",
  "It is not your fault. The postmaster can find it in the log.",
);
