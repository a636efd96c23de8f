import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { colouredSrs } from "./coloured-srs.ts";

for (const address of [
  "SRS0=abcd=JK=origin.example=bob@f.example",
  "srs1+abcd=first.example=-wxyz=JK=origin.example=bob@f.example",
  '"SRS0=abcd=JK=origin.example=a b"@f.example',
  '"SRS0=abcd=JK=origin.example=a\\"b\\\\c"@f.example',
  '"SRS0=abcd=JK=[192.0.2.1]=bob"@f.example',
  '"SRS0=ab\\"d=JK=origin.example=bob"@f.example',
  '"SRS1=abcd=first.example==wxyz=JK=origin.example=a b"@f.example',
  "SRS0=abcd=JK=origin.example=jörg@f.example",
  "bob@origin.example",
  '"a b"@origin.example',
]) {
  test(`without its colours, ${address} is the address as it was`, () => {
    assert.equal(stripVTControlCharacters(colouredSrs(address)), address);
  });
}
