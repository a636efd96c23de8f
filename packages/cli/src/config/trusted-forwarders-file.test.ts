import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CommandFailure } from "../failure.ts";
import { readTrustedForwarders } from "./trusted-forwarders-file.ts";

const NOW = Date.UTC(2026, 10, 20) / 1000;

async function withFile(t: TestContext, text: string | Buffer) {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "trusted");
  await writeFile(path, text);
  const warnings: string[] = [];
  const read = (file = path) => readTrustedForwarders(file, NOW, (words) => warnings.push(words));
  return { folder, path, warnings, read };
}

/** With the path taken out. */
async function failure({ path, folder, read }: Awaited<ReturnType<typeof withFile>>, file?: string) {
  const error = await read(file).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof CommandFailure);
  assert.equal(error.reason, "config");
  return error.message.replaceAll(path, "FILE").replaceAll(folder, "FOLDER");
}

test("a file of trusted forwarders gives its entries, and a warning for each that has expired", async (t) => {
  const file = await withFile(t, "192.0.2.0/24 the club\n*.x.example until=2026-11-19 moved\n");
  const entries = await file.read();
  assert.deepEqual(
    entries.map(({ reason }) => reason),
    ["the club", "moved"],
  );
  assert.deepEqual(file.warnings, [
    `warning: ${file.path}:2: "*.x.example until=2026-11-19" has expired: remove it, or give it a later day`,
  ]);
});

test("all mistakes are told in one run, with their places", async (t) => {
  const message = await failure(await withFile(t, "192.0.2.1\n\n# x\n192.0.2.2 until=x y\n"));
  assert.deepEqual(message.split("\n"), [
    "FILE:1:1 no reason: say behind it why mail from there is let through",
    'FILE:4:17 "x" is no day: write until=2027-01-31',
  ]);
});

test("of a file full of mistakes, a hundred are told", async (t) => {
  const lines = (await failure(await withFile(t, "192.0.2.1\n".repeat(250)))).split("\n");
  assert.equal(lines.length, 101);
  assert.equal(lines.at(-1), "and 150 more in this file: correct the first ones");
});

test("a file that is not there, is a folder, is too large or is not UTF-8 is a mistake, too", async (t) => {
  const file = await withFile(t, Buffer.from("192.0.2.1 caf\xe9\n", "latin1"));
  assert.equal(await failure(file), "FILE:1:1 the file is not UTF-8: convert it");
  assert.match(await failure(file, `${file.path}x`), /FILEx: there is no such file$/);
  assert.match(await failure(file, file.folder), /FOLDER is no regular file: name the one that holds/);
  const large = await withFile(t, "# x\n".repeat(100_000));
  assert.match(await failure(large), /FILE has more than 262144 octets: join entries to networks$/);
});
