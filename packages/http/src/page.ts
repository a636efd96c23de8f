// The frame of every page: one document without scripts and without anything from elsewhere, for phones and screen readers,
// light or dark. Called by app.ts and the pages.
import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { COMMON_HEADERS } from "./headers.ts";

/** Text that is HTML: whatever else comes into a page is escaped. */
export type Html = ReturnType<typeof raw>;

export interface Page {
  readonly title: string;
  readonly body: Html;
  /** It has a form, which is sent to this server. */
  readonly form?: boolean;
}

/** Contrast of 14:1 and more, and of 8:1 for the small print, in light and in dark (WCAG 2.2 §1.4.6 asks for 7:1). */
const STYLE = `
:root { color-scheme: light dark; --text: #1b1b1b; --back: #ffffff; --small: #4d4d4d; --line: #c8c8c8 }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e6e6; --back: #181818; --small: #b4b4b4; --line: #4a4a4a }
}
body { margin: 0 auto; max-width: 42rem; padding: 1rem; color: var(--text); background: var(--back);
  font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.25 }
h2 { font-size: 1.15rem; margin-top: 2rem }
dl { border: solid var(--line); border-width: 1px 0; padding: 0.5rem 0 }
dt { color: var(--small); font-size: 0.9rem }
dd { margin: 0 0 0.6rem }
li { margin-bottom: 0.4rem }
code, pre { font: 0.95em ui-monospace, monospace }
pre { white-space: pre-wrap }
form { margin: 1rem 0 }
label { display: block }
input { font: inherit; width: 100%; box-sizing: border-box; padding: 0.5rem; margin: 0.3rem 0 0.8rem;
  color: inherit; background: var(--back); border: 1px solid var(--small); border-radius: 0.3rem }
button { font: inherit; padding: 0.6rem 1rem; color: var(--back); background: var(--text); border: 1px solid var(--text);
  border-radius: 0.3rem; cursor: pointer }
.done { border-left: 4px solid var(--text); padding-left: 0.8rem }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); color: var(--small); font-size: 0.9rem }
`;

const styleHash = createHash("sha256").update(STYLE).digest("base64");

/** Nothing is loaded, framed or run, and nothing sent but a form of ours, to us; the style is the one above. */
export function pageHeaders({ form }: Pick<Page, "form">): Readonly<Record<string, string>> {
  const to = form ? "'self'" : "'none'";
  return {
    "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action ${to}; frame-ancestors 'none'`,
    ...COMMON_HEADERS,
  };
}

/** Of a page without a form. */
export const PAGE_HEADERS = pageHeaders({});

/** A paragraph each. */
export function plainPage(title: string, ...paragraphs: readonly string[]): Page {
  return { title, body: html`${paragraphs.map((text) => html`<p>${text}</p>\n`)}` as Html };
}

export function renderPage({ title, body }: Page, hostname: string): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
<footer><p>This is the mail server ${hostname}, which forwards mail. It is run by postmaster@${hostname}, who
takes mail that fails SPF, too.</p></footer>
</body>
</html>
` as Html;
}
