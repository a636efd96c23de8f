import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { authenticationResultsField, type MethodResult, resultsText } from "./authentication-results.ts";

const ID = "mx.forwarder.example";
const field = (...results: MethodResult[]) => authenticationResultsField({ authservId: ID, results });
/** On one line. */
const flat = (...results: MethodResult[]) => resultsText(results).replaceAll("\r\n\t", " ");

test("all methods of one message", () => {
  assert.equal(
    field(
      { method: "spf", result: "pass", mailfrom: "bob@origin.example", helo: "mail.origin.example" },
      {
        method: "dkim",
        result: "fail",
        reason: "body hash did not verify",
        domain: "origin.example",
        selector: "s1",
        algorithm: "rsa-sha256",
        signature: "aB3/+x9=",
      },
      { method: "dmarc", result: "pass", from: "origin.example", policy: "reject" },
      { method: "arc", result: "pass", oldestPass: 0, remoteIp: "192.0.2.1" },
    ),
    [
      "Authentication-Results: mx.forwarder.example;",
      "\tspf=pass smtp.mailfrom=bob@origin.example",
      "\tsmtp.helo=mail.origin.example;",
      '\tdkim=fail reason="body hash did not verify" header.d=origin.example',
      '\theader.s=s1 header.a=rsa-sha256 header.b="aB3/+x9=";',
      "\tdmarc=pass header.from=origin.example policy.dmarc=reject;",
      "\tarc=pass header.oldest-pass=0 smtp.remote-ip=192.0.2.1",
      "",
    ].join("\r\n"),
  );
});

test("nothing was tested: none", () => {
  assert.equal(field(), "Authentication-Results: mx.forwarder.example;\r\n\tnone\r\n");
  assert.equal(resultsText([]), "none");
});

test("what is not known is left out", () => {
  assert.equal(flat({ method: "spf", result: "none", mailfrom: "", helo: undefined }), "spf=none");
  assert.equal(flat({ method: "arc", result: "none" }), "arc=none");
});

const values: [what: string, value: string, written: string][] = [
  ["a domain", "origin.example", "origin.example"],
  ["a domain with an underscore", "_x.origin.example", "_x.origin.example"],
  ["an address", "bob@origin.example", "bob@origin.example"],
  [
    "an address with all that an atom may hold but =",
    "a!#$%&'*+/?^_`{|}~-@x.example",
    "a!#$%&'*+/?^_`{|}~-@x.example",
  ],
  ["an SRS address", "SRS0=xx=yy=o.example=bob@f.example", '"SRS0=xx=yy=o.example=bob@f.example"'],
  ["a result in the local part", "dmarc=pass@x.example", '"dmarc=pass@x.example"'],
  ["a quoted local part", '"a b"@x.example', '"\\"a b\\"@x.example"'],
  ["an address literal", "bob@[192.0.2.1]", '"bob@[192.0.2.1]"'],
  ["an IPv6 address", "2001:db8::1", '"2001:db8::1"'],
  ["a semicolon", "x; dkim=pass", '"x; dkim=pass"'],
  ["a comment", "x(y)", '"x(y)"'],
  ["a quote and a backslash", 'x"\\', '"x\\"\\\\"'],
  ["a line end", "x\r\nBcc: y", '"x??Bcc: y"'],
  ["a NUL and DEL", "x\0\x7f", '"x??"'],
  ["UTF-8", "jürgen@x.example", "j?rgen@x.example"],
  ["half a surrogate pair", "x\ud800", '"x?"'],
  ["two dots", "a..b@x.example", '"a..b@x.example"'],
];
for (const [what, value, written] of values) {
  test(`a value with ${what} is written as ${written}`, () => {
    assert.equal(
      flat({ method: "spf", result: "pass", mailfrom: value }),
      `spf=pass smtp.mailfrom=${written}`,
    );
  });
}

test("UTF-8 stays in a message with SMTPUTF8, without characters that nobody sees", () => {
  const result = { method: "spf", result: "pass", mailfrom: "jürgen@bücher.example" } as const;
  assert.equal(resultsText([result], { smtpUtf8: true }), "spf=pass smtp.mailfrom=jürgen@bücher.example");
  const unseen = { ...result, mailfrom: "a\u202eb\u2028c\x85d" };
  assert.equal(resultsText([unseen], { smtpUtf8: true }), 'spf=pass smtp.mailfrom="a?b?c?d"');
  const long = resultsText([{ ...result, mailfrom: "💌".repeat(200) }], { smtpUtf8: true });
  assert.equal(Buffer.byteLength(long.replace("spf=pass\r\n\tsmtp.mailfrom=", "").replaceAll('"', "")), 252);
});

test("of more than ten signatures the topmost are told, and the other methods all the same", () => {
  const dkim = Array.from({ length: 1000 }, (_, index) => ({
    method: "dkim" as const,
    result: "pass" as const,
    domain: `d${index}.example`,
  }));
  const text = flat(...dkim, { method: "dmarc", result: "pass" });
  assert.equal(text.split("; ").length, 11);
  assert.match(text, /header\.d=d9\.example; dmarc=pass$/);
});

test("whatever was said, the field is one field, and its quotes are closed", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.string({
      unit: fc.constantFrom('"', "\\", "(", ")", ";", "\r", "\n", " ", "=", "é", "x"),
      maxLength: 400,
    }),
  );
  fc.assert(
    fc.property(text, text, text, fc.boolean(), (reason, domain, helo, smtpUtf8) => {
      const written = authenticationResultsField({
        authservId: ID,
        smtpUtf8,
        results: [
          { method: "dkim", result: "fail", reason, domain, selector: helo },
          { method: "spf", result: "fail", mailfrom: domain, helo },
        ],
      });
      assert.ok(written.endsWith("\r\n"));
      const lines = written.slice(0, -2).split("\r\n");
      for (const line of lines) {
        assert.match(line, smtpUtf8 ? /^\t?[^\p{Cc}]+$/u : /^\t?[ -~]+$/);
        assert.ok(Buffer.byteLength(line) <= 998);
        // Of several words on a line, none goes beyond.
        if (line.length > 78) assert.doesNotMatch(line.replace(/"(?:[^"\\]|\\.)*"/g, ""), / /);
      }
      for (const line of lines.slice(1)) assert.match(line, /^\t\S/);
      // Outside of quoted strings, there are as many semicolons as results.
      const bare = lines.join(" ").replace(/"(?:[^"\\]|\\.)*"/g, "");
      assert.equal(bare.split(";").length, 3);
      assert.doesNotMatch(bare, /["()\\]/);
    }),
  );
});
