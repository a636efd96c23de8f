// The main story: a real Postfix sends through Homing to a second real Postfix, which takes the mail and then fails.
// The DSN that it writes comes back to the SRS address, and through Homing into the original sender's mailbox.
// No reader of SRS but Homing is involved, and none of the two Postfixes knows of SRS at all.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ForwarderEvent } from "@homing/forwarder";
import { storiesNeed } from "./harness/availability.ts";
import { createDkimKey, dkim } from "./harness/dkim.ts";
import { freePort } from "./harness/free-port.ts";
import { type HomingService, startHomingService } from "./harness/homing.ts";
import { type Postfix, startPostfix } from "./harness/postfix.ts";

const skip = (await storiesNeed("postfix", "python3-dkim")) ?? false;

interface Sites {
  readonly source: Postfix;
  readonly destination: Postfix;
  readonly forwarder: HomingService;
}

/** source.example → forwarder.example (Homing) → home.example, and the same way back: none has another route. */
async function startSites(stack: AsyncDisposableStack): Promise<Sites> {
  const port = await freePort();
  const relayHost = `[127.0.0.1]:${port}`;
  const [source, destination] = await Promise.all([
    startPostfix({
      hostname: "source.example",
      destinations: ["source.example"],
      relayHost,
      // A look at the queue while a message is on its way puts that off for minutes ("skipped, still being delivered").
      settings: { queue_run_delay: "5s", minimal_backoff_time: "5s", maximal_backoff_time: "5s" },
      mailboxes: ["bob"],
    }),
    startPostfix({
      hostname: "home.example",
      destinations: ["home.example"],
      relayHost,
      mailboxes: ["private-carol", "private-dave"],
      aliases: { "private-alice": '"|/bin/false"' },
    }),
  ]);
  stack.use(source);
  stack.use(destination);
  const forwarder = await startHomingService({
    secret: "a secret of this story alone",
    aliases:
      "alice: private-alice@home.example\ncarol: private-carol@home.example\ndave: private-dave@home.example\n",
    config: `
hostname: mx.forwarder.example
listen: 127.0.0.1:${port}
domains: [forwarder.example]
aliasesFile: aliases
srs: { domain: forwarder.example, secretsFile: secrets }
delivery:
  routes:
    source.example: 127.0.0.1:${source.port}
    home.example: 127.0.0.1:${destination.port}
`,
  });
  stack.use(forwarder);
  return { source, destination, forwarder };
}

/** Each message's own, and first those of none: the bounce may be here before it is known that what it bounces was delivered. */
function toldByMessage(events: readonly ForwarderEvent[]): string[][] {
  const messages = Map.groupBy(events, (event) => ("id" in event ? event.id : undefined));
  return [...messages.values()].map((told) => told.map(({ event }) => event));
}

test("mail is forwarded with SRS, and the bounce of the new home reaches the original sender", {
  skip,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const { source, destination, forwarder } = await startSites(stack);

  await source.submit({
    from: "bob@source.example",
    to: "alice@forwarder.example",
    message:
      "From: Bob <bob@source.example>\nSubject: hello\nMessage-ID: <story-7a@source.example>\n\nHello Alice!\n",
  });
  const [bounce] = await source.mail("bob");

  const text = String(bounce);
  assert.match(text, /^Return-Path: <>$/m, "it came from the null sender");
  assert.match(text, /^Content-Type: multipart\/report; report-type=delivery-status;/m);
  assert.match(text, /^Reporting-MTA: dns; mx\.forwarder\.example$/m, "Homing wrote it anew");
  assert.match(text, /^Final-Recipient: rfc822; alice@forwarder\.example$/m);
  assert.match(text, /Message-ID: <story-7a@source\.example>/i, "it returns Bob's header");
  assert.match(text, /^Subject: hello$/m, "of which our trace says that it is his");
  assert.match(text, /^Received: by mx\.forwarder\.example \(Homing\) id /m);
  assert.doesNotMatch(text, /private|home\.example/, "and nothing of what is behind the alias");

  const srs = /SRS0=[a-z2-7]{14}=[A-Z2-7]{2}=source\.example=bob@forwarder\.example/.exec(
    await destination.log(),
  )?.[0];
  assert.ok(srs, "the destination saw a rewritten envelope sender");
  await source.waitForLog(
    /to=<alice@forwarder\.example>, relay=127\.0\.0\.1.*status=sent \(250 2\.0\.0 <alice@forwarder\.example>: passed on\)/,
  );
  await destination.waitForLog(`from=<${srs}>`);
  await destination.waitForLog(
    /to=<private-alice@home\.example>, .*status=bounced .*Command died with status 1/,
  );
  await destination.waitForLog("sender non-delivery notification");
  await destination.waitForLog(new RegExp(`to=<${srs}>, relay=127\\.0\\.0\\.1.*status=sent`));
  await source.waitForLog(/from=<>, size=/);
  await source.waitForLog(/to=<bob@source\.example>, relay=local, .*status=sent \(delivered to maildir\)/);
  assert.doesNotMatch(
    await source.log(),
    /private-alice/,
    "the sender's server heard nothing of the private address",
  );

  assert.deepEqual(toldByMessage(await forwarder.events()), [
    ["listening"],
    ["received", "forwarded", "delivered", "answered"],
    ["received", "unwrapped", "delivered", "bounce", "answered"],
  ]);
  assert.equal(await forwarder.stop("SIGTERM"), 0);
});

test("a DKIM signature still verifies at the new home, behind two Postfixes and Homing", {
  skip,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const signatures = stack.use(await dkim());
  const { source, destination } = await startSites(stack);
  const { signer, dns } = createDkimKey("source.example", "story");
  const message = Buffer.from(
    "From: Bob <bob@source.example>\r\nTo: carol@forwarder.example\r\nSubject: signed\r\n" +
      "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <signed@source.example>\r\n\r\n" +
      ".a dot first, and blanks last  \r\n\r\n8-bit: \xe9\xff\r\n\r\n",
    "latin1",
  );
  const signed = await signatures.sign(message, signer);
  // sendmail(1) takes lines as this system ends them.
  const submitted = Buffer.from(signed.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
  await source.submit({ from: "bob@source.example", to: "carol@forwarder.example", message: submitted });

  const [delivered] = await destination.mail("private-carol");
  const arrived = Buffer.from(String(delivered?.toString("latin1")).replaceAll("\n", "\r\n"), "latin1");
  assert.match(arrived.toString("latin1"), /by mx\.forwarder\.example \(Homing\)/);
  assert.equal(await signatures.verify(arrived, { dns }), true);
  assert.equal(await signatures.verify(Buffer.concat([arrived, Buffer.from("more\r\n")]), { dns }), false);
});

test("of a message to two aliases the second is deferred, and Postfix comes again with it", {
  skip,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const { source, destination } = await startSites(stack);
  await source.submit({
    from: "bob@source.example",
    to: ["carol@forwarder.example", "dave@forwarder.example"],
    message: "From: Bob <bob@source.example>\nSubject: to both\n\nHello!\n",
  });
  for (const user of ["private-carol", "private-dave"]) {
    const [message] = await destination.mail(user);
    assert.match(String(message), /^Subject: to both$/m);
  }
  await source.waitForLog(/status=deferred .*452 4\.5\.3 one recipient at a time/);
});
