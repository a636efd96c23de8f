import assert from "node:assert/strict";
import { test } from "node:test";
import { decodedXtext, envelopeId, originalRecipient } from "./xtext.ts";

const xtexts: [xtext: string, text: string | undefined][] = [
  ["abc", "abc"],
  ["a+2Bb+3Dc", "a+b=c"],
  ["+C3+B6", "ö"],
  ["", ""],
  ["a+2b", undefined],
  ["a+", undefined],
  ["a=b", undefined],
  ["a b", undefined],
  ["ö", undefined],
];
for (const [xtext, text] of xtexts) {
  test(`xtext "${xtext}" is ${text === undefined ? "none" : `"${text}"`}`, () => {
    assert.equal(decodedXtext(xtext), text);
  });
}

const ids: [envid: string, id: string | undefined][] = [
  ["QQ314159", "QQ314159"],
  ["a+20b", "a b"],
  ["a+0D+0AX:+20y", undefined],
  ["+C3+B6", undefined],
  ["x".repeat(100), "x".repeat(100)],
  ["x".repeat(101), undefined],
];
for (const [envid, id] of ids) {
  test(`ENVID ${envid} comes back as ${id ?? "nothing"}`, () => assert.equal(envelopeId(envid), id));
}

const recipients: [orcpt: string, recipient: string | undefined][] = [
  ["rfc822;Bob+2Bx@example.org", "rfc822 Bob+x@example.org"],
  ["utf-8;j+5Cx{F6}r@example.org", "utf-8 jör@example.org"],
  ["utf-8;jör@example.org", "utf-8 jör@example.org"],
  ["utf-8;+5Cx{110000}@example.org", "utf-8 \\x{110000}@example.org"],
  ["x400;/c=de/", undefined],
  ["rfc822;bob+0D+0A@example.org", undefined],
  ["rfc822;", undefined],
  [";bob@example.org", undefined],
  ["bob@example.org", undefined],
  [`rfc822;${"x".repeat(500)}`, undefined],
];
for (const [orcpt, recipient] of recipients) {
  test(`ORCPT ${orcpt.slice(0, 40)} comes back as ${recipient ?? "nothing"}`, () => {
    const read = originalRecipient(orcpt);
    assert.equal(read && `${read.type} ${read.address}`, recipient);
  });
}
