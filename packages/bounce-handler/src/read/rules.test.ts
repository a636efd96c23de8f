import assert from "node:assert/strict";
import { test } from "node:test";
import { readBounce } from "./reader.ts";
import { TEXT_RULES, type TextRule } from "./rules.ts";

const message = ({ example }: TextRule, end = "\r\n"): Buffer =>
  Buffer.from(["To: alice@sender.example", ...example.header, "", ...example.text, ""].join(end), "utf8");

for (const rule of TEXT_RULES) {
  test(`the text rule "${rule.name}" reads its example, and no rule before it takes that`, () => {
    const report = readBounce(message(rule));
    assert.equal(report.kind, "bounce");
    assert.deepEqual(
      report.recipients.map((one) => ({
        recipient: one.finalRecipient,
        status: one.effectiveStatus,
        class: one.class,
        final: one.final,
      })),
      rule.example.expect.map((one) => ({ final: true, ...one })),
    );
    for (const one of report.recipients) assert.match(one.evidence, new RegExp(`^text rule ${rule.name};`));
  });
}

test("rules read the same from lines that end otherwise", () => {
  for (const rule of TEXT_RULES) {
    for (const end of ["\n", "\r"]) {
      assert.deepEqual(readBounce(message(rule, end)), readBounce(message(rule)), rule.name);
    }
  }
});

test("rules read the same from HTML", () => {
  for (const rule of TEXT_RULES) {
    const entities = (line: string) =>
      line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
    const html = `<html><head><style>p > b@c.example { x: y }</style></head><body>${rule.example.text.map((line) => `${entities(line)}<br/>`).join("\r\n")}</body></html>`;
    const header = [
      "To: alice@sender.example",
      ...rule.example.header,
      "Content-Type: text/html; charset=utf-8",
    ];
    const report = readBounce(Buffer.from([...header, "", html, ""].join("\r\n"), "utf8"));
    assert.deepEqual(
      report.recipients.map((one) => [one.finalRecipient, one.effectiveStatus]),
      rule.example.expect.map((one) => [one.recipient, one.status]),
      rule.name,
    );
  }
});

test("a rule's text is nobody's bounce where a person sends it on", () => {
  for (const rule of TEXT_RULES) {
    const text = [
      "From: Carol <carol@example.org>",
      "Subject: Fwd: what is this?",
      "",
      ...rule.example.text,
      "",
    ];
    assert.equal(readBounce(Buffer.from(text.join("\r\n"))).kind, "not-a-bounce", rule.name);
  }
});

test("markers are written as they are looked for: lower case, single blanks", () => {
  for (const { name, markers, oneOf = [], find } of TEXT_RULES) {
    const phrases = find.by === "list" ? find.after : find.by === "phrase" ? find.before : [];
    for (const one of [...markers, ...oneOf, ...phrases]) {
      assert.equal(one, one.toLowerCase().replace(/\s+/g, " ").trim(), name);
    }
  }
});
