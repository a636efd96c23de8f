// How a changed table comes: in two halves, or behind a link.
import assert from "node:assert/strict";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { homing } from "./harness/homing.ts";
import { rcpt, startReloadScene } from "./harness/reload-scene.ts";

const ALICE = "alice@forwarder.example";

const ALIASES = "alice: alice@home.example\npostmaster: alice\n";

// They wait most of the time.
suite("reload of changed files", { concurrency: true }, () => {
  test("half a table, written in place, is not taken: mail goes where it went, until the rest is there", async () => {
    await using forwarder = await startReloadScene(
      "postmaster: p@home.example.com\nalice: a@home.example.com\n",
    );
    const { service, path, port } = forwarder;
    await writeFile(path, "postmaster: p@home.example.com\nalice: a@home.example");
    const [line = ""] = await service.waitForOutput(/^.*"event":"not-reloaded","cause":"file".*$/m);
    assert.match(
      line,
      /aliases ends without a line end, .* or send SIGHUP, as homing reload does, to take it/,
    );
    await writeFile(path, "");
    await service.waitForOutput(
      /"not-reloaded","cause":"file","problems":\["table .* is empty, and was not before/,
    );
    assert.match(await rcpt(port, ALICE), /^250 /);
    await writeFile(path, "postmaster: p@home.example.com\n");
    await service.waitForOutput(/"event":"reloaded","cause":"file","files":1,"entries":1/);
    assert.match(await rcpt(port, ALICE), /^550 /);
    await writeFile(path, "postmaster: p@home.example.com\nalice: a@home.example");
    const told = await homing(["reload", "--config", forwarder.config]);
    assert.equal(told.code, 0, told.stderr);
    await service.waitForOutput(/"event":"reloaded","cause":"signal"/);
    assert.match(await rcpt(port, ALICE), /^250 /);
  });

  test("a swapped link, as Kubernetes swaps a ConfigMap, is found by the look of every ten seconds", async () => {
    await using forwarder = await startReloadScene(ALIASES);
    const { folder, path, service, port } = forwarder;
    for (const [name, text] of [
      ["1", ALIASES],
      ["2", `${ALIASES}carol: c@home.example\n`],
    ] as const) {
      await mkdir(join(folder, `..${name}`));
      await writeFile(join(folder, `..${name}`, "aliases"), text);
      await symlink(`..${name}`, join(folder, `..data${name}`));
    }
    await rename(join(folder, "..data1"), join(folder, "..data"));
    await rm(path);
    await symlink("..data/aliases", path);
    await service.waitForOutput(/"event":"reloaded","cause":"file","files":1,"entries":2/);
    await rename(join(folder, "..data2"), join(folder, "..data"));
    await service.waitForOutput(/"event":"reloaded","cause":"file","files":1,"entries":3/);
    assert.match(await rcpt(port, "carol@forwarder.example"), /^250 /);
  });
});
