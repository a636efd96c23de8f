import assert from "node:assert/strict";
import { test } from "node:test";
import { isStrangelySpelt } from "./spelling.ts";

const SRS = "SRS0=abcdefgh=G3=source.example=bob";

const plain = [
  "",
  "postmaster",
  "bob@origin.example",
  "bob+list@origin.example",
  "b.o'b=x@origin.example",
  "a..b.@docomo.example",
  '"two words"@origin.example',
  '"a\\"b"@origin.example',
  "bob@[192.0.2.1]",
  "bob@[IPv6:2001:db8::1]",
  "jürgen@bücher.example",
  "bob@localhost",
  "bob@",
  `${SRS}@srs.example`,
  `"${SRS}"@srs.example`,
];
for (const text of plain)
  test(`<${text}> is what it says`, () => assert.equal(isStrangelySpelt(text), false));

const strange = [
  "bob%origin.example",
  "origin.example!bob",
  "bob%origin.example@home.example",
  "origin.example!bob@home.example",
  "bob@origin.example@home.example",
  '"bob%origin.example"@home.example',
  '"bob@origin.example"@home.example',
  "@home.example:bob@origin.example",
  "@@",
  "bob @origin.example",
  "bob@ origin.example",
  " bob@origin.example",
  "bob@origin.example ",
  "bob@\torigin.example",
  "(c)bob@origin.example",
  "bob@(c)origin.example",
  "bob@origin.example(c)",
  "b\\ob@origin.example",
  '"b"ob@origin.example',
  '"bob"(c)@origin.example',
  '"bob@origin.example',
  '"bob\\"@origin.example',
  "list:bob@origin.example",
  "bob@origin.example,eve@origin.example",
  "bob@origin.example;",
  "<bob@origin.example",
  "bob@origin.example.",
  SRS,
  `"${SRS}"`,
  `${SRS}@srs`,
];
for (const text of strange)
  test(`<${text}> may become another address`, () => assert.equal(isStrangelySpelt(text), true));
