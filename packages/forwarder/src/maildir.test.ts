// What is in `new` after each thing that can happen to the disk. Full disks of the real kind: test/local-delivery.test.ts.
import assert from "node:assert/strict";
import {
  chmod,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { type TestContext, test } from "node:test";
import { type MaildirOutcome, type MaildirTask, storeInMaildir } from "./maildir.ts";
import { type MaildirFiles, SYSTEM_FILES } from "./maildir-files.ts";

async function* pieces(...buffers: Buffer[]): AsyncGenerator<Buffer> {
  yield* buffers;
}

const CONTENT = Buffer.from("Subject: x\n\ny\n");

interface Place {
  readonly base: string;
  readonly maildir: string;
  store(changed?: Partial<MaildirTask>): Promise<MaildirOutcome>;
  list(sub: "cur" | "new" | "tmp"): Promise<string[]>;
}

async function place(t: TestContext): Promise<Place> {
  const base = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(base, { recursive: true }));
  let ids = 0;
  const names = ["home.example", "alice"];
  const maildir = join(base, ...names);
  return {
    base,
    maildir,
    store: (changed) =>
      storeInMaildir({
        folder: { base, names },
        content: () => pieces(CONTENT),
        newName: () => `id${++ids}`,
        ...changed,
      }),
    list: (sub) => readdir(join(maildir, sub)).catch(() => []),
  };
}

/** The system's files, but one step fails as a system call does. */
function failing(step: keyof MaildirFiles, code: string): MaildirFiles {
  const error = Object.assign(new Error(`${code}: no luck, ${step}`), { code, syscall: step });
  return { ...SYSTEM_FILES, [step]: async () => Promise.reject(error) };
}

test("the first message makes the folders, for the owner alone, and lies in new", async (t) => {
  const { base, maildir, store, list } = await place(t);
  assert.deepEqual(await store(), { kind: "stored", name: "id2" });
  assert.deepEqual([await list("new"), await list("tmp"), await list("cur")], [["id2"], [], []]);
  assert.deepEqual(await readFile(join(maildir, "new/id2")), CONTENT);
  for (const folder of ["..", ".", "cur", "new", "tmp"]) {
    assert.equal((await stat(join(maildir, folder))).mode & 0o777, 0o700, folder);
  }
  assert.equal((await stat(join(maildir, "new/id2"))).mode & 0o777, 0o600);
  assert.deepEqual(await readdir(base), ["home.example"]);
});

/** The system's files, and what was asked of them below the base folder. */
function overheard(base: string): { readonly calls: string[]; readonly files: MaildirFiles } {
  const calls: string[] = [];
  const hear = <T>(step: string, path: string, done: Promise<T>): Promise<T> => {
    calls.push(`${step} ${relative(base, path)}`);
    return done;
  };
  const files: MaildirFiles = {
    write: (path, content) => hear("write", path, SYSTEM_FILES.write(path, content)),
    link: (from, to) => hear("link", to, SYSTEM_FILES.link(from, to)),
    makeFolder: (path) => hear("make", path, SYSTEM_FILES.makeFolder(path)),
    sync: (folder) => hear("sync", folder, SYSTEM_FILES.sync(folder)),
    remove: (path) => hear("remove", path, SYSTEM_FILES.remove(path)),
  };
  return { calls, files };
}

test("a message is on disk in this order: file, name in new, folder; then tmp is cleared", async (t) => {
  const { maildir, store } = await place(t);
  await store();
  const { calls, files } = overheard(maildir);
  assert.deepEqual(await store({ files, newName: () => "x" }), { kind: "stored", name: "x" });
  assert.deepEqual(calls, ["write tmp/x", "link new/x", "sync new", "remove tmp/x"]);
});

test("new folders are on disk before tmp is there, where other deliveries begin", async (t) => {
  const { base, store } = await place(t);
  const { calls, files } = overheard(base);
  await store({ files, newName: () => "x" });
  assert.deepEqual(calls.slice(1, -4), [
    "make home.example",
    "sync ",
    "make home.example/alice",
    "sync home.example",
    "make home.example/alice/cur",
    "make home.example/alice/new",
    "sync home.example/alice",
    "make home.example/alice/tmp",
  ]);
});

test("a file has all its octets when it is synced, before its write returns", async (t) => {
  const { base } = await place(t);
  await using any = await open(base, "r");
  const sizes: number[] = [];
  const { sync } = any;
  t.mock.method(Object.getPrototypeOf(any) as FileHandle, "sync", async function (this: FileHandle) {
    sizes.push((await this.stat()).size);
    await sync.call(this);
  });
  await SYSTEM_FILES.write(join(base, "file"), pieces(CONTENT));
  assert.deepEqual(sizes, [CONTENT.length]);
});

test("100 messages at once into a mailbox that is not there yet: all of them are in new, whole", async (t) => {
  const { maildir, store, list } = await place(t);
  const contents = Array.from({ length: 100 }, (_, index) => Buffer.from(`${index}\n`.repeat(1000)));
  const outcomes = await Promise.all(contents.map((content) => store({ content: () => pieces(content) })));
  assert.ok(outcomes.every((outcome) => outcome.kind === "stored"));
  const names = await list("new");
  const stored = await Promise.all(names.map((name) => readFile(join(maildir, "new", name), "latin1")));
  assert.deepEqual(stored.sort(), contents.map((content) => content.toString("latin1")).sort());
  assert.deepEqual(await list("tmp"), []);
});

for (const missing of ["tmp", "new", "cur"] as const) {
  test(`a maildir without ${missing} takes mail`, async (t) => {
    const { maildir, store, list } = await place(t);
    await store();
    await rm(join(maildir, missing), { recursive: true });
    assert.equal((await store()).kind, "stored");
    assert.equal((await list("new")).length, missing === "new" ? 1 : 2);
    assert.deepEqual(await list("tmp"), []);
  });
}

test("what a crash left in tmp stays there, and mail goes on", async (t) => {
  const { maildir, store, list } = await place(t);
  await store();
  await writeFile(join(maildir, "tmp/half"), "Subj");
  assert.equal((await store()).kind, "stored");
  assert.deepEqual(await list("tmp"), ["half"]);
  assert.ok(!(await list("new")).includes("half"));
});

for (const sub of ["tmp", "new"] as const) {
  test(`a name that is taken in ${sub} is a failure, and the other message is as it was`, async (t) => {
    const { maildir, store, list } = await place(t);
    await store();
    await writeFile(join(maildir, sub, "taken"), "another message");
    const outcome = await store({ newName: () => "taken" });
    assert.ok(outcome.kind === "failed");
    assert.equal(outcome.code, "EEXIST");
    assert.equal(await readFile(join(maildir, sub, "taken"), "latin1"), "another message");
    assert.deepEqual(await list("tmp"), sub === "tmp" ? ["taken"] : []);
  });
}

for (const code of ["ENOSPC", "EDQUOT", "EIO", "EACCES", "EROFS"]) {
  for (const step of ["write", "link", "sync"] as const) {
    test(`${code} at ${step}: failed with that code, and nothing is in new or tmp`, async (t) => {
      const { store, list } = await place(t);
      await store();
      const before = await list("new");
      const outcome = await store({ files: failing(step, code) });
      assert.deepEqual(outcome, { kind: "failed", code, detail: `${code}: no luck, ${step}` });
      assert.deepEqual([await list("new"), await list("tmp")], [before, []]);
    });
  }

  test(`${code} while folders are made: failed with that code`, async (t) => {
    const { store, list } = await place(t);
    const outcome = await store({ files: failing("makeFolder", code) });
    assert.deepEqual(outcome, { kind: "failed", code, detail: `${code}: no luck, makeFolder` });
    assert.deepEqual(await list("new"), []);
  });
}

test("a file that cannot be written to its end leaves nothing", async (t) => {
  const { base } = await place(t);
  const path = join(base, "file");
  // No octets at all: writing fails when the file has been made.
  await assert.rejects(SYSTEM_FILES.write(path, Symbol("no content") as unknown as AsyncIterable<Buffer>));
  assert.deepEqual(await readdir(base), []);
});

test("a base folder that is missing is not made: its disk may not be mounted", async (t) => {
  const { base, store } = await place(t);
  const folder = { base: join(base, "disk"), names: ["alice"] };
  const outcome = await store({ folder });
  assert.ok(outcome.kind === "failed");
  assert.equal(outcome.code, "ENOENT");
  assert.match(outcome.detail, /mkdir .*\/disk\/alice/);
  assert.deepEqual(await readdir(base), []);
});

const obstacles: [what: string, at: string, put: (path: string) => Promise<unknown>, code: string][] = [
  ["a file for the domain's folder", "home.example", (path) => writeFile(path, ""), "ENOTDIR"],
  [
    "a link that leads nowhere for the domain's folder",
    "home.example",
    (path) => symlink("gone", path),
    "ENOENT",
  ],
];
for (const [what, at, put, code] of obstacles) {
  test(`${what}: ${code}, and the next message finds the same`, async (t) => {
    const { base, store } = await place(t);
    await put(join(base, at));
    for (let time = 0; time < 2; time++) {
      const outcome = await store();
      assert.ok(outcome.kind === "failed");
      assert.equal(outcome.code, code);
    }
  });
}

test("a message that nobody waits for any longer does not appear", async (t) => {
  const { store, list } = await place(t);
  await store();
  const patience = new AbortController();
  const files: MaildirFiles = {
    ...SYSTEM_FILES,
    async write(path, content) {
      await SYSTEM_FILES.write(path, content);
      patience.abort();
    },
  };
  const outcome = await store({ files, timeIsUp: patience.signal });
  assert.ok(outcome.kind === "failed");
  assert.equal(outcome.code, "ETIMEDOUT");
  assert.deepEqual([(await list("new")).length, await list("tmp")], [1, []]);
});

test("an error that is not the system's is a bug, and thrown", async (t) => {
  const { store } = await place(t);
  const files = { ...SYSTEM_FILES, write: async () => Promise.reject(new TypeError("a bug")) };
  await assert.rejects(store({ files }), /a bug/);
});

test("folders that are there keep their mode", async (t) => {
  const { maildir, store } = await place(t);
  await mkdir(maildir, { recursive: true });
  await chmod(maildir, 0o750);
  await store();
  assert.equal((await stat(maildir)).mode & 0o777, 0o750);
});
