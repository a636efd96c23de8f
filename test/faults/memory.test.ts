// Memory of the service while large messages come in and their next hop is down: they are on the disk and not in memory.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ForwarderEvent } from "@homing/forwarder";
import { storiesNeed } from "../harness/availability.ts";
import { PORT_OF_NOBODY } from "../harness/free-port.ts";
import { KEPT, sendOne } from "./harness/client.ts";
import { leftBehind } from "./harness/left-behind.ts";
import { scale, timeout } from "./harness/scale.ts";
import { createSite } from "./harness/site.ts";
import { smallDisk } from "./harness/small-disk.ts";

const needsProc = (await storiesNeed()) ?? false;
const SESSIONS = scale(8, 50);
const OCTETS = 25_000_000;
const MIB = 1024 * 1024;
/** Messages that stay in memory are 190 MiB in the short form, beside the 145 that the process has at its start. */
const MOST_MIB = scale(300, 400);

const BEFORE_KEPT: ReadonlySet<ForwarderEvent["event"]> = new Set(["received", "answered", "forwarded"]);
const HEADER = "Subject: large\r\n\r\n";
const shapes: [what: string, line: string][] = [
  ["plain lines", `${"text of no meaning ".repeat(4)}\r\n`],
  ["lines that begin with dots, each of which is taken out", `.${"dots ".repeat(11)}\r\n`],
];

/** What became of messages that were kept. */
function afterwards(events: readonly ForwarderEvent[]): string {
  const later = events.filter(({ event }) => !BEFORE_KEPT.has(event));
  return later.map((event) => JSON.stringify(event)).join("\n");
}

for (const [what, line] of scale(shapes.slice(0, 1), shapes)) {
  test(`${SESSIONS} sessions with 25 MB each of ${what}, the next hop down: at most ${MOST_MIB} MiB of memory`, {
    timeout,
    skip: needsProc,
  }, async (t) => {
    await using site = await createSite({ routes: { "home.example": PORT_OF_NOBODY } });
    const service = await site.start();
    const { peakMemory } = smallDisk(service.pid, site.stateFolder);
    const idle = (await peakMemory()) / MIB;
    const large = { token: "large", message: Buffer.from(HEADER + line.repeat(OCTETS / line.length)) };
    const replies = await Promise.all(Array.from({ length: SESSIONS }, () => sendOne(service.port, large)));
    for (const reply of replies) assert.equal(reply, KEPT);
    const peak = (await peakMemory()) / MIB;
    t.diagnostic(`${idle.toFixed(0)} MiB before the first session, ${peak.toFixed(0)} MiB at most`);
    assert.ok(peak < MOST_MIB, `${peak.toFixed(0)} MiB`);
    await service.stop();
    const { queued } = await leftBehind(site.stateFolder);
    assert.equal(queued.length, SESSIONS, afterwards(service.events()));
  });
}
