// What a person sees of himself behind the link of a mail to him: who may send in his name, and from whom he wants
// nothing; with a button for each. And the form that mails such a link. Called by people.ts.
import type { Identity, Mine } from "@homing/on-behalf";
import { html } from "hono/html";
import type { Html, Page } from "../page.ts";
import { quoted } from "./confirm-page.ts";

/** @param done what a button has done just now */
export function minePage(mine: Mine, token: string, done?: string): Page {
  return {
    title: "Mail in your name, and mail to you",
    form: true,
    body: html`${notice(done)}<dl><dt>Your address</dt><dd>${quoted(mine.address)}</dd></dl>
<h2>Who may send in your name</h2>
${identities(mine, token)}
<h2>Mail to you</h2>
${mailToYou(mine, token)}` as Html,
  };
}

export function notice(done: string | undefined): Html | string {
  return done === undefined ? "" : (html`<p class="done" role="status">${done}</p>\n` as Html);
}

function identities({ identities }: Mine, token: string): Html {
  if (identities.length === 0) return html`<p>No web site.</p>` as Html;
  return html`<ul>
${identities.map((identity) => html`<li><bdi>${identity.title}</bdi>: ${state(identity)}${stop(identity, token)}</li>\n`)}</ul>` as Html;
}

function state({ status, requestedAt, confirmedAt, lastUsedAt, expires, revokedAt }: Identity): string {
  switch (status) {
    case "pending":
      return `asked on ${day(requestedAt)}. You have not confirmed it, so nothing is sent.`;
    case "confirmed": {
      const used = lastUsedAt === undefined ? "not used yet" : `last used on ${day(lastUsedAt)}`;
      return `confirmed on ${day(confirmedAt ?? requestedAt)}, ${used}, ends on ${day(expires)}.`;
    }
    case "revoked":
      return `ended${revokedAt === undefined ? "" : ` on ${day(revokedAt)}`}. Nothing is sent.`;
    case "expired":
      return `ended on ${day(expires)}, because it was not used. Nothing is sent.`;
  }
}

function stop(identity: Identity & { readonly title: string }, token: string): Html | string {
  const { status, title } = identity;
  if (status !== "confirmed" && status !== "pending") return "";
  return button({
    token,
    action: "revoke",
    name: "id",
    value: identity.id,
    label: status === "pending" ? `Refuse it to ${title}` : `End it for ${title}`,
  });
}

function mailToYou({ never, from }: Mine, token: string): Html {
  if (never.all) {
    return html`<p>No web site can send you mail through this server.</p>
${button({ token, action: "again", name: "site", value: "all", label: "Allow mail again" })}` as Html;
  }
  const known = never.sites.some(({ name }) => name === from?.name);
  return html`${from && !known ? fromSite(from, token) : ""}${never.sites.map(
    ({ name, title }) => html`<p><bdi>${title}</bdi> can send you no mail.</p>
${button({ token, action: "again", name: "site", value: name, label: `Allow mail from ${title} again` })}`,
  )}<p>You can stop the mail of all web sites that send through this server. That is not only advertising: it is what people
send you with the help of these sites, too.</p>
${button({ token, action: "never", name: "site", value: "all", label: "No more mail from any site" })}` as Html;
}

function fromSite({ name, title }: { readonly name: string; readonly title: string }, token: string): Html {
  return html`<p>The mail with this link came from <bdi>${title}</bdi>.</p>
${button({ token, action: "never", name: "site", value: name, label: `No more mail from ${title}` })}` as Html;
}

interface Button {
  readonly token: string;
  readonly action: "revoke" | "never" | "again";
  readonly name: "id" | "site";
  readonly value: string;
  readonly label: string;
}

function button({ token, action, name, value, label }: Button): Html {
  return html`<form method="post" action="mine">
<input type="hidden" name="t" value="${token}">
<input type="hidden" name="action" value="${action}">
<input type="hidden" name="${name}" value="${value}">
<button>${label}</button>
</form>
` as Html;
}

function day(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** @param wrong what is wrong with the address that was sent */
export function askPage(wrong?: string): Page {
  return {
    title: "Mail in your name, and mail to you",
    form: true,
    body: html`<p>Web sites can send mail through this server in your name, once you have confirmed your address, and mail to
you. You see and end that with a link, which we mail to your address. It stands in the mail that asks you to confirm, and at
the foot of mail that came to you, too.</p>
${wrong === undefined ? "" : html`<p class="done" role="alert" id="wrong">${wrong}</p>\n`}<form method="post" action="mine">
<label for="address">Your address</label>
<input id="address" name="address" inputmode="email" autocomplete="email" autocapitalize="none" spellcheck="false" required maxlength="320"${
      wrong === undefined ? "" : html` aria-invalid="true" aria-describedby="wrong"`
    }>
<button>Mail me the link</button>
</form>` as Html,
  };
}
