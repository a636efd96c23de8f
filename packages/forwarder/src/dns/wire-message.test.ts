import assert from "node:assert/strict";
import { test } from "node:test";
import type { Query, RecordType } from "./query.ts";
import { isAnswerTo, isTruncated, readAnswer, renderQuery } from "./wire-message.ts";

const CODES: Readonly<Record<RecordType | "CNAME", number>> = {
  A: 1,
  CNAME: 5,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
};

interface Answer {
  readonly type: keyof typeof CODES;
  readonly data: Buffer;
  readonly ttl?: number;
  readonly octets?: number;
}

/** Owner: a pointer to the question's name. */
function renderRecord({ type, data, ttl = 300, octets = data.length }: Answer): Buffer {
  const head = Buffer.from("c00c0000000100000000" + "0000", "hex");
  head.writeUInt16BE(CODES[type], 2);
  head.writeUInt32BE(ttl, 6);
  head.writeUInt16BE(octets, 10);
  return Buffer.concat([head, data]);
}

function reply(query: Buffer, records: readonly Answer[], flags = 0x8180): Buffer {
  const head = Buffer.from(query);
  head.writeUInt16BE(flags, 2);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, ...records.map(renderRecord)]);
}

const ask = <T extends RecordType>(type: T, name = "a+b.test"): Query<T> => ({ type, name });
const name = (...labels: string[]): Buffer =>
  Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.alloc(1),
  ]);

const reads: [
  what: string,
  type: RecordType,
  records: readonly Answer[],
  found: readonly unknown[],
  ttl: number,
][] = [
  ["an address", "A", [{ type: "A", data: Buffer.from([192, 0, 2, 1]) }], ["192.0.2.1"], 300],
  [
    "an IPv6 address",
    "AAAA",
    [{ type: "AAAA", data: Buffer.from("20010db8000000000000000000000001", "hex") }],
    ["2001:db8::1"],
    300,
  ],
  [
    "strings joined, as octets",
    "TXT",
    [{ type: "TXT", data: Buffer.from("\x01\xe9\x00\x02b\xff", "latin1") }],
    ["\xe9b\xff"],
    300,
  ],
  ["a text of nothing", "TXT", [{ type: "TXT", data: Buffer.alloc(0) }], [""], 300],
  [
    "an MX by pointer",
    "MX",
    [
      {
        type: "MX",
        data: Buffer.concat([Buffer.from([0, 9, 2]), Buffer.from("mx"), Buffer.from([0xc0, 16])]),
      },
    ],
    [{ priority: 9, exchange: "mx.test" }],
    300,
  ],
  ["a null MX", "MX", [{ type: "MX", data: Buffer.alloc(3) }], [{ priority: 0, exchange: "" }], 300],
  [
    "a name with a dot in a label",
    "PTR",
    [{ type: "PTR", data: name("a.b c\\\0", "test") }],
    ["a\\.b c\\\\\\000.test"],
    300,
  ],
  [
    "what is behind a CNAME, with the lower TTL",
    "A",
    [
      { type: "CNAME", data: name("other", "test"), ttl: 7 },
      { type: "A", data: Buffer.from([192, 0, 2, 1]) },
    ],
    ["192.0.2.1"],
    7,
  ],
  [
    "a TTL of more than 31 bits",
    "A",
    [{ type: "A", data: Buffer.alloc(4), ttl: 0x8000_0000 }],
    ["0.0.0.0"],
    0,
  ],
];
for (const [what, type, records, found, seconds] of reads) {
  test(`reads ${what}`, () => {
    const query = renderQuery(7, ask(type));
    const heard = readAnswer(ask(type), query, reply(query, records));
    assert.deepEqual(heard, { kind: "records", records: found, seconds });
  });
}

const bad: [what: string, type: RecordType, record: Answer][] = [
  ["an address of five octets", "A", { type: "A", data: Buffer.alloc(5) }],
  ["an IPv6 address of four", "AAAA", { type: "AAAA", data: Buffer.alloc(4) }],
  [
    "a record that is longer than its message",
    "TXT",
    { type: "TXT", data: Buffer.from([1, 65]), octets: 900 },
  ],
  ["a string that is longer than its record", "TXT", { type: "TXT", data: Buffer.from([200, 65]) }],
  ["a name that points at itself", "PTR", { type: "PTR", data: Buffer.from([0xc0, 38]) }],
  ["a name that points behind the end", "PTR", { type: "PTR", data: Buffer.from([0xff, 0xff]) }],
  ["a label of an unknown kind", "PTR", { type: "PTR", data: Buffer.from([0x80, 1]) }],
  ["an MX without a name", "MX", { type: "MX", data: Buffer.from([0, 1]) }],
];
for (const [what, type, record] of bad) {
  test(`${what} is no answer`, () => {
    const query = renderQuery(7, ask(type));
    assert.deepEqual(readAnswer(ask(type), query, reply(query, [record])), {
      kind: "failed",
      code: "EBADRESP",
    });
  });
}

test("a reply cut off anywhere is an answer or a failure, and never throws", () => {
  const query = renderQuery(7, ask("MX"));
  const whole = reply(query, [
    { type: "MX", data: Buffer.concat([Buffer.from([0, 9]), name("mx", "test")]) },
  ]);
  for (let end = query.length; end < whole.length; end++)
    assert.equal(readAnswer(ask("MX"), query, whole.subarray(0, end)).kind, "failed", `${end} octets`);
  assert.equal(readAnswer(ask("MX"), query, whole).kind, "records");
});

const rcodes: [rcode: number, found: object][] = [
  [0, { kind: "records", records: [] }],
  [1, { kind: "failed", code: "EFORMERR" }],
  [2, { kind: "failed", code: "ESERVFAIL" }],
  [3, { kind: "no-such-name" }],
  [4, { kind: "failed", code: "ENOTIMP" }],
  [5, { kind: "failed", code: "EREFUSED" }],
  [9, { kind: "failed", code: "RCODE9" }],
];
for (const [rcode, found] of rcodes) {
  test(`response code ${rcode} is ${JSON.stringify(found)}`, () => {
    const query = renderQuery(7, ask("TXT"));
    assert.deepEqual(readAnswer(ask("TXT"), query, reply(query, [], 0x8180 | rcode)), found);
  });
}

test("only a response with the same id and question is an answer", () => {
  const query = renderQuery(7, ask("TXT"));
  const other = renderQuery(7, ask("TXT", "a+c.test"));
  assert.ok(isAnswerTo(query, reply(query, [])));
  assert.ok(isAnswerTo(query, reply(renderQuery(7, ask("TXT", "A+B.test")), [])), "in another case");
  assert.ok(!isAnswerTo(query, query), "a query");
  assert.ok(!isAnswerTo(query, reply(renderQuery(8, ask("TXT")), [])), "another id");
  assert.ok(!isAnswerTo(query, reply(other, [])), "another name");
  assert.ok(!isAnswerTo(query, reply(renderQuery(7, ask("MX")), [])), "another type");
  for (let end = 0; end < query.length; end++)
    assert.ok(!isAnswerTo(query, reply(query, []).subarray(0, end)));
  assert.ok(isTruncated(reply(query, [], 0x8380)));
  assert.ok(!isTruncated(reply(query, [])));
});
