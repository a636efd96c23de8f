// The pages behind the link in a confirmation mail: the question, and that it was answered. Called by people.ts.
// Address, title and the page to return to are of others' making.
import type { Asked } from "@homing/on-behalf";
import { html } from "hono/html";
import type { Html, Page } from "../page.ts";

/** Nothing is confirmed by reading it: programs that look for malware follow every link of a mail. */
export function confirmPage(asked: Asked, token: string): Page {
  const title = asked.site.title;
  return {
    title: "Is this your address?",
    form: true,
    body: html`<dl>
<dt>Address</dt><dd>${quoted(asked.address)}</dd>
<dt>Asked by</dt><dd><bdi>${title}</bdi></dd>
</dl>
<p>The web site <bdi>${title}</bdi> wants to send mail in your name, when you ask it to there${
      asked.scope === "visitor" ? ": short notes, as text alone" : ""
    }. Mail that cannot be delivered comes back to you.</p>
<form method="post" action="confirm">
<input type="hidden" name="t" value="${token}">
<button>Yes, this is my address</button>
</form>
<h2>If you did not ask for it</h2>
<p>Do nothing, and close this page: without the button nothing is sent in your name.</p>
<h2>If you change your mind</h2>
<p>You can end the permission at any time. The link for it stands in the mail that asked you, and in every report about mail
that came back; and <a href="mine">a new one is mailed to you</a> when you want it.</p>` as Html,
  };
}

export function confirmedPage(asked: Asked, manageToken: string): Page {
  return {
    title: "Your address is confirmed",
    body: html`<p><bdi>${asked.site.title}</bdi> may now send mail in the name of ${quoted(asked.address)}, when you ask it to.</p>
${back(asked)}<p><a href="mine?t=${encodeURIComponent(manageToken)}">See and end what may be sent in your name</a></p>` as Html,
  };
}

function back({ returnUrl, site }: Asked): Html | string {
  // It was compared with the site's list; javascript: must not get here even if that list is careless.
  if (returnUrl === undefined || !/^https?:\/\//i.test(returnUrl)) return "";
  return html`<p><a href="${returnUrl}">Back to <bdi>${site.title}</bdi></a></p>
` as Html;
}

/** Text that runs from right to left stays inside. */
export function quoted(text: string): Html {
  return html`<bdi><code>${text}</code></bdi>` as Html;
}
