// The four servers of bounces-of-mtas.test.ts by themselves: each takes mail, is refused, and says to the sender what he must not
// hear. Were it not so, that story could not fail.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { leaksIn } from "../../packages/bounce-handler/src/testing/leaks.ts";
import { greeted, transact } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { storiesNeed } from "./availability.ts";
import { startExim } from "./exim.ts";
import { startOpenSmtpd } from "./opensmtpd.ts";
import { startRelayingPostfix } from "./postfix.ts";
import type { StartRelayingMta } from "./relaying-mta.ts";
import { startScriptedHop } from "./scripted-hop.ts";
import { startSendmail } from "./sendmail.ts";
import { waitFor } from "./wait.ts";

const servers: [packageName: string, start: StartRelayingMta][] = [
  ["postfix", startRelayingPostfix],
  ["exim4-daemon-light", startExim],
  ["opensmtpd", startOpenSmtpd],
  ["sendmail-bin", startSendmail],
];

for (const [packageName, start] of servers) {
  const skip = (await storiesNeed(packageName)) ?? false;

  test(`${packageName}: its report of a refusal names the private address, its domain and itself`, {
    skip,
  }, async () => {
    await using refusing = await startScriptedHop((recipient) => `550 5.1.1 <${recipient}>: unknown`);
    await using home = await startScriptedHop();
    await using mta = await start({
      hostname: "mta-host.example",
      domain: "private-domain.example",
      nextHop: refusing.port,
      elsewhere: home.port,
    });
    using client = await greeted(mta);
    const reply = await transact(client, {
      from: "bob@source.example",
      to: "private-user@private-domain.example",
      message: "From: bob@source.example\r\nTo: alice@forwarder.example\r\nSubject: hello\r\n\r\nHello!\r\n",
    });
    assert.match(reply, /^250 /);
    const report = await waitFor(() => home.taken[0], { seconds: 20, otherwise: () => mta.tail() });
    assert.equal(report.reversePath, "");
    assert.equal(report.recipient, "bob@source.example");
    assert.match(report.message, /^Content-Type: message\/delivery-status/im);
    for (const word of ["private-user", "private-domain", "mta-host"])
      assert.notDeepEqual(leaksIn(report.message, [word], []), [], word);
    assert.deepEqual(refusing.taken, []);

    await mta.stop();
    assert.equal(existsSync(mta.folder), process.env.HOMING_KEEP === "1");
    assert.throws(() => process.kill(mta.pid, 0), { code: "ESRCH" });
  });
}
