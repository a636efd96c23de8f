import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { requestsIn } from "../testing/requests-in.ts";
import { ProtocolFault } from "../wire/protocol.ts";
import { createPolicyReader, type PolicyRequest } from "./policy-request.ts";

const EMPTY: PolicyRequest = {
  request: "smtpd_access_policy",
  protocol_state: "",
  client_address: "",
  helo_name: "",
  sender: "",
  recipient: "",
  sasl_username: "",
  instance: "",
};
const BEGIN = "request=smtpd_access_policy\n";

function read(text: string): readonly PolicyRequest[] {
  return requestsIn(createPolicyReader(), Buffer.from(text));
}

test("a request is what stands before an empty line; what is not said is empty", () => {
  assert.deepEqual(read(`${BEGIN}sender=bob@origin.example\n\n`), [
    { ...EMPTY, sender: "bob@origin.example" },
  ]);
});

test("values may hold equals signs, blanks and UTF-8, and names that nobody knows are passed over", () => {
  const text = `${BEGIN}sender=SRS0=x=y=z=büro@a.example \nno such name=1\nsize=\n__proto__=x\n\n`;
  assert.deepEqual(read(text), [{ ...EMPTY, sender: "SRS0=x=y=z=büro@a.example " }]);
});

test("two requests in one packet are two, and the second has nothing of the first", () => {
  const requests = read(`${BEGIN}sender=bob@origin.example\n\n${BEGIN}helo_name=x\n\n${BEGIN}`);
  assert.deepEqual(requests, [
    { ...EMPTY, sender: "bob@origin.example" },
    { ...EMPTY, helo_name: "x" },
  ]);
});

test("a reader knows whether a request is begun", () => {
  const reader = createPolicyReader();
  const begun = ["", "r", "equest=smtpd_access_policy\n", "\n"].map((part) => {
    requestsIn(reader, Buffer.from(part));
    return reader.isBegun();
  });
  assert.deepEqual(begun, [false, true, true, false]);
});

const FAULTS: readonly [what: string, text: string, fault: RegExp][] = [
  ["another request", "request=junk\n\n", /not request=smtpd_access_policy/],
  ["no request", "sender=bob@origin.example\n\n", /not request=smtpd_access_policy/],
  ["an empty line alone", "\n", /not request=smtpd_access_policy/],
  ["a line without a value", `${BEGIN}sender\n`, /not name=value/],
  ["a line without a name", `${BEGIN}=x\n`, /not name=value/],
  [
    "lines that end with CRLF, as Postfix writes none",
    "request=smtpd_access_policy\r\n\r\n",
    /not name=value/,
  ],
  ["a NUL", `${BEGIN}sender=a\0b\n`, /not name=value/],
  ["two senders", `${BEGIN}sender=a@a.example\nsender=b@b.example\n`, /has sender twice/],
  ["a line that is too long", `${BEGIN}sender=${"x".repeat(4096)}\n`, /a line of more than 4096 octets/],
  ["a line that does not end", "x".repeat(4097), /a line of more than 4096 octets/],
  ["a request that does not end", `${BEGIN}${"x=y\n".repeat(20_000)}`, /a request of more than 65536 octets/],
];
for (const [what, text, fault] of FAULTS) {
  test(`${what} is a fault, in one piece and in single octets`, () => {
    const faulty = (error: unknown) => error instanceof ProtocolFault && fault.test(error.message);
    assert.throws(() => read(text), faulty);
    const reader = createPolicyReader();
    assert.throws(() => {
      for (const octet of Buffer.from(text)) requestsIn(reader, Buffer.of(octet));
    }, faulty);
  });
}

test("a line may have 4,096 octets", () => {
  const value = "x".repeat(4096 - "sender=".length);
  assert.deepEqual(read(`${BEGIN}sender=${value}\n\n`), [{ ...EMPTY, sender: value }]);
});

test("wherever the octets are cut, the requests are the same", () => {
  const value = fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !/[\n\0]/.test(text));
  const request = fc.record({ sender: value, recipient: value, instance: value });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 3 }), fc.array(fc.nat(400)), (requests, cuts) => {
      const text = requests.map(
        ({ sender, recipient, instance }) =>
          `${BEGIN}sender=${sender}\nrecipient=${recipient}\nelse=1\ninstance=${instance}\n\n`,
      );
      const octets = Buffer.from(text.join(""));
      const reader = createPolicyReader();
      const places = [0, ...cuts.toSorted((one, other) => one - other), octets.length];
      const got = places.flatMap((from, index) =>
        requestsIn(reader, octets.subarray(from, places[index + 1])),
      );
      const expected = requests.map((one) => ({ ...EMPTY, ...wellFormed(one) }));
      assert.deepEqual(got, expected);
      assert.equal(reader.isBegun(), false);
    }),
  );
});

test("random octets are requests or a fault, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      const reader = createPolicyReader();
      try {
        for (const chunk of chunks) requestsIn(reader, Buffer.from(chunk));
      } catch (error) {
        assert.ok(error instanceof ProtocolFault);
        assert.match(error.message, /^[\x20-\x7e]{1,100}$/);
      }
    }),
  );
});

/** As it comes through UTF-8. */
function wellFormed<Texts extends Record<string, string>>(texts: Texts): Texts {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString()]),
  ) as Texts;
}
