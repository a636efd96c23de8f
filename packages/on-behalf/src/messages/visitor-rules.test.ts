import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageRequest } from "../on-behalf.ts";
import { messageScene } from "../testing/message-scene.ts";

const IP = { visitorIp: "192.0.2.7" };

async function visitorScene() {
  const scene = messageScene();
  await scene.confirm("alice@example.org", "visitor");
  return scene;
}

test("a visitor sends a note of 1,000 characters", async () => {
  const scene = await visitorScene();
  await scene.sent({ ...IP, text: "é".repeat(1000) });
  // Characters, and not the units in which a program counts them.
  await scene.sent({ ...IP, text: "🎂".repeat(1000) });
});

const AGAINST: Readonly<Record<string, [field: string, request: Partial<MessageRequest>]>> = {
  "1,001 characters": ["text", { ...IP, text: "é".repeat(1001) }],
  "no IP address": ["visitorIp", {}],
  HTML: ["html", { ...IP, html: "<b>Hi</b>" }],
  "a link": ["text", { ...IP, text: "look at HTTPS://shop.example" }],
  "a link of another scheme": ["text", { ...IP, text: "ftp://files.example" }],
  "a link without a scheme": ["text", { ...IP, text: "look at WWW.shop.example" }],
  "a link in the subject": ["subject", { ...IP, subject: "www.shop.example" }],
  "a link in the name": ["name", { ...IP, name: "http://shop.example" }],
};
for (const [what, [field, request]] of Object.entries(AGAINST)) {
  test(`a visitor's message with ${what} is refused, and says so of ${field}`, async () => {
    const scene = await visitorScene();
    const problem = await scene.refused(request);
    assert.deepEqual([problem.type, problem.field], ["visitor-rules", field]);
    assert.equal(scene.store.mails.length, 1, "the confirmation alone");
  });
}

test("a user may do all that a visitor may not", async () => {
  const scene = messageScene();
  await scene.confirm("alice@example.org");
  await scene.sent({
    text: `${"long ".repeat(1000)} https://shop.example`,
    html: "<a href='https://x.example'>x</a>",
  });
});

test("an IP address that is none is refused of anybody", async () => {
  const scene = await visitorScene();
  for (const visitorIp of ["", "localhost", "192.0.2.7:80", "fe80::1%1", "1.2.3.4, 5.6.7.8"]) {
    const problem = await scene.refused({ visitorIp });
    assert.deepEqual([problem.type, problem.field], ["invalid-field", "visitorIp"]);
  }
});
