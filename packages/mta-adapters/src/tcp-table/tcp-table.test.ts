import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MapAnswer } from "../maps/map-answer.ts";
import { requestsIn } from "../testing/requests-in.ts";
import { ProtocolFault } from "../wire/protocol.ts";
import { parsePercent, renderPercent } from "./percent.ts";
import {
  parseTcpTableRequest,
  renderTcpTableAnswer,
  type TcpTableRequest,
  tcpTableProtocol,
} from "./tcp-table.ts";

const asked: string[] = [];
const protocol = tcpTableProtocol({
  map: "reverse",
  lookUp(map, key) {
    asked.push(`${map} ${key}`);
    return { kind: "found", value: key };
  },
});

function read(pieces: readonly Buffer[]): TcpTableRequest[] {
  const reader = protocol.createReader();
  return pieces.flatMap((piece) => requestsIn(reader, piece));
}

const lines: readonly [line: string, request: TcpTableRequest][] = [
  ["get bob@a.example", { kind: "get", key: "bob@a.example" }],
  ["get bob@a.example\r", { kind: "get", key: "bob@a.example" }],
  ["get %22two%20words%22@a.example", { kind: "get", key: '"two words"@a.example' }],
  ["get jos%C3%a9@a.example", { kind: "get", key: "josé@a.example" }],
  ["get josé%25@a.example", { kind: "get", key: "josé%@a.example" }],
  ["get ", { kind: "get", key: "" }],
  ["get a%00b", { kind: "get", key: "a\0b" }],
  ["get 50%", { kind: "no-key" }],
  ["get %zz", { kind: "no-key" }],
  ["get %4", { kind: "no-key" }],
  ["get %ff@a.example", { kind: "no-key" }],
  ["put bob@a.example x", { kind: "put" }],
];
for (const [line, request] of lines) {
  test(`${JSON.stringify(line)} is read as ${JSON.stringify(request)}`, () => {
    assert.deepEqual(parseTcpTableRequest(line), request);
  });
}

for (const line of ["", "get", "GET / HTTP/1.1", "delete bob@a.example", "POST / HTTP/1.1\r"]) {
  test(`${JSON.stringify(line)} is a fault: this client does not speak to us`, () => {
    assert.throws(() => parseTcpTableRequest(line), ProtocolFault);
  });
}

test("the map is the one of the port, and a table that cannot be changed says so", () => {
  const session = protocol.createSession();
  asked.length = 0;
  assert.equal(session.answer({ kind: "get", key: "josé@a.example" }), "200 jos%c3%a9@a.example\n");
  assert.deepEqual(asked, ["reverse josé@a.example"]);
  assert.equal(session.answer({ kind: "put" }), "500 nothing can be put into this table\n");
  assert.equal(session.answer({ kind: "no-key" }), "500 this is no key\n");
});

const answers: readonly [answer: MapAnswer, line: string][] = [
  [{ kind: "found", value: '"a b"@c.example' }, '200 "a%20b"@c.example\n'],
  [{ kind: "found", value: "550 5.7.1 no" }, "200 550%205.7.1%20no\n"],
  [{ kind: "found", value: "100%@c.example" }, "200 100%25@c.example\n"],
  [{ kind: "found", value: "é".repeat(1000) }, "400 the value is too long for a tcp table\n"],
  [{ kind: "not-found", why: 'address "a\nb" has no @' }, '500 address "a?b" has no @\n'],
  [{ kind: "later", why: "50% of all" }, "400 50%25 of all\n"],
  [{ kind: "wrong", why: "no such map" }, "400 no such map\n"],
  [{ kind: "unfit", why: "too long" }, "500 too long\n"],
];
for (const [answer, line] of answers) {
  test(`${JSON.stringify(answer).slice(0, 60)} is written ${JSON.stringify(line)}`, () => {
    assert.equal(renderTcpTableAnswer(answer), line);
  });
}

test("what has to be kept first is answered when it is", async () => {
  const lookUp = () => Promise.resolve<MapAnswer>({ kind: "found", value: "bob@a.example" });
  const session = tcpTableProtocol({ map: "forward", lookUp }).createSession();
  assert.equal(await session.answer({ kind: "get", key: "x@b.example" }), "200 bob@a.example\n");
});

test("what is coded is visible ASCII, and is read back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      fc.pre(text.isWellFormed() && !text.includes("\ufffd"));
      const coded = renderPercent(text);
      assert.match(coded, /^[\x21-\x7e]*$/);
      assert.equal(parsePercent(coded), text);
    }),
  );
});

test("an answer is one line of at most 4096 characters, whatever is in it", () => {
  const kind = fc.constantFrom("found", "not-found", "unfit", "later", "wrong");
  fc.assert(
    fc.property(kind, fc.string({ unit: "binary", maxLength: 3000 }), (kind, text) => {
      const answer = (kind === "found" ? { kind, value: text } : { kind, why: text }) as MapAnswer;
      const line = renderTcpTableAnswer(answer);
      assert.ok(line.length <= 4096 && line.indexOf("\n") === line.length - 1, line);
    }),
  );
});

test("wherever a stream is cut, the same requests come out of it", () => {
  const octets = Buffer.from("get bob@a.example\nget josé@b.example\nput a b\nget %2", "utf8");
  const whole = read([octets]);
  assert.equal(whole.length, 3);
  for (let cut = 0; cut <= octets.length; cut++)
    assert.deepEqual(read([octets.subarray(0, cut), octets.subarray(cut)]), whole);
});

test("a line of 4096 octets with its newline is read, a longer one is a fault before its end has come", () => {
  const longest = `get ${"a".repeat(4096 - 5)}\n`;
  assert.equal(read([Buffer.from(longest)]).length, 1);
  const reader = protocol.createReader();
  assert.deepEqual(requestsIn(reader, Buffer.alloc(4096, "a")), []);
  assert.equal(reader.isBegun(), true);
  assert.throws(() => requestsIn(reader, Buffer.from("a")), ProtocolFault);
  assert.throws(() => read([Buffer.from(`a${longest}`)]), ProtocolFault);
});
