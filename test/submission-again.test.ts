// A client that has submitted a message and does not hear the answer sends it again: nobody gets two copies, though what we add to
// each (Date, Message-ID, a signature) differs.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { createScryptPasswords, type SubmissionPolicy } from "@homing/forwarder";
import { startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import {
  ALICE,
  alicesClient,
  people,
  policyOf,
  submissionTo,
  submitMail,
} from "./harness/submission-scene.ts";
import { queued, until } from "./harness/trust-scene.ts";

const MESSAGE = `From: ${ALICE}\r\nSubject: a mail without a date\r\n\r\nHello!\r\n`;

/** Makes the first message ready when the test says so. */
function slowly(policy: SubmissionPolicy) {
  const asked = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<void>();
  const slow: SubmissionPolicy = {
    async logIn(login) {
      const submitter = await policy.logIn(login);
      return (
        submitter && {
          ...submitter,
          async sender(reversePath) {
            const opened = await submitter.sender(reversePath);
            if (opened.kind === "refuse") return opened;
            return {
              ...opened,
              async message(submitted) {
                asked.resolve();
                await ready.promise;
                return await opened.message(submitted);
              },
            };
          },
        }
      );
    },
  };
  return { policy: slow, asked: asked.promise, goOn: () => ready.resolve() };
}

test("who goes behind the final dot, and sends the message again, has sent one", async (t) => {
  await using hop = await startHop();
  const users = await people();
  const passwords = createScryptPasswords(() => users);
  const { policy, asked, goOn } = slowly(policyOf(() => users, passwords));
  await using forwarder = await submissionTo(t, hop, { policy });
  const leaving = await alicesClient(forwarder);
  for (const command of [`MAIL FROM:<${ALICE}>`, "RCPT TO:<far@far.example>", "DATA"])
    await leaving.ask(command);
  leaving.send(`${MESSAGE}.\r\n`);
  await asked;
  leaving.socket.destroy();
  await once(leaving.socket, "close");
  // By then it is known that the other one is gone.
  using again = await alicesClient(forwarder);
  goOn();
  await until(() => forwarder.state?.late.any() === true, "the success is recorded");
  assert.match(await submitMail(again, { message: MESSAGE }), /^250 /);
  assert.equal(forwarder.state?.late.any(), false);
  await until(async () => (await queued(forwarder)) === 0, "nothing is on its way");
  assert.equal(hop.messages.length, 1);

  assert.match(
    await submitMail(again, { message: MESSAGE }),
    /^250 /,
    "the same once more is another message",
  );
  await until(() => hop.messages.length === 2, "it arrives");
});
