// Real servers behind an alias, which take the mail and then fail, wait or pass it on: what each of them writes about the private
// address comes to the original sender as a report about the alias, and nothing of the private address with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ForwarderEvent } from "@homing/forwarder";
import { leaksIn } from "../packages/bounce-handler/src/testing/leaks.ts";
import { storiesNeed } from "./harness/availability.ts";
import { startExim } from "./harness/exim.ts";
import { type MtaScene, type Sent, startMtaScene } from "./harness/mta-scene.ts";
import { startOpenSmtpd } from "./harness/opensmtpd.ts";
import { startRelayingPostfix } from "./harness/postfix.ts";
import type { StartRelayingMta } from "./harness/relaying-mta.ts";
import type { Taken } from "./harness/scripted-hop.ts";
import { startSendmail } from "./harness/sendmail.ts";
import { waitFor } from "./harness/wait.ts";

interface Told {
  readonly action: string;
  readonly status: string;
}

interface Server {
  readonly name: string;
  readonly packageName: string;
  readonly start: StartRelayingMta;
  /** What it says of a message that it passed on to a server without DSN. */
  readonly passedOn: Told;
  /** In its log, an attempt to send its own report to us. */
  readonly attempt: RegExp;
}

const servers: readonly Server[] = [
  {
    name: "Postfix",
    packageName: "postfix",
    start: startRelayingPostfix,
    passedOn: { action: "relayed", status: "2.0.0" },
    attempt: / to=<SRS0=.* status=/,
  },
  {
    name: "Exim",
    packageName: "exim4-daemon-light",
    start: startExim,
    passedOn: { action: "delivered", status: "2.0.0" },
    attempt: / (=>|==) srs0=/,
  },
  {
    name: "OpenSMTPD",
    packageName: "opensmtpd",
    start: startOpenSmtpd,
    passedOn: { action: "relayed", status: "2.0.0" },
    attempt: / mta delivery .* to=<SRS0=/,
  },
  {
    name: "Sendmail",
    packageName: "sendmail-bin",
    start: startSendmail,
    passedOn: { action: "relayed", status: "2.1.5" },
    attempt: / to=<SRS0=.* stat=/,
  },
];

for (const { name, packageName, start, passedOn, attempt } of servers) {
  const skip = (await storiesNeed(packageName)) ?? false;

  test(`${name} behind an alias: what it reports comes home, about the alias`, {
    skip,
    timeout: 60_000,
    concurrency: true,
  }, async (t) => {
    await using scene = await startMtaScene(start);
    await Promise.all([
      t.test("the mail is refused: a failure", async () => {
        const sent = await scene.send("refuses");
        await assertReissued(scene, sent, { action: "failed", status: "5.1.1" });
      }),
      t.test("the mail has to wait: a delay", async () => {
        const sent = await scene.send("defers");
        await assertReissued(scene, sent, { action: "delayed", status: "4.2.1" });
      }),
      t.test("the mail is passed on: a success", async () => {
        const sent = await scene.send("takes");
        await scene.submitAgain(await scene.passedOn(sent));
        await assertReissued(scene, sent, passedOn);
      }),
      t.test("it hears our answer to its report, and need not come again", async () => {
        assert.match(await scene.mta.waitForLog(attempt), /\b250 |stat=Sent /);
      }),
    ]);
  });
}

async function assertReissued(scene: MtaScene, sent: Sent, told: Told): Promise<void> {
  const report = await scene.report(sent);
  const { reversePath, message } = report;
  assert.equal(reversePath, "");
  assert.deepEqual(leaksIn(message, scene.secrets, [sent.alias]), []);
  assert.match(message, /^Content-Type: multipart\/report;\s+report-type=delivery-status/im);
  assert.match(message, /^Auto-Submitted: auto-replied\r$/m);
  assert.deepEqual(statusFields(report), [
    "Reporting-MTA: dns; mx.forwarder.example",
    `Final-Recipient: rfc822; ${sent.alias}`,
    `Action: ${told.action}`,
    `Status: ${told.status}`,
  ]);
  assert.ok(message.includes(`\r\nMessage-ID: ${sent.messageId}\r\n`), "he learns which message it was");
  await assertWrittenBy(scene, sent);
  assert.equal(scene.reports(sent).length, 1);
}

/** The real server came to Homing, to an SRS address of this sender, with the null reverse-path. Once: it was answered. */
async function assertWrittenBy({ events, mtaName }: MtaScene, { sender }: Sent): Promise<void> {
  const [user = ""] = sender.split("@");
  const isBounce = (event: ForwarderEvent): boolean =>
    event.event === "received" &&
    event.reversePath === "" &&
    event.helo === mtaName &&
    event.recipient.startsWith("SRS0=") &&
    event.recipient.includes(`=${user}@`);
  // What is logged may come a moment after what was done.
  const came = await waitFor(() => (events().some(isBounce) ? events().filter(isBounce) : undefined), {
    seconds: 5,
    otherwise: () => `no bounce for ${sender} from ${mtaName}: ${JSON.stringify(events())}`,
  });
  assert.equal(came.length, 1);
}

/** Without those that depend on the diagnostic policy. */
function statusFields({ message }: Taken): string[] {
  const [, part = ""] = message.split(/^Content-Type: message\/delivery-status.*$/im);
  return [...part.matchAll(/^((?:Reporting-MTA|Final-Recipient|Action|Status): .*)\r$/gim)].map(
    ([, field = ""]) => field,
  );
}
