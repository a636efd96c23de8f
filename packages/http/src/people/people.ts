// Pages for people, who have a signed link and no account: confirm an address; see and end what is sent. Called by app.ts.
// GET and HEAD change nothing: link scanners and previews follow links. A POST needs the signed token in its form, which no
// other site has: that is the guard against forged requests (CSRF), and there are no cookies.
import { type Mine, type People, PROBLEMS, type Problem } from "@homing/on-behalf";
import type { Context, Hono } from "hono";
import type { AnswerPage, PageStatus } from "../app.ts";
import { clientOf } from "../client-address.ts";
import { type Page, plainPage } from "../page.ts";
import { confirmedPage, confirmPage } from "./confirm-page.ts";
import { type Form, readForm } from "./form.ts";
import { askPage, minePage } from "./mine-page.ts";
import { NO_FORM, NO_TOKEN, refusedPage } from "./refused-page.ts";

/** Those that take a POST. */
export const PEOPLE_PATHS: readonly string[] = ["/confirm", "/mine"];

export interface PeopleOptions {
  readonly people: People;
  /** For the body of a form. */
  readonly formMs: number;
}

export function mountPeople(app: Hono, answerPage: AnswerPage, { people, formMs }: PeopleOptions): void {
  const answer = (context: Context, { status, page, retryAfter }: Shown) => {
    if (retryAfter !== undefined) context.header("Retry-After", String(retryAfter));
    return answerPage(context, status, page);
  };
  const withForm = async (context: Context, then: (form: Fields) => Promise<Shown>): Promise<Shown> => {
    const form = await readForm(context.req.raw, formMs);
    if (form.kind === "form") return then(form);
    context.header("Connection", "close");
    return { status: form.kind === "too-large" ? 413 : 400, page: NO_FORM };
  };
  app.get("/confirm", async (context) => answer(context, await question(people, context.req.query("t"))));
  app.post("/confirm", async (context) =>
    answer(context, await withForm(context, (form) => confirm(people, form))),
  );
  app.get("/mine", async (context) => answer(context, await overview(people, context.req.query("t"))));
  app.post("/mine", async (context) =>
    answer(context, await withForm(context, (form) => change(people, form, context))),
  );
}

interface Shown {
  readonly status: PageStatus;
  readonly page: Page;
  readonly retryAfter?: number;
}

type Fields = Extract<Form, { kind: "form" }>;

async function question(people: People, token: string | undefined): Promise<Shown> {
  if (!isToken(token)) return { status: 400, page: NO_TOKEN };
  const looked = await people.look(token);
  return looked.ok ? shown(confirmPage(looked.asked, token)) : refusal(looked.problem);
}

async function confirm(people: People, form: Fields): Promise<Shown> {
  const token = form.get("t");
  if (!isToken(token)) return { status: 400, page: NO_TOKEN };
  const confirmed = await people.confirm(token);
  return confirmed.ok
    ? shown(confirmedPage(confirmed.asked, confirmed.manageToken))
    : refusal(confirmed.problem);
}

async function overview(people: People, token: string | undefined, done?: string): Promise<Shown> {
  if (token === undefined) return shown(askPage());
  if (!isToken(token)) return { status: 400, page: NO_TOKEN };
  const read = await people.mine(token);
  if (read.ok) return shown(minePage(read.mine, token, done));
  // The button did its work; only its page cannot be shown.
  return done === undefined ? refusal(read.problem) : shown(plainPage("Done", done));
}

async function change(people: People, form: Fields, context: Context): Promise<Shown> {
  if (form.get("List-Unsubscribe") === "One-Click") return oneClick(people, context.req.query("t"));
  const address = form.get("address");
  if (address !== undefined) return mailLink(people, address, clientOf(context));
  const token = form.get("t");
  if (!isToken(token)) return { status: 400, page: NO_TOKEN };
  const [id, site] = [form.get("id"), form.get("site")];
  switch (form.get("action")) {
    case "revoke":
      return id ? after(people, token, await people.revoke(token, id), REVOKED) : NOT_UNDERSTOOD;
    case "never":
      return site ? after(people, token, await people.never(token, site), NEVER) : NOT_UNDERSTOOD;
    case "again":
      return site ? after(people, token, await people.again(token, site), AGAIN) : NOT_UNDERSTOOD;
    default:
      return NOT_UNDERSTOOD;
  }
}

/** RFC 8058: the mail program of the recipient does it, with nothing but the link; no redirect, no question. */
async function oneClick(people: People, token: string | undefined): Promise<Shown> {
  if (!isToken(token)) return { status: 400, page: NO_TOKEN };
  const read = await people.mine(token);
  if (!read.ok) return refusal(read.problem);
  return after(people, token, await people.never(token, siteOf(read.mine)), NEVER);
}

/** Also one that is not configured any more. A link that stood in no site's mail means all. */
function siteOf({ from }: Mine): string {
  return from?.name ?? "all";
}

async function mailLink(people: People, address: string, client: string | undefined): Promise<Shown> {
  const mailed = await people.mailLink(address.trim(), client);
  if (mailed.ok) return shown(LINK_MAILED);
  if (mailed.problem.type !== "invalid-field") return refusal(mailed.problem);
  return { status: 422, page: askPage("That is no mail address. Write it as alice@example.org.") };
}

/** Nothing else goes on to a signature's check, or back into a page. */
function isToken(text: string | undefined): text is string {
  return text !== undefined && /^[\w-]{1,1024}$/.test(text);
}

type Outcome = Awaited<ReturnType<People["revoke"]>>;

function after(people: People, token: string, outcome: Outcome, done: string): Shown | Promise<Shown> {
  return outcome.ok ? overview(people, token, done) : refusal(outcome.problem);
}

function shown(page: Page): Shown {
  return { status: 200, page };
}

function refusal(problem: Problem): Shown {
  const { status } = PROBLEMS[problem.type];
  const { retryAfter } = problem;
  return {
    status: isPageStatus(status) ? status : 400,
    page: refusedPage(problem),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

const PAGE_STATUSES: readonly number[] = [400, 404, 410, 413, 422, 429, 503] satisfies PageStatus[];

function isPageStatus(status: number): status is PageStatus {
  return PAGE_STATUSES.includes(status);
}

const REVOKED = "Done: this web site can no longer send in your name.";
const NEVER = "Done: no more mail comes to you from there through this server.";
const AGAIN = "Done: mail may come to you from there again.";

const NOT_UNDERSTOOD: Shown = { status: 400, page: NO_FORM };
const LINK_MAILED = plainPage(
  "Look into your mail",
  "A link is on its way to that address, unless one was mailed there today.",
  "If it does not come, look among the advertising (spam), and at the foot of mail that you got through this server.",
);
