// The small parts that count and wait: patience, conduct, shares of networks, room on the disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blockList } from "../networks.ts";
import { createClientCounts } from "./client-counts.ts";
import { Conduct } from "./conduct.ts";
import { createDiskSpace, isOnTmpfs } from "./disk-space.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { Patience } from "./patience.ts";

/** Seconds until it is too long. */
function endurance(patience: Patience, underStress = false, perSecond: () => void = () => {}): number {
  for (let seconds = 1; seconds <= 10_000; seconds++) {
    perSecond();
    if (patience.waited(1000, underStress)) return seconds;
  }
  return Number.POSITIVE_INFINITY;
}

test("a command may take 300 s, 10 s under stress, from our last reply", () => {
  const patience = new Patience(DEFAULT_LIMITS);
  assert.equal(endurance(patience), 300);
  patience.replied();
  assert.equal(endurance(patience, true), 10);
  patience.replied();
  assert.equal(endurance(patience), 300);
});

test("a message may pause as long as a command may take, goes on at 500 octets a second, and saves nothing up", () => {
  const patience = new Patience(DEFAULT_LIMITS);
  for (const [underStress, most] of [
    [false, 300],
    [true, 10],
  ] as const) {
    const behind = (octets: number): number => {
      patience.replied();
      return endurance(patience, underStress, () => patience.received(octets));
    };
    patience.replied();
    assert.equal(endurance(patience, underStress), most);
    assert.equal(behind(500), Number.POSITIVE_INFINITY);
    // It falls behind by a fifth of a second each second.
    assert.equal(behind(400), 5 * most - 4);
    patience.replied();
    patience.received(10_000_000);
    assert.equal(endurance(patience, underStress), most, "what came fast is not saved up");
  }
});

test("a share is given again once, however often the client leaves", () => {
  const counts = createClientCounts(2, blockList(["10.0.0.0/8"]));
  const leave = counts.enter("2001:db8::1");
  assert.ok(leave && counts.enter("2001:db8::2"));
  assert.equal(counts.enter("2001:db8::3"), undefined);
  leave();
  leave();
  assert.ok(counts.enter("2001:db8::4"));
  assert.equal(counts.enter("2001:db8::5"), undefined);
  for (let count = 0; count < 5; count++) assert.ok(counts.enter("10.1.2.3"));
});

test("errors, junk and recipients put off add up, and a message that was taken forgives them", () => {
  const conduct = new Conduct({ errors: 2, junkCommands: 1, recipientsPutOff: 1 });
  conduct.replied(550, "5.1.1");
  conduct.command("NOOP");
  conduct.replied(452, "4.5.3");
  conduct.replied(451, "4.3.0");
  assert.ok(!conduct.isEnough());
  conduct.tookMessage();
  for (let count = 0; count < 2; count++) conduct.command("RSET");
  for (let count = 0; count < 2; count++) conduct.replied(452, "4.5.3");
  assert.ok(!conduct.isEnough());
  conduct.command("MAIL");
  conduct.command("NOOP");
  assert.ok(conduct.isEnough());
});

test("room: the floor and what others are about to write are left; the system is asked once a second", async () => {
  let now = 0;
  let asked = 0;
  const freeOctets = async () => {
    asked++;
    return 1000;
  };
  const space = createDiskSpace({ folder: "/", minFreeOctets: 100, now: () => now, freeOctets });
  assert.ok(await space.hasRoom(900));
  assert.ok(!(await space.hasRoom(901)));
  const other = space.reserve(500);
  assert.ok(!(await space.hasRoom(401)));
  other.written(200);
  assert.ok(!(await space.hasRoom(401)), "written and not seen by the system yet");
  other.end();
  assert.ok(await space.hasRoom(700));
  assert.equal(asked, 1);
  now = 1000;
  assert.ok(await space.hasRoom(900));
  assert.equal(asked, 2);
});

test("a file system that does not tell its room refuses nothing; tmpfs is told from a disk", async () => {
  const space = createDiskSpace({ folder: "/missing/folder", minFreeOctets: 1, now: () => 0 });
  assert.ok(await space.hasRoom(1e15));
  assert.equal(await isOnTmpfs("/dev/shm"), true);
  assert.equal(await isOnTmpfs("/proc"), false);
});

test("trouble of our own is no error of the client, but not without end", () => {
  const conduct = new Conduct({ errors: 1, junkCommands: 1, recipientsPutOff: 50 });
  for (let refused = 0; refused < 50; refused++) conduct.replied(452, refused % 2 === 0 ? "4.3.1" : "4.3.0");
  assert.equal(conduct.isEnough(), false);
  conduct.replied(452, "4.3.1");
  conduct.replied(451, "4.3.0");
  assert.equal(conduct.isEnough(), true);
});
