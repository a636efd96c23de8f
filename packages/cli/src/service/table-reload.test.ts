// The ways in which people replace files, on a real disk. How a change is read is table-reader.test.ts.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Tables } from "@homing/forwarder";
import { CommandFailure } from "../failure.ts";
import { startTableReload } from "./table-reload.ts";

const WAIT_MS = 5_000;

interface Scene {
  readonly folder: string;
  /** Waits until the tables that hold have this text. */
  holds(text: string): Promise<void>;
  logged(event: RegExp): Promise<void>;
  hangUp(): void;
  close(): void;
  readonly log: readonly string[];
}

/** A "table" is its text; a line that begins with a slash names a list. */
async function scene(t: TestContext, prepare: (folder: string) => Promise<void>): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  await prepare(folder);
  const path = join(folder, "etc/aliases");
  const log: string[] = [];
  let held = "";
  let hangUp: () => void = () => {};
  const reload = await startTableReload({
    files: [path],
    readSince: Number.MAX_SAFE_INTEGER,
    async read(opened) {
      const files: string[] = [];
      const textOf = async (file: string): Promise<string> => {
        opened(file);
        files.push(file);
        return await readFile(file, "utf8").catch(() => {
          throw new CommandFailure("config", `table ${file}: there is no such file`);
        });
      };
      let text = await textOf(path);
      if (text.startsWith("/")) text = await textOf(text.trim());
      const sized = (size: number): { size: number } => ({ size });
      const tables = {
        text,
        addresses: sized(0),
        catchAlls: sized(0),
        names: sized(0),
        aliases: sized(1),
      } as unknown as Tables;
      return { tables, files };
    },
    forwarder: {
      replaceTables: (tables) => {
        held = (tables as unknown as { readonly text: string }).text;
      },
    },
    hangups: {
      listen: (act) => {
        hangUp = act;
      },
    },
    log: (event) => log.push(JSON.stringify(event)),
    pollMs: 30,
    // Two seconds have passed whenever one asks.
    clock: { now: () => Number.MAX_SAFE_INTEGER, wait: async () => {} },
  });
  t.after(async () => {
    reload.close();
    await reload.idle();
    await rm(folder, { recursive: true, force: true });
  });
  const until = async (done: () => boolean, what: string): Promise<void> => {
    for (let waited = 0; !done(); waited += 10) {
      assert.ok(waited < WAIT_MS, `${what} in ${JSON.stringify(held)}\n${log.join("\n")}`);
      await delay(10);
    }
  };
  return {
    folder,
    holds: (text) => until(() => held === text, text),
    logged: (event) => until(() => log.some((line) => event.test(line)), String(event)),
    hangUp: () => hangUp(),
    close: reload.close,
    log,
  };
}

const OLD = "old\n";
const NEW = "new\n";

async function plain(folder: string): Promise<void> {
  await mkdir(join(folder, "etc"));
  await writeFile(join(folder, "etc/aliases"), OLD);
}

interface Way {
  readonly prepare: (folder: string) => Promise<void>;
  readonly change: (folder: string, at: Scene) => Promise<void>;
}

const ways: Readonly<Record<string, Way>> = {
  "is replaced": {
    prepare: plain,
    async change(folder) {
      await writeFile(join(folder, "etc/aliases.new"), NEW);
      await rename(join(folder, "etc/aliases.new"), join(folder, "etc/aliases"));
    },
  },
  "is a link whose target is written": {
    async prepare(folder) {
      await mkdir(join(folder, "etc"));
      await writeFile(join(folder, "real"), OLD);
      await symlink("../real", join(folder, "etc/aliases"));
    },
    change: (folder) => writeFile(join(folder, "real"), NEW),
  },
  "comes from a ConfigMap, whose ..data link is swapped": {
    async prepare(folder) {
      await mkdir(join(folder, "etc/..1"), { recursive: true });
      await writeFile(join(folder, "etc/..1/aliases"), OLD);
      await symlink("..1", join(folder, "etc/..data"));
      await symlink("..data/aliases", join(folder, "etc/aliases"));
    },
    async change(folder) {
      await mkdir(join(folder, "etc/..2"));
      await writeFile(join(folder, "etc/..2/aliases"), NEW);
      await symlink("..2", join(folder, "etc/..data_tmp"));
      await rename(join(folder, "etc/..data_tmp"), join(folder, "etc/..data"));
      await rm(join(folder, "etc/..1"), { recursive: true });
    },
  },
  "is in a folder that another one takes the place of": {
    prepare: plain,
    async change(folder) {
      await mkdir(join(folder, "next"));
      await writeFile(join(folder, "next/aliases"), NEW);
      await rename(join(folder, "etc"), join(folder, "before"));
      await rename(join(folder, "next"), join(folder, "etc"));
    },
  },
  "is in a folder that is deleted, missed, and made again": {
    prepare: plain,
    async change(folder, { logged }) {
      await rm(join(folder, "etc"), { recursive: true });
      await logged(/"not-reloaded","cause":"file","problems":\["table .*: there is no such file"\]/);
      await mkdir(join(folder, "etc"));
      await writeFile(join(folder, "etc/aliases"), NEW);
    },
  },
  "names a list that is made later, in a folder that is made later": {
    prepare: plain,
    async change(folder, { logged }) {
      await writeFile(join(folder, "etc/next"), `${join(folder, "lists/list")}\n`);
      await rename(join(folder, "etc/next"), join(folder, "etc/aliases"));
      await logged(/"not-reloaded".*lists\/list: there is no such file/);
      await mkdir(join(folder, "lists"));
      await writeFile(join(folder, "lists/list"), NEW);
    },
  },
};
for (const [what, { prepare, change }] of Object.entries(ways)) {
  test(`a table is read again when it ${what}`, async (t) => {
    const at = await scene(t, prepare);
    await change(at.folder, at);
    await at.holds(NEW);
    // The watch is on the folder that has the name now.
    await writeFile(join(at.folder, "etc/aliases.new"), "newest\n");
    await rename(join(at.folder, "etc/aliases.new"), join(at.folder, "etc/aliases"));
    await at.holds("newest\n");
    assert.ok(at.log.filter((line) => line.includes("not-watched")).length <= 1, at.log.join("\n"));
  });
}

test("half a table is not taken until an operator says so", async (t) => {
  const at = await scene(t, plain);
  await writeFile(join(at.folder, "etc/aliases"), "");
  await at.logged(/"not-reloaded","cause":"file","problems":\["table .* is empty, and was not before: /);
  await writeFile(join(at.folder, "etc/aliases"), "hal");
  await at.logged(/"not-reloaded","cause":"file","problems":\["table .* ends without a line end, /);
  at.hangUp();
  await at.holds("hal");
  await at.logged(/"reloaded","cause":"signal"/);
});

test("after the end a signal and a change are heard by nobody", async (t) => {
  const at = await scene(t, plain);
  at.close();
  at.hangUp();
  await writeFile(join(at.folder, "etc/aliases"), NEW);
  // As long as ten looks would take.
  await delay(300);
  assert.deepEqual(at.log, []);
});
