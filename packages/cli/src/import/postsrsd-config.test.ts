import assert from "node:assert/strict";
import { test } from "node:test";
import { type PostsrsdSettings, parsePostsrsdFile } from "@homing/mta-adapters/import";
import { parse } from "yaml";
import { configSchema } from "../config/schema.ts";
import { importedConfig, renderImported } from "./postsrsd-config.ts";

function settings(text: string): PostsrsdSettings {
  const file = parsePostsrsdFile(text);
  assert.ok(file.ok);
  return file.settings;
}

const files: readonly [what: string, text: string][] = [
  ["PostSRSd 2, all defaults", ""],
  ["PostSRSd 2", 'domains = { club.example, .customers.example }\nseparator = "-"\nmilter = inet:*:9997\n'],
  ["PostSRSd 2 with short tags", "hash-length = 2\nhash-minimum = 1\nconnection-limit = 10\n"],
  ["PostSRSd 1", "SRS_EXCLUDE_DOMAINS=club.example\nSRS_SEPARATOR=+\nSRS_LISTEN_ADDR=::1\n"],
];
for (const [what, text] of files) {
  test(`what is made of ${what} is a configuration, and what is printed is the same one`, () => {
    const imported = importedConfig(settings(text), "srs.example");
    const { error } = configSchema.safeParse(imported.config);
    assert.equal(error, undefined);
    assert.deepEqual(parse(renderImported(imported, "made from x")), imported.config);
  });
}

test("the same tags are made and taken: classic, in the same length, alphabet and separator", () => {
  const { config } = importedConfig(settings('hash-length = 6\nseparator = "+"\n'), "srs.example");
  assert.deepEqual(config.srs, {
    domain: "srs.example",
    secretsFile: "/etc/postsrsd.secret",
    scheme: "classic",
    tagLength: 6,
    minTagLength: 4,
    separator: "+",
    alphabet: "base64url",
  });
  const one = importedConfig(settings("SRS_HASHLENGTH=4\n"), "srs.example");
  assert.equal((one.config.srs as { alphabet: string }).alphabet, "base64");
});

test("the printed file says what a person has to look at", () => {
  const text = renderImported(importedConfig(settings(""), "srs.example"), "made from x");
  assert.match(text, /^# made from x\n/);
  assert.match(text, /\n# This server's name, .*correct it\.\nhostname: srs\.example\n/);
  assert.match(text, /\n {2}# .*since 2\.2\.6.*\n {2}alphabet: base64url\n/);
  assert.match(
    text,
    /\n {4}# As PostSRSd's: every user may ask\..*folder of the group postfix\.\n {4}mode: "0666"\n/,
  );
});

const advised: readonly [text: string, advice: RegExp, isGiven: boolean][] = [
  ["hash-length = 4\n", /write tagLength: 8 with minTagLength: 4 now, .*after 21 days/, true],
  ["hash-length = 8\nhash-minimum = 8\n", /tagLength: 8 with/, false],
  ["hash-length = 30\n", /tags of 30 and 4 characters become 27 and 4/, true],
  ["hash-length = 4\n", /characters become/, false],
  ["", /policy service first/, true],
  ["", /stop PostSRSd, .* start homing adapters --config FILE/, true],
  ["", /homing config check .* srs\.weakSecret: true/, true],
  ["", /^adapters\.socketmap\.listen: .*-m 2770 .*in main\.cf homing\/socketmap where srs stands/, true],
  ["milter = unix:/var/spool/postfix/srs_milter\n", /homing\/milter where srs_milter stands/, true],
  ["socketmap = unix:/var/spool/postfix/own/srs\n", /is root's/, false],
  ["socketmap = inet:localhost:10003\n", /is root's/, false],
  ["milter = inet:localhost:9997\n", /^authentication\.mode is "off"/, true],
  ["", /authentication\.mode/, false],
  ["domains = { a.example, srs.example }\n", /one of your own domains/, true],
  ["domains = { .srs.example }\n", /one of your own domains/, true],
  ["SRS_DOMAIN=srs.example\nSRS_EXCLUDE_DOMAINS=srs.example\n", /one of your own domains/, true],
  // As `postconf -h mydomain` tells it.
  ["SRS_EXCLUDE_DOMAINS=a.example\n", /one of your own domains/, true],
  ["SRS_DOMAIN=srs.example\n", /one of your own domains/, false],
  ["domains = { a.example, .b.example }\n", /one of your own domains/, false],
];
for (const [text, advice, isGiven] of advised) {
  test(`${JSON.stringify(text)}: ${advice} is ${isGiven ? "" : "not "}said`, () => {
    const { notes } = importedConfig(settings(text), "srs.example");
    assert.equal(
      notes.some(({ message }) => advice.test(message)),
      isGiven,
    );
  });
}

test("a milter of PostSRSd's goes on as one that checks no SPF", () => {
  const { config } = importedConfig(settings("milter = inet:localhost:9997\n"), "srs.example");
  assert.deepEqual(config.authentication, { mode: "off" });
  assert.equal(importedConfig(settings(""), "srs.example").config.authentication, undefined);
});
