import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageRequest } from "../on-behalf.ts";
import { messageScene } from "../testing/message-scene.ts";
import { findLink } from "./find-link.ts";

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
  "a link in the subject": ["subject", { ...IP, subject: "www.shop.example" }],
  "a link in the name": ["name", { ...IP, name: "http://shop.example" }],
};
/** With what the answer says was found. */
const LINKS: Readonly<Record<string, string>> = {
  "look at HTTPS://shop.example": "://",
  "ftp://files": "://",
  "https:／／spam": "://",
  "https：//spam": "://",
  "http:\\\\spam": "://",
  "http:/\\spam": "://",
  "look at WWW.shop.example": "www.",
  "ｗｗｗ．spam．example": "www.",
  "w\u200bww.spam": "a host name with .spam",
  "MailTo:bob": "mailto:",
  "write to bob@spam": "an @",
  "write to bob＠spam": "an @",
  "at 192.0.2.1/offer": "an IP address",
  "buy at spam.example/offer": "a host name with .example",
  "bit.ly/3abcde": "a host name with .ly",
  "bit.ly": "a host name with .ly",
  "(bit.ly)": "a host name with .ly",
  "bit.ly:8080": "a host name with .ly",
  "bit.ly, or": "a host name with .ly",
  "bit.ly\nand": "a host name with .ly",
  "bit․ly": "a host name with .ly",
  "ｂｉｔ．ｌｙ": "a host name with .ly",
  "bit.\u00adly": "a host name with .ly",
  "bit.l\u200dy": "a host name with .ly",
  // To a mail program the name may end where the unseen stands.
  "bit.ly\u200b3": "a host name with .ly",
  "bit.l\ufe0fy": "a host name with .ly",
  "a.b.c.spam.example": "a host name with .spam",
  "3.spam.example.": "a host name with .spam",
  "i❤.ws": "a host name with .ws",
  "пример.рф": "a host name with .рф",
  "spam.xn--p1ai": "a host name with .xn",
  "spam。com": "a host name",
  "See you tomorrow.Bye": "a host name with .bye",
};
for (const [text, found] of Object.entries(LINKS)) {
  test(`a visitor's text ${JSON.stringify(text)} is refused: a mail program may make a link of ${found}`, async () => {
    const scene = await visitorScene();
    const { type, field, detail } = await scene.refused({ ...IP, text });
    assert.deepEqual([type, field], ["visitor-rules", "text"]);
    assert.ok(detail.endsWith(` of ${found}`), detail);
    // Of a name an @ is refused before, whoever the user is.
    const named = await scene.refused({ ...IP, name: text.replace("\n", " ") });
    assert.equal(named.field, "name");
  });
}

test("a visitor's prose is none of a link", async () => {
  for (const text of [
    "e.g. this",
    "At 5.30 pm, i.e. in the evening. Bring 2.5kg of it.",
    "At 5 p.m.",
    "U.S. mail. The U.S.A., too",
    "Ph.D. at last!",
    "Awww... so sweet.",
    "well...ok…fine",
    "See you tomorrow. Bye.",
    "Version 1.2b of it, on 22.11.2026",
    "Note: this/that, and/or C:\\cards",
    "你好。再见。",
    "3:0 for us :-) :/",
    "Ж. Верн",
  ])
    await (await visitorScene()).sent({ ...IP, text, name: "Dr. Alice B. Jr." });
});

test("looking for links takes time that grows with the text", () => {
  const seconds = (text: string) => {
    const begun = process.hrtime.bigint();
    assert.equal(findLink(text), undefined);
    return Number(process.hrtime.bigint() - begun) / 1e9;
  };
  for (const part of ["a", "1", ".", "a.", "1.1.x1.", ":", "/", "w", "w.", "a.b1", "\u200b"])
    assert.ok(seconds(part.repeat(100_000)) < 1, part);
});

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
