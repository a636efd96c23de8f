import assert from "node:assert/strict";
import { test } from "node:test";
import { PROBLEMS, type ProblemType } from "@homing/on-behalf";
import { createApp } from "../app.ts";
import { createRealService } from "../testing/real-service.ts";

const app = createApp({
  hostname: "mx.site.example",
  whyLinks: { read: () => ({ kind: "not-ours" }) },
  failed: (error) => assert.fail(String(error)),
  onBehalf: createRealService("https://mail.demo.example"),
});

async function get(path: string): Promise<{ status: number; text: string }> {
  const response = await app.request(path);
  return { status: response.status, text: await response.text() };
}

for (const type of Object.keys(PROBLEMS) as ProblemType[]) {
  test(`${type} has a page that says what it means, and what to do`, async () => {
    const { status, text } = await get(`/problems/${type}`);
    assert.equal(status, 200);
    assert.ok(text.includes(`<title>${PROBLEMS[type].title.replaceAll("'", "&#39;")}</title>`));
    assert.ok(text.includes(`<dd>${PROBLEMS[type].status}</dd>`));
    const paragraphs = [...text.matchAll(/<h2>(.*)<\/h2>\n<p>(.*)<\/p>/g)];
    assert.deepEqual(
      paragraphs.map(([, heading]) => heading),
      ["What it means", "What to do"],
    );
    for (const [, , words = ""] of paragraphs) assert.match(words, /^[A-Z].{30,}\.$/);
    assert.ok((await get("/problems")).text.includes(`href="problems/${type}"`));
  });
}

for (const path of [
  "/problems/eve",
  "/problems/constructor",
  "/problems/__proto__",
  "/problems/unauthorized/x",
]) {
  test(`${path} is no page`, async () => {
    const { status, text } = await get(path);
    assert.equal(status, 404);
    assert.doesNotMatch(text, /eve\b|__proto__/);
  });
}
