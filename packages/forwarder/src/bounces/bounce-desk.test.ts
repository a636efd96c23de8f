import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryContent } from "@homing/mail";
import { NULL_PATH } from "@homing/srs-core";
import type { Incoming } from "../hand-over/incoming.ts";
import type { UnwrappedSrs0 } from "../routes.ts";
import { WorkRefused } from "../threads/work-refused.ts";
import { type BounceDeskOptions, createBounceDesk } from "./bounce-desk.ts";

const SRS = { localPart: "SRS0=x=y=source.example=bob", domain: "forwarder.example" };
const mail = {
  id: "k1",
  command: { reversePath: NULL_PATH },
  content: memoryContent(Buffer.from("x")),
  leads: [{ recipient: SRS, copies: [], trace: "" }],
} as unknown as Incoming;
const unwrapped = { srs: "srs0", isAnswer: false } as UnwrappedSrs0;

/** Nobody is asked anything: what cannot be read has no sender, no alias and no way. */
function desk(read: BounceDeskOptions["read"]) {
  return createBounceDesk({
    read,
    report: ({ event }) => assert.fail(`the event ${event}`),
    aliasOf: () => assert.fail("an alias was looked up"),
  } as Partial<BounceDeskOptions> as BounceDeskOptions);
}

for (const reason of ["lost", "busy", "closed"] as const)
  test(`a bounce that no thread reads (${reason}) comes again`, async () => {
    let asked = 0;
    const { take } = desk(async () => {
      asked++;
      throw new WorkRefused(reason, "it is gone");
    });
    const { code, enhanced } = await take(mail, unwrapped);
    assert.deepEqual([code, enhanced], [451, "4.3.0"]);
    assert.equal(asked, 1, "it is not tried again");
  });

test("what is a bug stays one", async () => {
  for (const error of [new WorkRefused("failed", "TypeError: x"), new Error("the disk is gone")])
    await assert.rejects(
      desk(() => Promise.reject(error)).take(mail, unwrapped),
      (thrown) => thrown === error,
    );
});
