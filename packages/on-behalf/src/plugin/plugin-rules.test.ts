import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { compile, type Data, MAIL, NOW, OPTIONS, reversed, SECRET } from "../testing/compile-mail.ts";
import { createTokens } from "../tokens/create-tokens.ts";
import { onBehalf } from "./on-behalf-plugin.ts";
import type { OnBehalfPluginOptions } from "./options.ts";
import { OnBehalfError } from "./plugin-problem.ts";

const tokens = createTokens(["the secret of the service's keys"]);

for (const [field, more] of [
  ["secretsFile", { secrets: undefined }],
  ["secretsFile", { secretsFile: "x" }],
  ["secrets[1]", { secrets: [SECRET, "short"] }],
  ["secrets", { secrets: [] }],
  ["bounceDomain", { bounceDomain: "bounce site" }],
  ["bounceDomain", { bounceDomain: "localhost" }],
  ["bounceDomain", { bounceDomain: undefined }],
  ["from", { from: "cards" }],
  ["from", { from: "a@b.example, c@d.example" }],
  ["from", { from: undefined }],
  ["title", { title: "Cards\r\nBcc: x@y.example" }],
  ["title", { title: " " }],
  ["fromMode", { fromMode: "users" }],
  ["fromMod", { fromMod: "site" }],
  ["homming", { homming: { url: "https://mail.site.example", siteKeyFile: "x" } }],
  ["isConfirmd", { isConfirmd: undefined }],
  ["homing.siteKeyfile", { homing: { url: "https://mail.site.example", siteKeyfile: "x" } }],
  ["world.lookupTxt", { world: { lookupTxt: async () => [] } }],
  ["from.nam", { from: { nam: "Cards", address: "cards@site.example" } }],
  ["__proto__", JSON.parse('{ "__proto__": { "homing": true } }')],
  ["homing", { homing: null }],
  ["homing", { homing: "" }],
  ["homing", { homing: "https://mail.site.example" }],
  ["maxRecipients", { maxRecipients: 0 }],
  ["maxRecipients", { maxRecipients: Number.POSITIVE_INFINITY }],
  ["isConfirmed", { isConfirmed: true }],
  ["site", { identityKeys: tokens.publicKeys }],
  ["identityKeys", { identityKeys: ["short"], site: "cards" }],
  ["identityKeys", { identityKeys: [], site: "cards" }],
  ["homing.url", { homing: { url: "http://mail.site.example", siteKeyFile: "x" } }],
  ["homing.url", { homing: { url: "mail.site.example", siteKeyFile: "x" } }],
  ["homing.url", { homing: { url: "https://u:p@mail.site.example", siteKeyFile: "x" } }],
  ["homing.siteKeyFile", { homing: { url: "https://mail.site.example" } }],
] as const) {
  test(`wrong options (${field}, ${JSON.stringify(more)}) are told when the site starts`, () => {
    assert.throws(
      () => onBehalf({ ...OPTIONS, ...more } as OnBehalfPluginOptions),
      (error) => {
        assert.ok(error instanceof OnBehalfError);
        assert.equal(error.code, "wrong-options");
        assert.ok(error.field?.startsWith(field) || field.startsWith(error.field ?? "-"), error.field);
        assert.match(error.message, /^onBehalf: /);
        assert.ok(error.hint, "it does not say what to do");
        assert.equal(error.message.includes(SECRET), false);
        return true;
      },
    );
  });
}

for (const [word, hint] of [
  ["fromMod", /^did you mean fromMode\? the names are secretsFile, .*world$/],
  ["Homing", /^did you mean homing\? /],
  ["hoimng", /^did you mean homing\? /],
  ["identity_keys", /^did you mean identityKeys\? /],
  ["maxRecipient", /^did you mean maxRecipients\? /],
  ["dkim", /^the names are secretsFile, /],
] as const) {
  test(`the option ${word} is none: ${hint.source}`, () => {
    assert.throws(() => onBehalf({ ...OPTIONS, [word]: "x" }), { code: "wrong-options", field: word, hint });
  });
}

test('the mode "User" is none, and the hint says which was meant', () => {
  assert.throws(() => onBehalf({ ...OPTIONS, fromMode: "User" as "user" }), {
    message: 'onBehalf: fromMode is none of auto, site and user: did you mean "user"? leave it out for auto',
  });
});

test("no options at all are wrong options", () => {
  assert.throws(() => onBehalf(undefined as never), { code: "wrong-options", field: "options" });
});

test("the title is the name of from, or its domain", async () => {
  const plain = await compile(MAIL, { from: "cards@Site.Example" });
  assert.deepEqual(plain.from, { name: "alice via site.example", address: "cards@site.example" });
  assert.equal(plain.messageId, "<id-1@site.example>");
  const titled = await compile(MAIL, { title: "Cards & more" });
  assert.deepEqual(titled.from, { name: "alice via Cards & more", address: "cards@site.example" });
});

test("a secrets file signs, is read again after a minute, and is refused where others can read it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const secretsFile = join(folder, "secrets");
  const write = (text: string) => writeFile(secretsFile, text, { mode: 0o600 });
  let now = NOW;
  const world = { now: () => now, lookUpTxt: async () => [] };
  const plugin = onBehalf({ ...OPTIONS, secrets: undefined, secretsFile, world });
  const send = () =>
    new Promise<string>((resolve, reject) => {
      const data: Data = { ...MAIL };
      plugin({ data }, (error) =>
        error ? reject(error) : resolve((data.envelope as { from: string }).from),
      );
    });
  await assert.rejects(send(), { code: "secrets-unreadable", field: "secretsFile" });
  await write(`# newest first\n${SECRET}\nan older secret of 22 characters\n`);
  reversed(await send());
  await write("another secret of 22 characters\n");
  reversed(await send());
  now += 60;
  reversed(await send(), "another secret of 22 characters");
  await chmod(secretsFile, 0o644);
  now += 60;
  await assert.rejects(send(), { code: "secrets-unreadable", message: /has mode 0644.*run chmod 600/ });
});
