import assert from "node:assert/strict";
import { test } from "node:test";
import { sendmailArguments, withoutAddresses } from "./hand-over.ts";

const CALL = {
  conventions: "sysexits",
  sender: "b@y.example",
  fromHeader: false,
  recipients: ["a@x.example"],
} as const;

const calls: readonly [
  what: string,
  changes: Partial<Parameters<typeof sendmailArguments>[0]>,
  line: string,
][] = [
  ["a sender", {}, "-i -f b@y.example -- a@x.example"],
  ["the null sender", { sender: "" }, "-i -f <> -- a@x.example"],
  ["the null sender, to qmail", { sender: "", conventions: "qmail" }, "-i -f  -- a@x.example"],
  ["mail of the site's own", { sender: undefined, fromHeader: true, recipients: [] }, "-i -t"],
  ["with a name", { fromHeader: true, fullName: "Bob" }, "-i -t -F Bob -f b@y.example -- a@x.example"],
  ["a recipient like an option", { recipients: ["-bs"] }, "-i -f b@y.example -- -bs"],
];

for (const [what, changes, line] of calls) {
  test(`sendmail is called with ${what}`, () => {
    assert.equal(sendmailArguments({ ...CALL, ...changes }).join(" "), line);
  });
}

test("what goes into a bounce has neither addresses nor controls", () => {
  assert.equal(
    withoutAddresses("sendmail: <private@x.example>: no \u001b[2Jroom, ask root@localhost"),
    "sendmail: … no ?[2Jroom, ask …",
  );
});
