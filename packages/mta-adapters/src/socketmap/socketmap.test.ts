import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MapAnswer } from "../maps/map-answer.ts";
import { requestsIn } from "../testing/requests-in.ts";
import { ProtocolFault } from "../wire/protocol.ts";
import { createNetstringReader, renderNetstring } from "./netstring.ts";
import { renderSocketmapAnswer, type SocketmapRequest, socketmapProtocol } from "./socketmap.ts";

const NEVER = (): MapAnswer => assert.fail("nothing is to be looked up");

/** The requests of a stream that comes in these pieces. */
function read(pieces: readonly (string | Uint8Array)[]): SocketmapRequest[] {
  const reader = socketmapProtocol({ lookUp: NEVER }).createReader();
  return pieces.flatMap((piece) => requestsIn(reader, Buffer.from(piece as string)));
}

test("a request is a map, a blank and a key, and several may come at once", () => {
  assert.deepEqual(read(["21:forward bob@a.example,22:reverse a b@a.example ,"]), [
    { map: "forward", key: "bob@a.example" },
    { map: "reverse", key: "a b@a.example " },
  ]);
});

test("a request without a blank names a map and an empty key; an empty one has neither", () => {
  assert.deepEqual(read(["7:forward,8:forward ,0:,"]), [
    { map: "forward", key: "" },
    { map: "forward", key: "" },
    { map: "", key: "" },
  ]);
});

test("wherever a stream is cut, the same requests come out of it", () => {
  const request = fc.tuple(fc.stringMatching(/^[a-z]{1,9}$/), fc.string({ unit: "binary", maxLength: 60 }));
  fc.assert(
    fc.property(fc.array(request, { maxLength: 6 }), fc.array(fc.nat(400)), (asked, cuts) => {
      const octets = Buffer.from(asked.map(([map, key]) => renderNetstring(`${map} ${key}`)).join(""));
      const places = [0, ...cuts.map((cut) => Math.min(cut, octets.length)), octets.length];
      places.sort((a, b) => a - b);
      const pieces = places.slice(1).map((end, index) => octets.subarray(places[index], end));
      const expected = asked.map(([map, key]) => ({ map, key: Buffer.from(key).toString() }));
      assert.deepEqual(read(pieces), expected);
    }),
  );
});

const wrong: readonly [octets: string, fault: RegExp][] = [
  ["forward bob@a.example\n", /does not begin with its length/],
  [":,", /does not begin with its length/],
  ["-1:,", /does not begin with its length/],
  [" 3:a b,", /does not begin with its length/],
  ["03:a b,", /begins with a zero/],
  ["00:,", /begins with a zero/],
  ["3:a bX", /does not end with a comma/],
  ["2:a b,", /does not end with a comma/],
  ["1025:", /more than 1024 octets/],
  ["99999999999999999999", /more than 1024 octets/],
  ["GET / HTTP/1.1\r\n\r\n", /does not begin with its length/],
];
for (const [octets, fault] of wrong) {
  test(`${JSON.stringify(octets)} is a fault`, () => {
    assert.throws(
      () => read([octets]),
      (error) => error instanceof ProtocolFault && fault.test(error.message),
    );
  });
}

test("no octets make the reader throw anything but a fault, or hold more than one request", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 }), (pieces) => {
      const reader = createNetstringReader(16);
      try {
        for (const piece of pieces)
          reader.push(Buffer.from(piece), (_, start, end) => assert.ok(end >= start));
      } catch (error) {
        assert.ok(error instanceof ProtocolFault);
      }
    }),
  );
});

test("a request that is begun is known to be", () => {
  const reader = socketmapProtocol({ lookUp: NEVER }).createReader();
  assert.equal(reader.isBegun(), false);
  requestsIn(reader, Buffer.from("2"));
  assert.equal(reader.isBegun(), true);
  requestsIn(reader, Buffer.from(":ab"));
  assert.equal(reader.isBegun(), true);
  requestsIn(reader, Buffer.from(","));
  assert.equal(reader.isBegun(), false);
});

const answers: readonly [answer: MapAnswer, line: string][] = [
  [{ kind: "found", value: "bob@a.example" }, "16:OK bob@a.example,"],
  [{ kind: "found", value: "josé@a.example" }, "18:OK josé@a.example,"],
  [{ kind: "not-found", why: "a domain of ours" }, "9:NOTFOUND ,"],
  [{ kind: "later", why: "too many\r\nguesses" }, "22:TEMP too many??guesses,"],
  [{ kind: "wrong", why: "no such map" }, "16:PERM no such map,"],
  [{ kind: "unfit", why: "the sender is too long" }, "9:NOTFOUND ,"],
];
for (const [answer, line] of answers) {
  test(`${JSON.stringify(answer)} is written ${JSON.stringify(line)}`, () => {
    assert.equal(renderSocketmapAnswer(answer), line);
  });
}

test("what has to be kept first is answered when it is", async () => {
  const lookUp = () => Promise.resolve<MapAnswer>({ kind: "found", value: "bob@a.example" });
  const session = socketmapProtocol({ lookUp }).createSession();
  assert.equal(await session.answer({ map: "forward", key: "x@b.example" }), "16:OK bob@a.example,");
});

test("a key that is no UTF-8 is in no map: nothing is asked", () => {
  const protocol = socketmapProtocol({ lookUp: NEVER });
  const [request] = requestsIn(protocol.createReader(), Buffer.from("15:forward b\xff@a.ex,", "latin1"));
  assert.ok(request);
  assert.equal(protocol.createSession().answer(request), "9:NOTFOUND ,");
});
