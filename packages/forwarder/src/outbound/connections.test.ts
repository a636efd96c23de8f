// Connections that give way to another server, and connections that ended before they were told to. The pool around them:
// outbound.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnections, isRoom, type Place, ROOM } from "./connections.ts";
import type { OutConnection } from "./out-connection.ts";

const HOP = { host: "192.0.2.1", port: 25 };
const OTHER = { ...HOP, name: "other.test" };

interface Fake extends OutConnection {
  readonly said: string[];
  /** The server is gone. */
  end(): void;
}

function fake(): Fake {
  const said: string[] = [];
  let usable = true;
  const connection: Fake = {
    ...{ tls: "none", extensions: [], maxOctets: undefined, messages: 1, tookUp: true, onEnd: undefined },
    get usable() {
      return usable;
    },
    said,
    send: () => assert.fail("nothing is sent"),
    reset: async () => {},
    // As the one over SMTP: a connection that is over says so no second time.
    quit: () => void (usable && said.push("QUIT")),
    close: () => {},
    end() {
      usable = false;
      connection.onEnd?.();
    },
  };
  return connection;
}

/** A server with so many connections, and what it tells of the room. */
function scene(opened: number) {
  const told: string[] = [];
  const world = { isWanted: false, whenChanged: () => {} };
  const connections = createConnections({
    now: () => 0,
    takeOfTotal: () => true,
    giveBack: () => told.push("room"),
    isWanted: () => world.isWanted,
    changed() {
      told.push("changed");
      world.whenChanged();
    },
  });
  const fakes = Array.from({ length: opened }, fake);
  for (const connection of fakes) {
    assert.equal(connections.take(HOP, opened), ROOM);
    connections.opened(connection);
  }
  return { connections, told, world, fakes };
}

test("where another server waits for room, one connection at a time says QUIT, and the others are used on", () => {
  const { connections, told, world, fakes } = scene(3);
  const [first, second, third] = fakes;
  assert.ok(first && second && third);
  world.isWanted = true;
  // Somebody waits here, too, and takes one as soon as it is there.
  let taken: Place | undefined;
  world.whenChanged = () => {
    taken = connections.take(HOP, 3);
  };
  connections.keep(first, HOP);
  assert.deepEqual([first.said, taken, told], [["QUIT"], undefined, ["changed"]]);
  connections.keep(second, HOP);
  world.whenChanged = () => {};
  assert.deepEqual([second.said, taken], [[], second]);
  first.end();
  assert.deepEqual([connections.count, told], [2, ["changed", "changed", "room", "changed"]]);
  connections.keep(third, HOP);
  assert.deepEqual(third.said, ["QUIT"]);
});

test("a connection that ended before it was told to gives its place back, and once", () => {
  const { connections, told, fakes } = scene(1);
  const [used] = fakes;
  assert.ok(used);
  connections.keep(used, HOP);
  const place = connections.take(OTHER, 1);
  assert.ok(place && isRoom(place) && place.insteadOf === used);
  used.end();
  connections.giveUp(place);
  assert.equal(connections.count, 0);
  used.onEnd?.();
  assert.equal(connections.count, 0);
  assert.equal(told.filter((what) => what === "room").length, 1);
  assert.equal(connections.isEstablished, false);
});
