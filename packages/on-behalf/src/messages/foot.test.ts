import assert from "node:assert/strict";
import { test } from "node:test";
import type { Site } from "../site.ts";
import { messageScene } from "../testing/message-scene.ts";
import { withHtmlFoot } from "./foot.ts";

const URL = "https://mail.site.example/mine?t=abc";

function footOf(html: string): string {
  const site: Site = messageScene().site;
  return withHtmlFoot(html, { site, user: undefined, manageUrl: URL });
}

/** What a reader of HTML shows: without comments, the last of which may be open. */
function shown(html: string): string {
  let [text, rest] = ["", html];
  for (;;) {
    const start = rest.indexOf("<!--");
    if (start < 0) return text + rest;
    text += rest.slice(0, start);
    const comment = rest.slice(start);
    const empty = /^<!--(?:>|->)/.exec(comment);
    const end = empty ?? /--!?>/.exec(comment.slice(4));
    if (!end) return text;
    rest = comment.slice((empty ? 0 : 4) + end.index + end[0].length);
  }
}

for (const html of [
  "hi<!--</body>",
  "hi</body><!--",
  "hi<!-- a --></body><!-- </body> --></html>",
  "hi<!--></body>-->",
  "hi<!---></body>",
  "hi<!--!></body>",
  "hi<!-- --!></body>",
  "hi<!-- <!-- --> </body> <!-- -",
  "<!--",
  "hi",
]) {
  test(`the foot of ${html} is seen`, () => {
    const seen = shown(footOf(html));
    assert.ok(seen.includes(URL), seen);
    assert.equal(seen.split(URL).length, 2);
  });
}

test("the foot stands before the end of the body, the last one that is no comment", () => {
  assert.match(
    footOf("<body>hi</body><!-- </body> --></html>"),
    /hi<hr>[\s\S]*<\/p>\r\n<\/body><!-- <\/body>/,
  );
});

test("many beginnings of comments cost no more than their length", () => {
  const started = performance.now();
  footOf("<!--".repeat(50_000));
  footOf("<!-- -->".repeat(25_000));
  assert.ok(performance.now() - started < 1000);
});
