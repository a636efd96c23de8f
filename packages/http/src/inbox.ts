// The inbox of `homing local`, as a page and as JSON: what arrived at the servers of others, which one program plays. Mounted
// by app.ts where there is one; a service has none.
import { Hono } from "hono";
import { html } from "hono/html";
import { type Html, PAGE_HEADERS, renderPage } from "./page.ts";

export interface InboxMail {
  /** In the order of arrival, from 1. */
  readonly id: number;
  /** "" is the null sender. */
  readonly reversePath: string;
  readonly recipient: string;
  readonly subject: string;
  /** As it arrived. */
  readonly message: string;
  /** What a person reads of it. */
  readonly text: string;
}

/** @param list newest last */
export function inboxRoutes(list: () => readonly InboxMail[], hostname: string): Hono {
  const app = new Hono();
  app.get("/inbox.json", (context) => context.json(list(), 200, PAGE_HEADERS));
  app.get("/inbox", (context) => {
    const mails = list().toReversed();
    const body =
      mails.length === 0
        ? html`<p>Nothing has arrived yet. Send something, and load the page again.</p>`
        : html`${mails.map(mailPart)}`;
    return context.html(renderPage({ title: "Inbox", body: body as Html }, hostname), 200, PAGE_HEADERS);
  });
  return app;
}

function mailPart({ id, reversePath, recipient, subject, text, message }: InboxMail): Html {
  return html`<article id="mail-${id}">
<h2>${subject || "(no subject)"}</h2>
<dl>
<dt>Envelope sender</dt><dd><bdi><code>${reversePath === "" ? "<>" : reversePath}</code></bdi></dd>
<dt>Recipient</dt><dd><bdi><code>${recipient}</code></bdi></dd>
</dl>
<pre>${linked(text)}</pre>
<details><summary>As it arrived</summary><pre>${message}</pre></details>
</article>
` as Html;
}

/** Characters of a URL of ours. */
const URL_START = /https?:\/\/[A-Za-z0-9]/;
const NOT_OF_URL = /[^A-Za-z0-9._~:/?#@!$&*+,;=%-]/;

/** So that a mailed link can be followed. Text without one is escaped by `html`. */
function linked(text: string): Html {
  const parts: Html[] = [];
  let rest = text;
  for (;;) {
    const at = rest.search(URL_START);
    if (at < 0) return html`${parts}${rest}` as Html;
    const length = rest.slice(at).search(NOT_OF_URL);
    const url = length < 0 ? rest.slice(at) : rest.slice(at, at + length);
    parts.push(html`${rest.slice(0, at)}<a href="${url}">${url}</a>` as Html);
    rest = rest.slice(at + url.length);
  }
}
