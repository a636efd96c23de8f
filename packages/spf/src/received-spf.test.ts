// The Received-SPF field: RFC 7208 §9.1.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSpf } from "./check-host.ts";
import { receivedSpfField } from "./received-spf.ts";
import type { SpfQuestion } from "./spf.ts";
import { NOW, QUESTION } from "./testing/cases.ts";
import { resolverOf } from "./testing/zone.ts";

async function field(record: string, asked: Partial<SpfQuestion> = {}): Promise<string> {
  const question = { ...QUESTION, ...asked };
  const resolver = resolverOf({ "d.example": [`TXT ${record}`], "mail.example": [`TXT ${record}`] });
  return receivedSpfField(
    await checkSpf(question, { resolver, now: () => NOW }),
    question,
    "mx.receiver.example",
  );
}

function unfolded(text: string): string {
  return text.replaceAll("\r\n ", " ");
}

test("§9.1 keys stand in the order of Mail::SPF, mechanism and problem behind them", async () => {
  assert.equal(
    unfolded(await field("v=spf1 ip4:192.0.2.0/24 -all")),
    "Received-SPF: pass (mx.receiver.example: 192.0.2.1 may send for d.example)" +
      ' receiver=mx.receiver.example; identity=mailfrom; envelope-from="user@d.example";' +
      ' helo=mail.example; client-ip=192.0.2.1; mechanism="ip4:192.0.2.0/24";\r\n',
  );
  assert.match(
    unfolded(await field("v=spf1 moo")),
    /^Received-SPF: permerror .* problem="d\.example: \\"moo\\": no such mechanism";\r\n$/,
  );
});

test("§9.1 each result has its word", async () => {
  const words = ["-all", "~all", "?all", "all", "moo"].map(
    async (term) => (await field(`v=spf1 ${term}`)).split(" ")[1],
  );
  assert.deepEqual(await Promise.all(words), ["fail", "softfail", "neutral", "pass", "permerror"]);
  assert.match(await field("prose"), /^Received-SPF: none /);
});

test("§9.1 what is no dot-atom is quoted: IPv6 addresses", async () => {
  assert.match(
    unfolded(await field("v=spf1 -all", { client: "2001:db8::1" })),
    / client-ip="2001:db8::1"; mechanism=-all;\r\n$/,
  );
});

test("§9.1 a client in IPv6 clothes is shown as the IPv4 address that was compared", async () => {
  assert.match(
    unfolded(await field("v=spf1 -all", { client: "::FFFF:C000:201" })),
    / client-ip=192\.0\.2\.1; /,
  );
});

test("§9.1 a null sender is shown as the postmaster that was checked, for both identities", async () => {
  assert.match(
    unfolded(await field("v=spf1 -all", { sender: "" })),
    / identity=mailfrom; envelope-from="postmaster@mail\.example"; /,
  );
  assert.match(
    unfolded(await field("v=spf1 -all", { sender: "", identity: "helo" })),
    / identity=helo; envelope-from="postmaster@mail\.example"; /,
  );
  assert.match(
    unfolded(await field("v=spf1 -all", { identity: "helo" })),
    / identity=helo; envelope-from="user@d\.example"; /,
  );
});

const HOSTILE: readonly Partial<SpfQuestion>[] = [
  { helo: 'a"; client-ip=198.51.100.1; x="' },
  { helo: "a\r\nReceived-SPF: pass" },
  { helo: "a\u0000\u0007\u007f\u00e9\u{1f600}b" },
  { helo: "(((" },
  { helo: ")) pass (" },
  { helo: "back\\slash\\" },
  { helo: "  many    spaces   " },
  { helo: " ".repeat(200) },
  { helo: "x".repeat(100_000) },
  { sender: '"a\\"b (c) \r\n d"@d.example' },
  { sender: `${"l".repeat(70_000)}@d.example` },
  { sender: "u@a(b)\\.example" },
  { client: "192.0.2.1) pass (" },
];

test("§9.1 hostile text stays inside its quotes, in printable ASCII, on short lines", async () => {
  for (const asked of HOSTILE) {
    const text = await field("v=spf1 a:%{h} -all", asked);
    assert.match(text, /^Received-SPF: [\x20-\x7e]+(?:\r\n [\x20-\x7e]*\S[\x20-\x7e]*)*\r\n$/, text);
    for (const line of text.split("\r\n")) {
      assert.ok(line.length <= 77 || !line.trim().includes(" "), line);
      assert.ok(line.length < 900);
    }
    const bare = unfolded(text)
      .replace(/"(?:[^"\\]|\\.)*"/g, '""')
      .replace(/\\./g, "");
    assert.match(
      bare,
      /^Received-SPF: [a-z]+ \([^()]+\) receiver=mx\.receiver\.example; identity=mailfrom; envelope-from=""; helo=[^ ;]+; client-ip=[^ ;]+;(?: mechanism=[^ ;]+;)?(?: problem="";)?\r\n$/,
      text,
    );
  }
});
