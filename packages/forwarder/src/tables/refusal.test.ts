import assert from "node:assert/strict";
import { test } from "node:test";
import { parseRefusal } from "./refusal.ts";

const USUAL = { code: 550, enhanced: "5.1.1", text: "no such address here" };

const texts: [text: string, reply: string][] = [
  ["", "550 5.1.1 no such address here"],
  [" ", "550 5.1.1 no such address here"],
  ["she left", "550 5.1.1 she left"],
  ["551 she left", "551 5.1.1 she left"],
  ["5.1.6 she left", "550 5.1.6 she left"],
  ["554 5.7.1 she left", "554 5.7.1 she left"],
  ["554", "554 5.1.1 no such address here"],
  ["5555 words", "550 5.1.1 5555 words"],
  ["100% gone", "550 5.1.1 100% gone"],
  ["x".repeat(400), `550 5.1.1 ${"x".repeat(400)}`],
];
for (const [text, expected] of texts) {
  test(`a refusal in the words ${JSON.stringify(text.slice(0, 20))}`, () => {
    const parsed = parseRefusal(text, USUAL);
    assert.ok(parsed.ok);
    const { code, enhanced, text: words } = parsed.reply;
    assert.equal(`${code} ${enhanced} ${words}`, expected);
  });
}

const bad: [text: string, message: RegExp][] = [
  ["450 later", /^the codes must begin with 5, as in "550 5\.1\.1 no such address here"$/],
  ["250 ok", /^250 refuses nothing: write :blackhole: for an address whose mail is taken and thrown away$/],
  ["250", /^250 refuses nothing/],
  ["354 go", /^354 is no code of a refusal: write one such as 450 or 550, or words alone$/],
  ["599 x", /^599 is no code of a refusal/],
  ["404 not found", /^the codes must begin with 5/],
  ["551-5.1.1 x", /^a reply is one line here: write a blank behind the code, and no hyphen$/],
  ["250-ok", /^a reply is one line here/],
  ["421 4.3.2 later", /^421 ends the whole session: write 450 or 451 to put off this address$/],
  ["550 4.1.1 x", /^the codes must begin with 5/],
  ["elle est partie à Rome", /^the words must be in ASCII/],
  ["two\nlines", /^the words must be in ASCII, without control characters$/],
  ["two\r\n250 lines", /^the words must be in ASCII/],
  ["x".repeat(401), /^the words have 401 characters: write 400 at most$/],
];
for (const [text, message] of bad) {
  test(`no refusal: ${JSON.stringify(text.slice(0, 20))}`, () => {
    const parsed = parseRefusal(text, USUAL);
    assert.ok(!parsed.ok);
    assert.match(parsed.message, message);
  });
}
