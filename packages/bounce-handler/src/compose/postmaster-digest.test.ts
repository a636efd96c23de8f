import assert from "node:assert/strict";
import { test } from "node:test";
import { composePostmasterDigest, type PostmasterDigest } from "./postmaster-digest.ts";

const DIGEST: PostmasterDigest = {
  hostname: "mx.forwarder.example",
  id: "0123abcd",
  now: 1_800_000_000,
  to: { localPart: "postmaster", domain: "forwarder.example" },
  count: 3,
  lines: [
    "bob@origin.example, about alice@forwarder.example: 550 5.1.1",
    "eve@bad.example: 554 \u001b[2J\r\nü",
  ],
};

function written(changed: Partial<PostmasterDigest> = {}): string {
  return composePostmasterDigest({ ...DIGEST, ...changed }).toString("utf8");
}

test("a digest lists double bounces in plain text, and says what they mean and what to do", () => {
  assert.equal(
    written(),
    [
      "From: Mail Delivery System <mailer-daemon@mx.forwarder.example>",
      "To: <postmaster@forwarder.example>",
      "Subject: 3 bounces could not be delivered to anybody",
      "Date: Fri, 15 Jan 2027 08:00:00 +0000",
      "Message-ID: <0123abcd@mx.forwarder.example>",
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=us-ascii",
      "",
      "3 bounces could not be delivered to anybody: double bounces.",
      "",
      "    bob@origin.example, about alice@forwarder.example: 550 5.1.1",
      "    eve@bad.example: 554 ?[2J???",
      "",
      "Not listed: 1 more.",
      "",
      "What it means: mail failed, mx.forwarder.example wrote to its sender about it, and that mail",
      "failed, too. It was dropped: whoever sent the first mail knows nothing of its failure.",
      "",
      "What to do: a few come from senders that were made up, as in spam, and need nothing.",
      "Many about one sender mean that his server does not take our bounces: look for the",
      "refusals in the log. Many about one alias mean that its target is dead: correct it, or",
      "take the alias out of the table.",
      "",
    ].join("\r\n"),
  );
});

test("one is one, and none listed are counted", () => {
  assert.match(
    written({ count: 1, lines: [] }),
    /\r\n\r\n1 bounce could not be delivered to anybody: double bounces\.\r\n\r\nNot listed: 1 more\.\r\n/,
  );
});

test("endless lines are cut, and so is the list: the mail stays below 256 KiB", () => {
  const lines = Array.from({ length: 3000 }, () => "x".repeat(5000));
  const octets = composePostmasterDigest({ ...DIGEST, count: 3000, lines });
  assert.match(octets.toString(), /\r\nNot listed: 2000 more\.\r\n/);
  assert.ok(octets.length < 256 * 1024);
  for (const line of octets.toString().split("\r\n")) assert.ok(line.length <= 998);
});
