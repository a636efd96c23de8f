// The pages: plain HTML that works without scripts, by keyboard, at 360 pixels and in the dark. Called by routes.ts.
import { ARTICLE } from "./article.ts";
import type { Identity, Problem, SentMessage } from "./homing-api.ts";
import { type Html, html } from "./html.ts";
import type { ReturnedMail } from "./returned-mail.ts";
import type { Session } from "./sessions.ts";
import { fieldOf, plainWords, STATUS_WORDS } from "./words.ts";

export type Body = Html;

export const SITE_TITLE = "Homing Demo";
export const MAX_NOTE = 1000;

interface Page {
  readonly title: string;
  readonly path: string;
  readonly session: Session | undefined;
  readonly body: Html;
}

const PLACES = [
  ["/", "Article"],
  ["/send", "Send it"],
  ["/mail", "Your mail"],
] as const;

export function renderPage({ title, path, session, body }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} – ${SITE_TITLE}</title>
<link rel="icon" href="/swift.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p class="brand"><img src="/swift.svg" alt="" width="32" height="32">${SITE_TITLE}</p>
<nav aria-label="Site">
<ul>
${PLACES.map(([to, name]) => html`<li><a href="${to}"${to === path && CURRENT}>${name}</a></li>\n`)}</ul>
</nav>
${session ? signOutForm(session) : html`<p class="who"><a href="/sign-in"${path === "/sign-in" && CURRENT}>Sign in</a></p>`}
</header>
<main id="content">
${body}
</main>
<footer><p>A sample site. Its mail for users goes through Homing.</p></footer>
</body>
</html>
`.html;
}

const CURRENT = html` aria-current="page"`;

function signOutForm({ user, csrf }: Session): Html {
  return html`<form class="who" method="post" action="/sign-out">${hidden("csrf", csrf)}
<span>${user.fullName}</span> <button class="plain">Sign out</button></form>`;
}

export function articleBody(): Html {
  return html`<article>
<img class="picture" src="/evening.svg" alt="" width="1200" height="420">
<h1>${ARTICLE.title}</h1>
<p class="lead">${ARTICLE.lead}</p>
${ARTICLE.paragraphs.map((text) => html`<p>${text}</p>\n`)}</article>
<p class="actions"><a class="button" href="/send">Send this article to a friend</a></p>`;
}

export function signInBody(name: string, wrong?: "wrong" | "wait"): Html {
  const words = {
    wrong: "There is no such user, or the password is another one.",
    wait: "There were too many wrong passwords for this name. Try again in a quarter of an hour.",
  };
  return html`<h1>Sign in</h1>
${wrong && alert(words[wrong])}
<form class="card" method="post" action="/sign-in">
<label for="name">User name</label>
<input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" required maxlength="64">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="200">
<button>Sign in</button>
</form>`;
}

/** What Homing says of the user's address; `none`: it was never asked. */
export type Standing = Identity["status"] | "none";

/** Before an address is confirmed. */
export function confirmBody(session: Session, standing: Standing, problem?: Problem): Html {
  const { email } = session.user;
  return html`<h1>Confirm your address first</h1>
${problem && alert(plainWords(problem))}
${standing === "pending" && !problem && notice(html`A link was mailed to <strong>${email}</strong>. Open it and press the button there; it works for 24 hours.`)}
<p>${WHY[standing]}</p>
<p>The article leaves in your name, and whatever cannot be delivered comes back to <strong>${email}</strong>. So
the owner of this address has to say yes first.</p>
${standing === "pending" ? html`<p class="actions"><a class="button" href="/send">I have confirmed it</a></p>` : askForm(session)}`;
}

const WHY: Readonly<Record<Standing, string>> = {
  none: "You have not yet confirmed that the address is yours.",
  pending: "Once that is done, you find the form here.",
  expired: "Your confirmation is too old: nothing was sent for half a year.",
  revoked: "The confirmation was taken back: this site may not send mail for you any more.",
  confirmed: "",
};

function askForm({ csrf }: Session): Html {
  return html`<form class="actions" method="post" action="/confirm">${hidden("csrf", csrf)}
<button>Mail me a link</button></form>`;
}

/** What was typed, kept when the form is shown again. */
export interface Typed {
  readonly to: string;
  readonly note: string;
  /** Of this form: sent twice, it is one message. */
  readonly key: string;
}

export function sendBody(session: Session, typed: Typed, problem?: Problem): Html {
  const wrong = problem && fieldOf(problem);
  return html`<h1>Send “${ARTICLE.title}”</h1>
${problem && alert(plainWords(problem))}
<form class="card" method="post" action="/send">
${hidden("csrf", session.csrf)}
${hidden("key", typed.key)}
<label for="to">To</label>
<input id="to" name="to" type="email" value="${typed.to}" autocomplete="off" required maxlength="254"${described("to-hint", wrong === "to")}>
<p class="hint" id="to-hint">The e-mail address of your friend.</p>
<label for="note">Your note <span class="optional">(optional)</span></label>
<textarea id="note" name="note" rows="5" maxlength="${MAX_NOTE}"${described("note-hint", wrong === "note")}>${typed.note}</textarea>
<p class="hint" id="note-hint">Up to ${MAX_NOTE} characters. The article is put below it.</p>
<button>Send the article</button>
</form>
<p class="small">It leaves in the name of ${session.user.fullName}. Answers, and reports of what could not be delivered,
go to ${session.user.email}.</p>`;
}

/** Screen readers tell what is wrong with a field, and the cursor is in it. */
function described(hint: string, isWrong: boolean): Html {
  if (!isWrong) return html` aria-describedby="${hint}"`;
  return html` aria-invalid="true" aria-describedby="problem ${hint}" autofocus`;
}

export interface MailOverview {
  /** Newest first. */
  readonly sent: readonly SentMessage[];
  readonly returned: readonly ReturnedMail[];
  readonly justSent: boolean;
  readonly problem?: Problem | undefined;
}

export function mailBody({ user }: Session, { sent, returned, justSent, problem }: MailOverview): Html {
  return html`<h1>Your mail</h1>
${justSent && notice(html`The article is on its way. <a href="/mail">Look again</a> to see what became of it.`)}
${problem && alert(plainWords(problem))}
<h2 id="sent">Sent</h2>
${sent.length === 0 ? html`<p>Nothing yet. <a href="/send">Send the article to a friend.</a></p>` : sentList(sent)}
<h2 id="returned">Came back</h2>
${returned.length === 0 ? html`<p>Nothing came back.</p>` : html`<p>The reports are in your mailbox, ${user.email}.</p>${returnedList(returned)}`}`;
}

function sentList(sent: readonly SentMessage[]): Html {
  return html`<ul class="mails" aria-labelledby="sent">
${sent.map(
  ({ createdAt, recipients }) =>
    html`${recipients.map(
      ({ address, status }) => html`<li><strong>${address}</strong>
<span class="status ${status}">${STATUS_WORDS[status]}</span> ${time(createdAt)}</li>\n`,
    )}`,
)}</ul>`;
}

function returnedList(returned: readonly ReturnedMail[]): Html {
  return html`<ul class="mails" aria-labelledby="returned">
${returned.map(({ recipient, reason, at }) => html`<li><strong>${recipient}</strong> <span class="status">${reason}</span> ${time(at)}</li>\n`)}</ul>`;
}

/** @param seconds Unix time */
function time(seconds: number): Html {
  const iso = new Date(seconds * 1000).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace("T", " ")} UTC</time>`;
}

export function problemBody(title: string, text: string): Html {
  return html`<h1>${title}</h1>
<p>${text}</p>
<p class="actions"><a class="button" href="/">To the article</a></p>`;
}

function alert(text: string): Html {
  return html`<p class="alert" role="alert" id="problem">${text}</p>`;
}

function notice(text: Html): Html {
  return html`<p class="notice" role="status">${text}</p>`;
}

function hidden(name: string, value: string): Html {
  return html`<input type="hidden" name="${name}" value="${value}">`;
}
