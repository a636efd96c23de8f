// What each page and button of the site does. Called by site.ts, which has checked that a form is one of ours.
import { randomUUID } from "node:crypto";
import { ARTICLE, articleText } from "./article.ts";
import type { Homing, Problem, SentMessage } from "./homing-api.ts";
import * as pages from "./pages.ts";
import { createReturnedMails } from "./returned-mail.ts";
import type { Session, Sessions } from "./sessions.ts";
import type { Users } from "./users.ts";
import { plainWords } from "./words.ts";

export interface Visit {
  readonly session: Session | undefined;
  readonly cookies: string | undefined;
  readonly query: URLSearchParams;
  /** Empty with GET. */
  readonly form: URLSearchParams;
  /** Of this site, for links in mail. */
  readonly url: string;
}

export type Reply =
  | { readonly status: number; readonly page: string }
  /** 303: what the browser shows next, so that loading it again sends nothing again. */
  | { readonly seeOther: string; readonly cookie?: string };

export type Route = (visit: Visit) => Promise<Reply>;

export interface Surroundings {
  readonly homing: Homing;
  readonly users: Users;
  readonly sessions: Sessions;
}

/** Shown to one user. */
const MAX_SENT = 20;

/** By method and path. */
export function createRoutes({ homing, users, sessions }: Surroundings): Readonly<Record<string, Route>> {
  const returnedMails = createReturnedMails(homing);
  /** Ids of messages, newest first, by user. A site of yours has a table for them. */
  const sent = new Map<string, readonly string[]>();

  async function standing(session: Session): Promise<pages.Standing | Problem> {
    const answer = await homing.identity(session.user.email);
    if (answer.ok) return answer.value.status;
    return answer.problem.type === "not-found" ? "none" : answer.problem;
  }

  async function sendPage(session: Session, typed: pages.Typed): Promise<Reply> {
    const found = await standing(session);
    if (found === "confirmed") return page("/send", session, 200, pages.sendBody(session, typed));
    if (typeof found === "string") return page("/send", session, 200, pages.confirmBody(session, found));
    return notNow(session, found);
  }

  async function confirm(session: Session, { url }: Visit): Promise<Reply> {
    const answer = await homing.askForConfirmation(session.user.email, `${url}/send`);
    if (answer.ok) return { seeOther: "/send" };
    const found = await standing(session);
    if (typeof found !== "string") return notNow(session, found);
    const body = pages.confirmBody(session, found, answer.problem);
    return page("/send", session, statusOf(answer.problem), body);
  }

  async function send(session: Session, { form, url }: Visit): Promise<Reply> {
    const { user } = session;
    const typed = {
      to: (form.get("to") ?? "").trim(),
      // Browsers send CR LF.
      note: (form.get("note") ?? "").replaceAll("\r\n", "\n").slice(0, pages.MAX_NOTE),
      key: form.get("key") ?? "",
    };
    const letter = {
      onBehalfOf: user.email,
      name: user.fullName,
      to: typed.to,
      subject: ARTICLE.title,
      text: `${typed.note.trim() || `${user.fullName} thinks that you may like this article.`}\n\n---\n\n${articleText(url)}\n`,
    };
    // The user's name in it keeps a key that another user has chosen apart.
    const answer = await homing.send(letter, `${user.name}.${typed.key}`);
    if (answer.ok) {
      const others = (sent.get(user.name) ?? []).filter((id) => id !== answer.value.id);
      sent.set(user.name, [answer.value.id, ...others].slice(0, MAX_SENT));
      return { seeOther: "/mail?sent" };
    }
    if (answer.problem.type === "identity-not-confirmed") return sendPage(session, typed);
    const again = answer.problem.type === "idempotency-conflict" ? { ...typed, key: randomUUID() } : typed;
    return page("/send", session, statusOf(answer.problem), pages.sendBody(session, again, answer.problem));
  }

  async function mail(session: Session, justSent: boolean): Promise<Reply> {
    const { name, email } = session.user;
    const [returned, ...answers] = await Promise.all([
      returnedMails.of(email),
      ...(sent.get(name) ?? []).map((id) => homing.message(id)),
    ]);
    const overview = {
      sent: answers.flatMap((answer): SentMessage[] => (answer.ok ? [answer.value] : [])),
      returned: returned.ok ? returned.value : [],
      justSent,
      problem: returned.ok ? undefined : returned.problem,
    };
    return page("/mail", session, 200, pages.mailBody(session, overview));
  }

  async function signIn(form: URLSearchParams): Promise<Reply> {
    const name = form.get("name") ?? "";
    const found = await users.signIn(name, form.get("password") ?? "");
    if (typeof found === "object") return { seeOther: "/send", cookie: sessions.begin(found) };
    return page("/sign-in", undefined, found === "wait" ? 429 : 401, pages.signInBody(name, found));
  }

  return {
    "GET /": async ({ session }) => page("/", session, 200, pages.articleBody()),
    "GET /sign-in": async ({ session }) => page("/sign-in", session, 200, pages.signInBody("")),
    "POST /sign-in": ({ form }) => signIn(form),
    "POST /sign-out": async ({ cookies }) => ({ seeOther: "/", cookie: sessions.end(cookies) }),
    "GET /send": signedIn((session) => sendPage(session, { to: "", note: "", key: randomUUID() })),
    "POST /confirm": signedIn(confirm),
    "POST /send": signedIn(send),
    "GET /mail": signedIn((session, { query }) => mail(session, query.has("sent"))),
  };
}

function signedIn(route: (session: Session, visit: Visit) => Promise<Reply>): Route {
  return async (visit) => (visit.session ? route(visit.session, visit) : { seeOther: "/sign-in" });
}

const TITLES: Readonly<Record<string, string>> = {
  "/": ARTICLE.title,
  "/sign-in": "Sign in",
  "/send": "Send the article",
  "/mail": "Your mail",
};

function page(path: string, session: Session | undefined, status: number, body: pages.Body): Reply {
  const title = TITLES[path] ?? "";
  return { status, page: pages.renderPage({ title, path, session, body }) };
}

/** It is not even known whether the user's address is confirmed. */
function notNow(session: Session, problem: Problem): Reply {
  return page("/send", session, 503, pages.problemBody("Not now", plainWords(problem)));
}

/** Of our page: the user's mistakes and limits keep theirs; all else is between this site and Homing. */
function statusOf({ type, retryAfter }: Problem): number {
  if (type === "unreachable" || type === "unavailable") return 503;
  return retryAfter === undefined ? 422 : 429;
}
