import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseConfig } from "../../config/load-config.ts";
import { watchOwnDomains } from "./own-domains.ts";

const CONFIG = `
hostname: mx.forwarder.example
domains: [forwarder.example]
domainAliases: { old-name.example: forwarder.example }
srs: { domain: bounces.forwarder.example, secretsFile: secrets }
adapters:
  readsocket: { listen: "127.0.0.1:0" }
  ownDomains: [club.example, .customers.example]
  ownDomainsFiles: [own-domains]
`;

async function watched(t: TestContext, text: string) {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const write = (content: string): Promise<void> => writeFile(join(folder, "own-domains"), content);
  await write(text);
  const events: object[] = [];
  const config = parseConfig(CONFIG, "homing.yaml");
  const own = await watchOwnDomains({ config, folder, log: (event) => events.push(event) });
  t.after(() => own.close());
  return { own, write, events };
}

const FILE = `# Domains of ours
school.example
mail.example\tOK
\tgoes on from the line before
.wide.example   # and all below

`;

test("domains of the settings, of the SRS domains and of files are ours, with parents as PostSRSd writes them", async (t) => {
  const { own } = await watched(t, FILE);
  const names = [
    ["forwarder.example", true],
    ["OLD-name.example", true],
    ["bounces.forwarder.example", true],
    ["club.example", true],
    ["sub.club.example", false],
    ["a.b.customers.example", true],
    ["customers.example", false],
    ["school.example", true],
    ["mail.example", true],
    ["x.wide.example", true],
    ["goes", false],
    ["origin.example", false],
    ["", false],
  ] as const;
  for (const [name, is] of names) assert.equal(own.domains().has(name), is, name);
});

test("a file that has changed is read anew, and one with a mistake is told and not used", async (t) => {
  const { own, write, events } = await watched(t, FILE);
  await write("new.example\n");
  await own.reread();
  assert.equal(own.domains().has("new.example"), true);
  assert.equal(own.domains().has("school.example"), false);
  await write("fine.example\nnot a domain: @\nx@y\n");
  await own.reread();
  assert.equal(own.domains().has("new.example"), true);
  assert.deepEqual(
    events.map((event) => ("event" in event ? event.event : "")),
    ["own-domains-reloaded", "own-domains-not-reloaded"],
  );
  assert.match(JSON.stringify(events[1]), /own-domains:3: .*write a domain name, or # before it/);
});

test("a file that is half written is not believed: the domains of before stay", async (t) => {
  const { own, write, events } = await watched(t, FILE);
  for (const [text, what] of [
    ["", "it is empty"],
    ["school.example\nclub.exa", "its last line has no end"],
  ] as const) {
    await write(text);
    await own.reread();
    assert.equal(own.domains().has("school.example"), true);
    assert.equal(own.domains().has("a.wide.example"), true);
    assert.match(JSON.stringify(events.at(-1)), new RegExp(`own-domains-not-reloaded.*${what}`));
  }
});

test("a file that is not there prevents the start, with its name", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const config = parseConfig(CONFIG, "homing.yaml");
  await assert.rejects(watchOwnDomains({ config, folder, log() {} }), {
    reason: "config",
    message: /ownDomainsFiles: .*own-domains: there is no such file/,
  });
});
