// Bounces of 100 MB, several at the same time, through the running service: they are read from the disk piece by piece, whatever
// they are made of, and their DSNs are small.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter } from "@homing/srs-core";
import { storiesNeed } from "../harness/availability.ts";
import { assertSilent, remoteBounce, secretAddress, srsAddress } from "../harness/bounce-peers.ts";
import { SRS_DOMAIN } from "../harness/in-process.ts";
import { waitFor } from "../harness/wait.ts";
import { sendOne } from "./harness/client.ts";
import { PATIENCE_SECONDS, scale, timeout } from "./harness/scale.ts";
import { startSink } from "./harness/sink.ts";
import { createSite, SECRET } from "./harness/site.ts";
import { smallDisk } from "./harness/small-disk.ts";

const needsProc = (await storiesNeed()) ?? false;
const OCTETS = 100_000_000;
const AT_ONCE = scale(2, 5);
const MIB = 1024 * 1024;
/** Beyond what a small bounce took: each that is in memory is 95. */
const MOST_MIB = 120;
/** Fields of a header, and no content. */
const MOST_TOLD = 16 * 1024;

const target = secretAddress();
const small = remoteBounce({ target, messageId: "<large@source.example>" });
const STATUS = "--b\r\nContent-Type: message/delivery-status";
const RETURNED = "--b\r\nContent-Type: text/rfc822-headers";

function filled(before: string, line: string): Buffer {
  const at = small.indexOf(before);
  assert.ok(at > 0, before);
  const filling = line.repeat(OCTETS / line.length);
  return Buffer.concat([small.slice(0, at), filling, small.slice(at)].map((part) => Buffer.from(part)));
}

const plain = `${"text of no meaning ".repeat(4)}\r\n`;
const shapes: [what: string, before: string, line: string][] = [
  ["a returned message", "--b--", plain],
  ["text above the status", STATUS, plain],
  ["parts, each of them empty", RETURNED, "--b\r\n\r\n"],
  [
    "blocks of the status",
    RETURNED,
    "Final-Recipient: rfc822; x@y.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n",
  ],
  ["returned fields", "Subject: Lunch", "X-Field: of no meaning\r\n"],
  ["one returned field", "Subject: Lunch", " of no meaning\r\n"],
];

test(`${AT_ONCE} bounces of 100 MB at the same time: at most ${MOST_MIB} MiB more, and a small DSN for each`, {
  timeout,
  skip: needsProc,
}, async (t) => {
  await using home = await startSink();
  await using site = await createSite({
    aliases: `alice: ${target}\n`,
    routes: { "source.example": home.port },
    limits: { messageOctets: 2 * OCTETS },
  });
  const service = await site.start();
  const { peakMemory } = smallDisk(service.pid, site.stateFolder);
  const rewriter = createRewriter({ secrets: [SECRET], domain: SRS_DOMAIN });
  const now = Math.floor(Date.now() / 1000);
  const bring = async (message: Buffer, sender: string): Promise<void> => {
    const to = srsAddress(rewriter, `alice@${SRS_DOMAIN}`, `${sender}@source.example`, now);
    assert.match(await sendOne(service.port, { token: "", message }, { from: "", to }), /^250 2\.0\.0 /);
  };
  await bring(Buffer.from(small), "small");
  const before = (await peakMemory()) / MIB;
  const chosen = scale(shapes.slice(0, 2), shapes);
  for (const [nth, [what, place, line]] of chosen.entries()) {
    const message = filled(place, line);
    await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => bring(message, `s${nth}x${index}`)));
    const more = (await peakMemory()) / MIB - before;
    t.diagnostic(
      `100 MB of ${what}: ${before.toFixed(0)} MiB before, at most ${more.toFixed(0)} MiB more by now`,
    );
    assert.ok(more < MOST_MIB, `${what}: ${more.toFixed(0)} MiB`);
  }
  const count = 1 + chosen.length * AT_ONCE;
  await waitFor(() => home.arrived.length >= count || undefined, {
    seconds: PATIENCE_SECONDS,
    otherwise: () => `${home.arrived.length} of ${count} DSNs came`,
  });
  for (const { message } of home.arrived) {
    assert.ok(message.length < MOST_TOLD, `${message.length} octets`);
    assert.match(
      String(message),
      /^Final-Recipient: rfc822; alice@forwarder\.example\r\n.*\r\nStatus: 5\.1\.1\r$/m,
    );
    assertSilent(String(message), target);
  }
});
