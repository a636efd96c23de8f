// A next hop that takes the message, and ends the connection instead of an answer: what is in the queue is tried again, an
// unverified client hears 451, nothing is lost. RFC 1047.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEPT, sendOne } from "./harness/client.ts";
import { untilQueueIsEmpty } from "./harness/left-behind.ts";
import { letter } from "./harness/letters.ts";
import { scale, timeout } from "./harness/scale.ts";
import { GOES_AWAY, LOSES_IT, startSink } from "./harness/sink.ts";
import { createSite } from "./harness/site.ts";

const MESSAGES = scale(40, 400);
const SECONDS = { queueTimes: { firstRetry: 1, maxRetry: 1 } };

for (const hasIt of [true, false]) {
  test(`a connection that is lost at the dot, ${hasIt ? "with" : "without"} the message taken: spooled mail is tried again, other clients are told`, {
    timeout,
  }, async () => {
    await using hop = await startSink({
      dot: ({ nth }) => (nth > 1 ? undefined : hasIt ? GOES_AWAY : LOSES_IT),
    });
    await using site = await createSite({ routes: { "home.example": hop.port } });
    const service = await site.start({ seconds: SECONDS });
    const send = (index: number): Promise<string> => {
      const verified = index % 2 === 0;
      const localAddress = verified ? "127.0.0.1" : `127.0.7.${1 + (index % 250)}`;
      return sendOne(service.port, letter(`s${index}`), { localAddress });
    };
    const indices = Array.from({ length: MESSAGES }, (_, index) => index);
    const replies = await Promise.all(indices.map(send));
    for (const [index, reply] of replies.entries())
      assert.match(reply, index % 2 === 0 ? new RegExp(`^${KEPT}$`) : /^451 4\.4\.2 /);
    await untilQueueIsEmpty(site.stateFolder);
    // Its client comes again, as it was told to.
    for (const index of indices.filter((one) => one % 2 === 1)) assert.match(await send(index), /^250 /);
    assert.equal(hop.copies.size, MESSAGES);
    assert.deepEqual(new Set(hop.copies.values()), new Set([hasIt ? 2 : 1]));
    assert.deepEqual(hop.torn, []);
    assert.deepEqual(
      service.events().filter(({ event }) => event === "error"),
      [],
    );
  });
}
