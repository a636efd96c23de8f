import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldValues } from "./header-fields.ts";

test("a field is unfolded and trimmed, and a letter whose last octet is 0xA0 is whole", () => {
  const header = Buffer.from(
    "SUBJECT:  voilà \r\n\tvoilà\r\nTo: x\r\nsubject:\tà\r\n\r\nSubject: not this\r\n",
  );
  const values = fieldValues(header, "Subject").map((value) => Buffer.from(value, "latin1").toString());
  assert.deepEqual(values, ["voilà voilà", "à"]);
});
