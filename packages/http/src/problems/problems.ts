// The pages to which `type` of a problem leads (RFC 9457 §3.1.1): for developers of web sites. Called by app.ts.
import { PROBLEMS, type ProblemType } from "@homing/on-behalf";
import type { Hono } from "hono";
import { html } from "hono/html";
import type { AnswerPage } from "../app.ts";
import { type Html, type Page, plainPage } from "../page.ts";
import { PROBLEM_WORDS } from "./problem-words.ts";

const TYPES = Object.keys(PROBLEMS) as ProblemType[];

export function mountProblems(app: Hono, answer: AnswerPage): void {
  app.get("/problems", (context) => answer(context, 200, LIST));
  app.get("/problems/:type", (context) => {
    const type = TYPES.find((one) => one === context.req.param("type"));
    return type ? answer(context, 200, problemPage(type)) : answer(context, 404, NO_PROBLEM);
  });
}

function problemPage(type: ProblemType): Page {
  const { meaning, advice } = PROBLEM_WORDS[type];
  const { status, title } = PROBLEMS[type];
  return {
    title,
    body: html`<dl>
<dt>Problem</dt><dd><code>${type}</code></dd>
<dt>HTTP status</dt><dd>${status}</dd>
</dl>
<h2>What it means</h2>
<p>${meaning}</p>
<h2>What to do</h2>
<p>${advice}</p>
<p><a href="../problems">All problems</a></p>` as Html,
  };
}

const LIST: Page = {
  title: "What the API refuses",
  body: html`<ul>
${TYPES.map((type) => html`<li><a href="problems/${type}"><code>${type}</code></a>: ${PROBLEMS[type].title}</li>\n`)}</ul>` as Html,
};

const NO_PROBLEM = plainPage("There is no such problem", "The API has none of this name.");
