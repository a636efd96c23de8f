// The tests' own privacy oracle sees what it has to see: otherwise every test with it passes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { leaksIn } from "./leaks.ts";

const WORDS = ["jörg@home.example", "jörg", "home.example"];
const base64 = (text: string) => Buffer.from(text).toString("base64");
const eachOctet = (text: string, written: (octet: number) => string) =>
  [...Buffer.from(text)].map(written).join("");
const hex = (octet: number) => octet.toString(16).padStart(2, "0");

const shown: [how: string, text: string][] = [
  ["as it is", "To: jörg"],
  ["in capitals", "HOME.Example"],
  ["in base64", `Subject: ${base64("to jörg, please")}`],
  ["in base64 that begins elsewhere", `x${base64("home.example")}`],
  ["in base64 of URLs", Buffer.from("?~jörg~?").toString("base64url")],
  [
    "in a base64 part of several lines",
    base64(`${"x".repeat(50)}home.example`).replace(/(.{20})/g, "$1\r\n"),
  ],
  ["in quoted-printable", "j=c3=b6rg"],
  ["over a soft line end", "home.ex=\r\nample"],
  ["in an encoded word, B", `=?utf-8?B?${base64("jörg")}?=`],
  ["in two encoded words, B", `=?utf-8?B?${base64("home.e")}?= =?utf-8?B?${base64("xample")}?=`],
  ["in an encoded word, Q", "=?utf-8?q?j=C3=B6rg?="],
  ["in an old charset", "=?iso-8859-1?q?j=F6rg?="],
  ["in percent", eachOctet("jörg", (octet) => `%${hex(octet)}`)],
  ["in xtext", eachOctet("home.example", (octet) => `+${hex(octet)}`)],
  ["in octal", eachOctet("jörg", (octet) => `\\${octet.toString(8).padStart(3, "0")}`)],
  ["in an RFC 6533 escape", "j\\x{F6}rg"],
  ["in HTML", "j&#246;rg"],
  ["in hexadecimal", Buffer.from("home.example").toString("hex")],
  ["in percent inside base64", base64(eachOctet("jörg", (octet) => `%${hex(octet)}`))],
];
for (const [how, text] of shown) {
  test(`the tests see a secret ${how}`, () => assert.notDeepEqual(leaksIn(text, WORDS, []), []));
}

test("the tests see no secret where there is none, or inside an address that is allowed", () => {
  assert.deepEqual(leaksIn("Subject: at home, example 1", WORDS, []), []);
  assert.deepEqual(leaksIn("To: Jörg@Forwarder.Example", WORDS, ["jörg@forwarder.example"]), []);
});

test("a secret of two letters is seen as a word alone", () => {
  assert.notDeepEqual(leaksIn("To: <ok@x.example>", ["ok"], []), []);
  assert.deepEqual(leaksIn("To: a book", ["ok"], []), []);
});
