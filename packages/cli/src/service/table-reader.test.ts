import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tables } from "@homing/forwarder";
import { CommandFailure } from "../failure.ts";
import type { FileState } from "./file-state.ts";
import { QUIET_MS } from "./finished-files.ts";
import { createTableReader } from "./table-reader.ts";

const START = 1_000_000;
const MAIN = "/etc/aliases";
const LIST = "/etc/list";
const never = new AbortController().signal;

interface FakeFile {
  text: string;
  changedAt: number;
  version: number;
}

/** A disk and a clock. Files are as old as the hills at first; `write` changes one now. */
async function scene(texts: Readonly<Record<string, string>> = { [MAIN]: "a: b\n" }, readSince = START) {
  const files = new Map<string, FakeFile>(
    Object.entries(texts).map(([path, text]) => [path, { text, changedAt: 0, version: 0 }]),
  );
  let now = START;
  let reads: string[] = [];
  let wrong: string | undefined;
  /** What happens while the tables are read, and while somebody waits. */
  let meanwhile: () => void = () => {};
  let waiting: () => void = () => {};
  const write = (path: string, text: string, changedAt = now): void => {
    files.set(path, { text, changedAt, version: (files.get(path)?.version ?? 0) + 1 });
  };
  const state = (path: string): FileState | undefined => {
    const file = files.get(path);
    if (!file) return undefined;
    return { identity: String(file.version), octets: file.text.length, changedAt: file.changedAt };
  };
  const reader = await createTableReader({
    files: [MAIN],
    readSince,
    async read(opened) {
      opened(MAIN);
      const text = files.get(MAIN)?.text;
      if (text === undefined) throw new CommandFailure("config", `table ${MAIN}: there is no such file`);
      const used = text.includes(LIST) ? [MAIN, LIST] : [MAIN];
      if (used.length > 1) opened(LIST);
      reads.push(used.map((path) => files.get(path)?.text).join("|"));
      meanwhile();
      if (wrong !== undefined) throw new CommandFailure("config", wrong);
      if (used.some((path) => !files.has(path))) throw new CommandFailure("config", "no list\nnor else");
      return { tables: {} as Tables, files: used };
    },
    fileSystem: {
      state: async (path) => state(path),
      lastOctet: async (path) => files.get(path)?.text.charCodeAt((files.get(path)?.text.length ?? 0) - 1),
    },
    clock: {
      now: () => now,
      async wait(milliseconds) {
        now += milliseconds;
        waiting();
      },
    },
  });
  return {
    reader,
    files,
    write,
    wrong: (message: string | undefined) => {
      wrong = message;
    },
    meanwhile: (act: () => void) => {
      meanwhile = act;
    },
    waiting: (act: () => void) => {
      waiting = act;
    },
    clock: () => now - START,
    reads: () => {
      const done = reads;
      reads = [];
      return done;
    },
    async told(cause: "file" | "signal", unwanted = never): Promise<string> {
      const outcome = await reader.read(cause, unwanted);
      return outcome.kind === "wrong" ? outcome.problems.join("; ") : outcome.kind;
    },
  };
}

test("a changed file is read when it has been left alone for two seconds", async () => {
  const disk = await scene();
  disk.write(MAIN, "a: c\n");
  assert.equal(await disk.reader.changed(), true);
  assert.equal(await disk.told("file"), "read");
  assert.equal(disk.clock(), QUIET_MS);
  assert.deepEqual(disk.reads(), ["a: c\n"]);
  assert.equal(await disk.reader.changed(), false);
});

test("what a writer leaves for a moment is never read", async () => {
  const disk = await scene();
  disk.write(MAIN, "a: b@home.example");
  let parts = 3;
  disk.waiting(() => {
    if (parts-- > 0) disk.write(MAIN, parts === 0 ? "a: b@home.example.com\n" : "a: b@home");
  });
  assert.equal(await disk.told("file"), "read");
  assert.deepEqual(disk.reads(), ["a: b@home.example.com\n"]);
});

test("a change while the tables are read has them read again; a signal takes them, and the change is seen", async () => {
  for (const cause of ["file", "signal"] as const) {
    const disk = await scene();
    disk.write(MAIN, "first\n");
    disk.meanwhile(() => {
      disk.meanwhile(() => {});
      disk.write(MAIN, "second\n");
    });
    assert.equal(await disk.told(cause), "read");
    assert.deepEqual(disk.reads(), cause === "file" ? ["first\n", "second\n"] : ["first\n"]);
    assert.equal(await disk.reader.changed(), cause === "signal");
  }
});

test("files that never come to rest are told of, and not taken", async () => {
  const written = await scene();
  written.write(MAIN, "x\n");
  written.waiting(() => written.write(MAIN, "x\n"));
  assert.match(await written.told("file"), /^table \/etc\/aliases is still being written: /);
  assert.deepEqual(written.reads(), []);

  const swapped = await scene();
  swapped.write(MAIN, "x\n");
  swapped.meanwhile(() => swapped.write(MAIN, "x\n", 0));
  assert.match(await swapped.told("file"), /^the tables changed each of 5 times that they were read: /);
  assert.equal(await swapped.reader.changed(), true, "the next look asks again");
});

const unfinished: [what: string, before: string, after: string, words: RegExp | "read"][] = [
  ["cut in a line", "a: b\n", "a: b", /^table \/etc\/aliases ends without a line end, .* or send SIGHUP/],
  ["empty now", "a: b\n", "", /^table \/etc\/aliases is empty, and was not before: .* or send SIGHUP/],
  ["empty before, too", "", "", "read"],
  ["whole", "a: b", "a: b\n", "read"],
];
for (const [what, before, after, words] of unfinished) {
  test(`a file that is ${what}: taken by a signal, and without one only when it is whole`, async () => {
    const disk = await scene({ [MAIN]: before });
    disk.write(MAIN, after);
    const told = await disk.told("file");
    if (words === "read") assert.equal(told, "read");
    else assert.match(told, words);
    assert.equal(await disk.told("signal"), "read");
  });
}

test("an unfinished file is told of once, not at each look", async () => {
  const disk = await scene();
  disk.write(MAIN, "");
  assert.match(await disk.told("file"), /is empty/);
  assert.equal(await disk.reader.changed(), false);
  assert.equal(await disk.told("file"), "nothing");
});

test("a file without a line end that an operator has taken is no reason to refuse another one", async () => {
  const disk = await scene({ [MAIN]: LIST, [LIST]: "x\n" });
  assert.equal(await disk.told("signal"), "read");
  disk.write(LIST, "y\n");
  assert.equal(await disk.told("file"), "read");
  disk.write(LIST, "z");
  assert.match(await disk.told("file"), /^table \/etc\/list ends without a line end/);
});

test("of mistakes in half a file, that it is half is told", async () => {
  const disk = await scene();
  disk.write(MAIN, "a: b");
  disk.wrong("a mistake");
  assert.match(await disk.told("file"), /ends without a line end/);
  assert.equal(await disk.told("signal"), "a mistake");
});

test("a list that was missing is looked for, though the tables that hold have none", async () => {
  const disk = await scene();
  disk.write(MAIN, `${LIST}\n`);
  assert.equal(await disk.told("file"), "no list; nor else");
  assert.deepEqual(disk.reader.files(), [MAIN, LIST]);
  assert.equal(await disk.reader.changed(), false);
  disk.write(LIST, "x\n");
  assert.equal(await disk.reader.changed(), true);
  assert.equal(await disk.told("file"), "read");
  assert.equal(disk.reads().at(-1), `${LIST}\n|x\n`);
});

test("a file that is gone is told of at once, and its return is a change", async () => {
  const disk = await scene();
  disk.files.delete(MAIN);
  assert.equal(await disk.told("file"), "table /etc/aliases: there is no such file");
  assert.equal(disk.clock(), 0);
  disk.write(MAIN, "a: b\n");
  assert.equal(await disk.told("file"), "read");
});

test("a file that changed while the service started is a change", async () => {
  const disk = await scene({ [MAIN]: "a: b\n" }, -1);
  assert.equal(await disk.reader.changed(), true);
  assert.equal(await disk.told("file"), "read");
  assert.equal(await disk.reader.changed(), false);
});

test("a change that another reload has read already is not read again", async () => {
  const disk = await scene();
  disk.write(MAIN, "a: c\n");
  assert.equal(await disk.told("signal"), "read");
  disk.reads();
  assert.equal(await disk.told("file"), "nothing");
  assert.deepEqual(disk.reads(), []);
});

test("the waiting ends when another reload has to run", async () => {
  const disk = await scene();
  const unwanted = new AbortController();
  disk.write(MAIN, "a: c\n");
  disk.waiting(() => unwanted.abort());
  assert.equal(await disk.told("file", unwanted.signal), "nothing");
  assert.deepEqual(disk.reads(), []);
});

test("a file from the future is not waited for until then", async () => {
  const disk = await scene();
  disk.write(MAIN, "a: c\n", START + 3_600_000);
  assert.equal(await disk.told("file"), "read");
  assert.equal(disk.clock(), 0);
});
