import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createOracle } from "./oracle.ts";

const oracle = createOracle({
  secrets: ["nouser@dest.example", "nouser", "dest.example", "jörg", "große"],
  known: ["nouser-shop@fwd.example"],
});
const base64 = (text: string) => Buffer.from(text).toString("base64");

const shown: [how: string, text: string][] = [
  ["as it is", "To: <nouser@dest.example>"],
  ["in capitals", "NoUser is away"],
  ["as part of a name", "mx7.dest.example"],
  ["in base64", `x ${base64("for nouser, please")} y`],
  ["in base64 that begins elsewhere", `Q${base64("nouser")}`],
  ["in base64 of base64", base64(base64("nouser"))],
  ["in the alphabet of URLs", Buffer.from("???nouser").toString("base64url")],
  ["in an encoded word, B", `=?utf-8?B?${base64("nouser")}?=`],
  ["in two encoded words", `=?utf-8?B?${base64("nou")}?= =?utf-8?B?${base64("ser")}?=`],
  ["in an encoded word, Q", "=?iso-8859-1?Q?n=6Fuser?="],
  ["in percent", "https://list.example/?u=%6e%6F%75ser"],
  ["in quoted-printable", "n=6Fus=\r\ner"],
  ["in xtext", "no+75ser"],
  ["in octal", "n\\157user"],
  ["in an old charset", "=?iso-8859-1?Q?J=F6rg?="],
  ["octal of UTF-8", "j\\303\\266rg"],
  ["in an RFC 6533 escape", "j\\x{F6}rg"],
  ["in HTML", "n&#111;user and &#x6e;obody"],
  ["in hexadecimal", Buffer.from("nouser").toString("hex")],
  ["percent inside base64", base64("%6eouser")],
  ["in wide letters", "ｎｏｕｓｅｒ"],
  ["with a soft hyphen", "nou\u00adser"],
  ["with blanks", "dest . example"],
  ["with a backslash", 'n\\ou"ser"'],
  ["inside what begins as an address that is known", "nouser-shop@fwd.example.net"],
  ["inside what ends as an address that is known", "x.nouser-shop@fwd.example"],
  ["in capitals of a sharp s", "GROSSE"],
  ["in UTF-16", `=?utf-16le?B?${Buffer.from("nouser", "utf16le").toString("base64")}?=`],
  ["in UTF-8 that was read as latin1", Buffer.from("jörg").toString("latin1")],
];
for (const [how, text] of shown) {
  test(`a secret is seen ${how}`, () => assert.notEqual(oracle(text), undefined, text));
}

const silent: [what: string, text: string][] = [
  ["an ordinary subject", "Re: Lunch on Tuesday? 50% off + 3=4"],
  ["a Message-ID", "<CAHk-=wj8rS3qkVvBq1rZQ@mail.source.example>"],
  ["the known address", "Shop <nouser-shop@fwd.example>, carol@other.example"],
  ["the known address at the end of a sentence", "I wrote to nouser-shop@fwd.example."],
  ["nothing", ""],
  ["a Japanese subject", "=?ISO-2022-JP?B?GyRCJCIkKiQoJCYbKEI=?="],
];
for (const [what, text] of silent) {
  test(`no secret is seen in ${what}`, () => assert.equal(oracle(text), undefined));
}

const short = createOracle({ secrets: ["u8"], known: ["u8@fwd.example"] });
const shortTexts: [text: string, shows: boolean][] = [
  ["To: U8 <info@fwd.example>", true],
  ["<u8.1@mail.example>", true],
  ["=?utf-8?Q?for_=758?=", true],
  ["an utf8 u80 question", false],
  ["To: u8@fwd.example", false],
  ["<dTg+u8x@mail.example>", false],
];
for (const [text, shows] of shortTexts) {
  test(`a secret of two letters is seen as a word alone: ${text}: ${shows}`, () =>
    assert.equal(short(text) !== undefined, shows));
}

const asWords = createOracle({
  secrets: ["info", "mail.com", "in.for.me", "multi", "robert.miller", "web.de"],
  known: [],
  asWords: true,
});
const wordTexts: [text: string, shows: boolean][] = [
  ["information", false],
  ["<1@hotmail.com>", false],
  ["<1@mail.company.example>", false],
  ["hotmail.com and gmail . com", false],
  ["reinforment", false],
  ["<1@aweb.design>", false],
  ["info", true],
  ["x-info.7", true],
  ["20261120info2", true],
  ["INFO@x.example", true],
  [base64("for info, please"), true],
  ["<1@mx.mail.com>", true],
  ["<1@mail.com.example>", true],
  ["in for me", true],
  ["multiline", true],
  ["xxrobert.millerxx", true],
  ["<1@x-web.de>", true],
];
for (const [text, shows] of wordTexts) {
  test(`where short secrets are looked for as words, ${text} shows ${shows ? "one" : "none"}`, () =>
    assert.equal(asWords(text) !== undefined, shows, asWords(text)));
}

test("a text that is too long, or has too many layers, counts as showing a secret", () => {
  assert.match(oracle("x".repeat(4097)) ?? "", /too long/);
  const layers = Array.from({ length: 40 }, (_, at) => `%25=25+25\\045&#37;U+0025 ${base64(`%${at}=41`)}`);
  assert.match(oracle(layers.join(" ")) ?? "", /too many/);
});

test("more secrets than can be looked for: every text counts as showing one", () => {
  const many = createOracle({ secrets: Array.from({ length: 501 }, (_, at) => `secret${at}`), known: [] });
  assert.notEqual(many("hello"), undefined);
});

test("whatever the text, an answer comes in time", () => {
  const pieces = [
    "=?",
    "?B?",
    "?=",
    "%2",
    "=41",
    "\\101",
    "&#",
    "AAAA",
    "+4",
    " ",
    "nous",
    "\\x{",
    "é",
    "\ud800",
  ];
  const texts = fc.array(fc.constantFrom(...pieces), { minLength: 500, maxLength: 1000 });
  const began = performance.now();
  fc.assert(
    fc.property(texts, (parts) => {
      oracle(parts.join(""));
    }),
    { numRuns: 50 },
  );
  assert.ok(performance.now() - began < 5000);
});
