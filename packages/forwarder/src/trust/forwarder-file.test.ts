import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseForwarderFile } from "./forwarder-file.ts";
import { expiredEntries, type TrustedForwarder } from "./trust-entry.ts";

function shown({ match, recipients, expires, reason }: TrustedForwarder): string {
  const what = match.kind === "network" ? match.network : `${match.isBelow ? "below " : ""}${match.name}`;
  const until = expires === undefined ? "" : ` until ${new Date(expires * 1000).toISOString()}`;
  return `${match.kind} ${what} [${recipients.join(" ")}]${until}: ${reason}`;
}

const read: [what: string, text: string, ...entries: string[]][] = [
  ["an address", "192.0.2.1 the club", "network 192.0.2.1 []: the club"],
  ["a network", "192.0.2.0/24 the club", "network 192.0.2.0/24 []: the club"],
  ["an IPv6 network", "2001:DB8::/32 the club", "network 2001:db8::/32 []: the club"],
  ["a host name", "Mail.Example.ORG the club", "host mail.example.org []: the club"],
  ["a U-label", "mail.bücher.example the club", "host mail.xn--bcher-kva.example []: the club"],
  ["the hosts of a domain", "*.example.org the club", "host below example.org []: the club"],
  ["a sealer", "arc:Example.org the club", "sealer example.org []: the club"],
  ["sealers below a domain", "ARC:*.example.org the club", "sealer below example.org []: the club"],
  ["a day", "192.0.2.1 until=2026-12-31 x", "network 192.0.2.1 [] until 2027-01-01T00:00:00.000Z: x"],
  ["a leap day", "192.0.2.1 until=2028-02-29 x", "network 192.0.2.1 [] until 2028-03-01T00:00:00.000Z: x"],
  [
    "domains and aliases",
    "192.0.2.1 for=X.example,Bob@Y.example x",
    "network 192.0.2.1 [x.example bob@y.example]: x",
  ],
  [
    "both, in any order, with tabs",
    "192.0.2.1\tuntil=2026-12-31 \tfor=x.example\tthe  club",
    "network 192.0.2.1 [x.example] until 2027-01-01T00:00:00.000Z: the club",
  ],
  ["an equals sign in the reason", "192.0.2.1 ticket no=7", "network 192.0.2.1 []: ticket no=7"],
  ["comments, empty lines and CRLF", "# x\r\n\r\n192.0.2.1 the club\r\n", "network 192.0.2.1 []: the club"],
  ["a continued line", "192.0.2.1 the\n  club", "network 192.0.2.1 []: the club"],
  [
    "one network for two recipients",
    "192.0.2.1 for=a.example x\n192.0.2.1 for=b.example y",
    "network 192.0.2.1 [a.example]: x",
    "network 192.0.2.1 [b.example]: y",
  ],
  ["nothing", ""],
];
for (const [what, text, ...entries] of read) {
  test(`a file of trusted forwarders may hold ${what}`, () => {
    const file = parseForwarderFile(text);
    assert.deepEqual(file.problems, []);
    assert.deepEqual(file.entries.map(shown), entries);
  });
}

const NO_MATCH = (text: string) =>
  `"${text}" is no network, host name or ARC sealer: write 192.0.2.0/24, mail.example.org, *.example.org or arc:example.org`;
const NO_REASON = "no reason: say behind it why mail from there is let through";
const RECIPIENT = "write a domain or an alias of yours, without blanks behind commas";

const wrong: [text: string, ...problems: [line: number, column: number, message: string][]][] = [
  ["192.0.2.1", [1, 1, NO_REASON]],
  ["# x\n192.0.2.1 for=x.example", [2, 1, NO_REASON]],
  ["192.0.2.256 x", [1, 1, NO_MATCH("192.0.2.256")]],
  ["192.0.2.0/x x", [1, 1, '"192.0.2.0/x" has no length from 0 to 32 behind the "/": correct it']],
  ["192.0.2.0/33 x", [1, 1, '"192.0.2.0/33" has no length from 0 to 32 behind the "/": correct it']],
  ["2001:db8::/129 x", [1, 1, '"2001:db8::/129" has no length from 0 to 128 behind the "/": correct it']],
  [
    "192.0.2.1/24 x",
    [1, 1, '"192.0.2.1/24" has bits behind its first 24: write the network\'s own address, or no "/24"'],
  ],
  [
    "0.0.0.0/0 x",
    [1, 1, '"0.0.0.0/0" is a part of the Internet, not a forwarder\'s network: write /8 or more'],
  ],
  ["::/0 x", [1, 1, '"::/0" is a part of the Internet, not a forwarder\'s network: write /16 or more']],
  ["::ffff:192.0.2.1 x", [1, 1, '"::ffff:192.0.2.1" is an IPv4 address in IPv6: write the IPv4 address']],
  ["fe80::1%eth0 x", [1, 1, NO_MATCH("fe80::1%eth0")]],
  ["mail.example/24 x", [1, 1, NO_MATCH("mail.example/24")]],
  ["[192.0.2.1] x", [1, 1, NO_MATCH("[192.0.2.1]")]],
  ["a@x.example x", [1, 1, NO_MATCH("a@x.example")]],
  ["*.*.example x", [1, 1, NO_MATCH("*.*.example")]],
  ["arc: x", [1, 1, NO_MATCH("")]],
  ["* x", [1, 1, NO_MATCH("*")]],
  ["*.com x", [1, 1, '"*.com" has one label, as a top-level domain: write the whole name']],
  ["localhost x", [1, 1, '"localhost" has one label, as a top-level domain: write the whole name']],
  ["192.0.2.1 until=2026-02-31 x", [1, 17, '"2026-02-31" is no day: write until=2027-01-31']],
  ["192.0.2.1 until=tomorrow x", [1, 17, '"tomorrow" is no day: write until=2027-01-31']],
  ["192.0.2.1 until= x", [1, 17, '"" is no day: write until=2027-01-31']],
  ["192.0.2.1 until=2027-01-31 until=2027-01-31 x", [1, 28, "until= is given twice: keep one"]],
  ["192.0.2.1 for=a.example for=b.example x", [1, 25, "for= is given twice: join the two with a comma"]],
  ["192.0.2.1 for=a.example, b.example x", [1, 25, `the domain is empty: ${RECIPIENT}`]],
  ["192.0.2.1 for=a@ x", [1, 15, `address "a@": the domain is empty: ${RECIPIENT}`]],
  ["192.0.2.1 for=a.example,b,c@@x x", [1, 27, `address "c@@x": "@x" is not a domain name: ${RECIPIENT}`]],
  [
    "192.0.2.1 form=a.example x",
    [1, 11, '"form=" is neither for= nor until=: begin the reason with another word'],
  ],
  ["192.0.2.1 x\n192.0.2.1 y", [2, 1, '"192.0.2.1" stands on line 1 already: keep one']],
  ["192.0.2.1 b\ufffd", [1, 1, "the file is not UTF-8: convert it"]],
  ["  192.0.2.1 x", [1, 1, "this line continues no entry: begin it in the first column"]],
  [
    "x\n192.0.2.1\n  until=x\n  form=y z",
    [1, 1, '"x" has one label, as a top-level domain: write the whole name'],
    [1, 1, NO_REASON],
    [3, 9, '"x" is no day: write until=2027-01-31'],
    [4, 3, '"form=" is neither for= nor until=: begin the reason with another word'],
  ],
];
for (const [text, ...problems] of wrong) {
  test(`${JSON.stringify(text)}: ${problems.map(([line, column]) => `${line}:${column}`).join(", ")}`, () => {
    const file = parseForwarderFile(text);
    assert.deepEqual(
      file.problems.map(({ line, column, message }) => [line, column, message]),
      problems,
    );
  });
}

test("an entry is kept as it is written, without its reason, and with its line", () => {
  const [entry] = parseForwarderFile("# x\n*.Example.org  until=2026-12-31 the club\n").entries;
  assert.equal(entry?.entry, "*.Example.org until=2026-12-31");
  assert.equal(entry?.line, 2);
});

test("an entry holds to the end of its last day, and is then told as expired", () => {
  const { entries } = parseForwarderFile("192.0.2.1 until=2026-12-31 x\n192.0.2.2 y\n");
  const midnight = Date.UTC(2027, 0, 1) / 1000;
  assert.deepEqual(expiredEntries(entries, midnight - 1), []);
  assert.deepEqual(
    expiredEntries(entries, midnight).map(({ line }) => line),
    [1],
  );
});

test("no text makes the parser throw, and every problem lies inside the file", () => {
  const piece = fc.constantFrom(
    ..."192.0.2.1|/24|::|*.|arc:|x.example|for=|until=|2026-12-31|,|@|=|%| |\t|\n|\r\n|#|\ufffd|\ufeff|\0".split(
      "|",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = pieces.join("");
      const lines = text.split(/\r?\n/);
      for (const { line, column, message } of parseForwarderFile(text).problems) {
        assert.ok(line >= 1 && line <= lines.length, `line ${line}`);
        assert.ok(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 1, `column ${column}`);
        assert.doesNotMatch(message, /\p{Cc}/u);
      }
    }),
  );
});
