import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createRewriter, parseMailbox } from "@homing/srs-core";
import { drawBoxes } from "./boxes.ts";
import { inspectAddress } from "./inspect.ts";

const NOW = 1_700_000_000; // stamp G3

function drawn(address: string, secrets?: readonly string[]): string {
  const parsed = parseMailbox(address);
  assert.ok(parsed.ok);
  const rewriter = secrets && createRewriter({ secrets, domain: "d.example", accept: ["strong", "classic"] });
  const outcome = inspectAddress(parsed.mailbox, { rewriter, maxAgeDays: 21, now: NOW });
  assert.ok(outcome.ok);
  return stripVTControlCharacters(drawBoxes(outcome.inspection).join("\n"));
}

test("each hop is a box inside the one before, and the original sender the innermost", () => {
  assert.equal(
    drawn("SRS1=zzzz=first.example==k5jjmthi=G3=origin.example=bob@second.example", ["a long random secret"]),
    `\
┌─ SRS1 at second.example ──────────────────────────────────────────────
│ address   SRS1=zzzz=first.example==k5jjmthi=G3=origin.example=bob@second.example
│ tag       zzzz  not verified: second.example has a secret of its own, or it was changed
│ host      first.example, the first forwarder
│ length    55 of 64 octets before the @
│ bounce    would go to SRS0=k5jjmthi=G3=origin.example=bob@first.example, if second.example finds the tag good
│ ┌─ SRS0 at first.example ─────────────────────────────────────────────
│ │ address   SRS0=k5jjmthi=G3=origin.example=bob@first.example
│ │ tag       k5jjmthi  ok: strong, secret (the newest)
│ │ stamp     G3  2023-11-14 UTC, today: 21 days left
│ │           or 2021-01-24, 1,024 days before: ten bits wrap
│ │ host      origin.example
│ │ user      bob
│ │ length    35 of 64 octets before the @
│ │ bounce    would go to bob@origin.example
│ │ ┌─ original sender ─────────────────────────────────────────────────
│ │ │ bob@origin.example
│ │ └───────────────────────────────────────────────────────────────────
│ └─────────────────────────────────────────────────────────────────────
└───────────────────────────────────────────────────────────────────────`,
  );
});

const told: [address: string, words: RegExp][] = [
  ["SRS0=k5jjmthi=G3=origin.example=eve@first.example", /tag .* wrong: none of the secrets made it/],
  ["SRS0=k5jjmthi=G3=origin.example=eve@first.example", /bounce +would be refused: the tag is wrong/],
  ["SRS0=aaaa=GR=origin.example=bob@first.example", /10 days ago: 11 days left/],
  ["SRS0=aaaa=GG=origin.example=bob@first.example", /21 days ago: its last day/],
  ["SRS0=aaaa=GF=origin.example=bob@first.example", /22 days ago: expired 1 day ago/],
  ["SRS0=aaaa=G4=origin.example=bob@first.example", /1 day ahead of today: from the future/],
  ["SRS0=aaaa=G3=1=token@first.example", /host +1, which stands for a sender that the forwarder keeps/],
  [
    `SRS0=aaaa=G3=origin.example=${"l".repeat(40)}@first.example`,
    /length +68 of 64 .*: servers may refuse it/,
  ],
  ["SRS1=aaaa=first.example==x@second.example", /not readable at first\.example/],
];
for (const [address, words] of told) {
  test(`${address}: ${words.source}`, () => {
    assert.match(drawn(address, ["a long random secret"]), words);
  });
}
