import assert from "node:assert/strict";
import { test } from "node:test";
import type { DnsAnswer } from "@homing/spf";
import { NoAnswer } from "./library.ts";
import { keyResolver } from "./thread-dns.ts";

const FOUND: DnsAnswer<string> = { kind: "records", records: ["v=DKIM1; p=x", "other"] };
const rows: [answer: DnsAnswer<string>, type: string, code: string][] = [
  [{ kind: "no-such-name" }, "TXT", "ENOTFOUND"],
  [{ kind: "records", records: [] }, "TXT", "ENODATA"],
  [{ kind: "no-such-name" }, "A", "ENOTFOUND"],
  [FOUND, "A", "ENODATA"],
  [FOUND, "CNAME", "ENOTFOUND"],
];
for (const [answer, type, code] of rows) {
  test(`${JSON.stringify(answer)} of ${type} is ${code}`, async () => {
    await assert.rejects(keyResolver(async () => answer)("a.example", type), { code });
  });
}

test("records come as lists of their strings", async () => {
  assert.deepEqual(await keyResolver(async () => FOUND)("a.example", "TXT"), [["v=DKIM1; p=x"], ["other"]]);
});

test("no answer is no answer, and not a name that does not exist", async () => {
  const resolve = keyResolver(async () => ({ kind: "failed", cause: "SERVFAIL" }));
  await assert.rejects(
    resolve("a.example", "TXT"),
    (error) => error instanceof NoAnswer && /SERVFAIL/.test(error.message),
  );
});

test("a name that cannot be in DNS is not asked for", async () => {
  const resolve = keyResolver(() => assert.fail("it was asked for"));
  for (const name of ["a..example", `${"a".repeat(64)}.example`, `${"a.".repeat(127)}example`])
    await assert.rejects(resolve(name, "TXT"), { code: "ENOTFOUND" });
});

test("beyond so many questions, nothing is asked", async () => {
  let asked = 0;
  const resolve = keyResolver(
    async () => {
      asked++;
      return FOUND;
    },
    { questions: 2 },
  );
  await resolve("a.example", "TXT");
  await resolve("b.example", "TXT");
  await assert.rejects(resolve("c.example", "TXT"), NoAnswer);
  assert.equal(asked, 2);
});

test("when its time is over, a message has no answer any more", async () => {
  const resolve = keyResolver(() => new Promise(() => {}), { timeMs: 5 });
  const kept = setInterval(() => {}, 1_000);
  for (const name of ["a.example", "b.example"])
    await assert.rejects(
      resolve(name, "TXT"),
      (error) => error instanceof NoAnswer && /time for DNS is over/.test(error.message),
    );
  clearInterval(kept);
});
