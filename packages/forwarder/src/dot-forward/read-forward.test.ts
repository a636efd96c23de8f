// On real files in a temporary folder. Owners other than ours, and a disk that fails, are put in between.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  realpath,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type FileAccess, type FileHold, type FileStatus, systemFiles } from "./file-access.ts";
import type { ForwardAnswer } from "./forward-reader.ts";
import { createForwardReader } from "./read-forward.ts";

const UID = process.getuid?.() ?? 0;

interface Place {
  /** Alice's home. */
  readonly home: string;
  readonly outside: string;
}

async function makePlace(t: TestContext): Promise<Place> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "homing-")));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const home = join(folder, "alice");
  await mkdir(home, { mode: 0o700 });
  await mkdir(join(folder, "outside"));
  return { home, outside: join(folder, "outside") };
}

function readIn(home: string, files: FileAccess = systemFiles, uid = UID): Promise<ForwardAnswer> {
  return createForwardReader({
    findHome: async () => ({ kind: "home", home: { path: home, uid } }),
    files,
    now: Date.now,
  }).read("alice");
}

/** Written with a mode that the umask does not change. */
async function put(path: string, text: string, mode = 0o600): Promise<void> {
  await writeFile(path, text);
  await chmod(path, mode);
}

/** The real disk, with another answer where `change` has one. */
function filesWith(change: (path: string, hold: FileHold) => Partial<FileHold>): FileAccess {
  return {
    ...systemFiles,
    async hold(path) {
      const hold = await systemFiles.hold(path);
      return { ...hold, ...change(path, hold) };
    },
  };
}

function names(answer: ForwardAnswer): readonly string[] {
  assert.equal(answer.kind, "targets", JSON.stringify(answer));
  return answer.kind === "targets"
    ? answer.targets.map((target) => ("name" in target ? target.name : "@"))
    : [];
}

test("targets of a good file are read", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), "\\alice, alice@x.test\n", 0o644);
  assert.deepEqual(await readIn(home), {
    kind: "targets",
    targets: [
      { kind: "local-copy", name: "alice", place: { file: "~/.forward", line: 1, column: 1 } },
      {
        kind: "mailbox",
        mailbox: { localPart: "alice", domain: "x.test" },
        place: { file: "~/.forward", line: 1, column: 9 },
      },
    ],
  });
});

test("targets tell the file, line and column where they stand", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), `# mine\nbob, carol\n:include:${join(home, "list")}`);
  await put(join(home, "list"), "\n  dora\n");
  const answer = await readIn(home);
  assert.ok(answer.kind === "targets");
  const places = answer.targets.map(({ place }) => Object.values(place ?? {}).join(":"));
  assert.deepEqual(places, ["~/.forward:2:1", "~/.forward:2:6", "~/list:2:3"]);
});

test("a problem tells its file, line and column", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), `bob\n :include:${join(home, "list")}`);
  await put(join(home, "list"), "carol\n |x");
  const answer = await readIn(home);
  assert.ok(answer.kind === "unparsable");
  assert.deepEqual(
    answer.problems.map(({ file, line, column }) => [file, line, column]),
    [["~/list", 2, 2]],
  );
});

const none: [what: string, make: (place: Place) => Promise<string>][] = [
  ["no file", async ({ home }) => home],
  ["no home", async ({ home }) => join(home, "none")],
  [
    "a home that is a file",
    async ({ home }) => {
      await put(join(home, "file"), "");
      return join(home, "file");
    },
  ],
  [
    "a home below a file",
    async ({ home }) => {
      await put(join(home, "file"), "");
      return join(home, "file/home");
    },
  ],
];
for (const [what, make] of none) {
  test(`${what} is no .forward`, async (t) => {
    assert.deepEqual(await readIn(await make(await makePlace(t))), { kind: "none" });
  });
}

const unsafe: [what: string, why: RegExp, make: (place: Place, file: string) => Promise<unknown>][] = [
  ["its group can write to", /^its group or others can write to it/, (_, file) => put(file, "bob", 0o620)],
  ["others can write to", /^its group or others can write to it/, (_, file) => put(file, "bob", 0o602)],
  ["is a folder", /not a regular file/, (_, file) => mkdir(file)],
  ["is a FIFO", /not a regular file/, async (_, file) => execFileSync("mkfifo", [file])],
  ["is a link to a device", /out of the home/, (_, file) => symlink("/dev/zero", file)],
  ["is a link to /proc", /out of the home/, (_, file) => symlink("/proc/self/environ", file)],
  [
    "is a link out of the home",
    /out of the home/,
    async ({ outside }, file) => {
      await put(join(outside, "secret"), "secret");
      await symlink("../outside/secret", file);
    },
  ],
  [
    "is a link to a folder beside the home whose name begins like it",
    /out of the home/,
    async ({ home }, file) => {
      await mkdir(`${home}2`);
      await put(`${home}2/list`, "bob");
      await symlink(`${home}2/list`, file);
    },
  ],
  [
    "is reached by a folder that is a link",
    /out of the home/,
    async ({ home, outside }, file) => {
      await put(join(outside, "list"), "secret");
      await symlink(outside, join(home, "sub"));
      await put(file, `:include:${home}/sub/list`);
    },
  ],
  [
    "includes a file outside",
    /out of the home/,
    async ({ outside }, file) => {
      await put(join(outside, "list"), "secret");
      await put(file, `:include:${outside}/list`);
    },
  ],
  [
    "includes a file outside by ..",
    /out of the home/,
    ({ home }, file) => put(file, `:include:${home}/../outside/list`),
  ],
  [
    "lies in a folder that its group can write to",
    /write to this folder/,
    async ({ home }, file) => {
      await put(file, "bob");
      await chmod(home, 0o770);
    },
  ],
  [
    "is a link into a folder that others can write to",
    /write to this folder/,
    async ({ home }, file) => {
      await mkdir(join(home, "open"));
      await put(join(home, "open/list"), "bob");
      await chmod(join(home, "open"), 0o1777);
      await symlink("open/list", file);
    },
  ],
  [
    "lies below a folder that others can write to",
    /write to this folder/,
    async ({ home }, file) => {
      await mkdir(join(home, "open/shut"), { recursive: true });
      await put(join(home, "open/shut/list"), "bob");
      await chmod(join(home, "open"), 0o777);
      await symlink("open/shut/list", file);
    },
  ],
  ["is too large", /larger than 64 KiB/, (_, file) => put(file, "\n".repeat(65 * 1024))],
];
for (const [what, why, make] of unsafe) {
  test(`a .forward that ${what} is unsafe`, { timeout: 5_000 }, async (t) => {
    const place = await makePlace(t);
    await make(place, join(place.home, ".forward"));
    const answer = await readIn(place.home);
    assert.ok(answer.kind === "unsafe", JSON.stringify(answer));
    assert.match(answer.why, why);
    assert.match(answer.path, /^~/);
    assert.doesNotMatch(JSON.stringify(answer), /alice|bob|outside|secret/);
  });
}

test("a UNIX socket instead of a .forward is unsafe", async (t) => {
  const { home } = await makePlace(t);
  const server = createServer().listen(join(home, ".forward"));
  t.after(() => server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  assert.equal((await readIn(home)).kind, "unsafe");
});

const owners: [what: string, change: Partial<FileStatus>, uid: number, kind: ForwardAnswer["kind"]][] = [
  ["the user", { uid: 1000 }, 1000, "targets"],
  ["root", { uid: 0 }, 1000, "targets"],
  ["another user", { uid: 1001 }, 1000, "unsafe"],
  ["a user, where root is asked for", { uid: 1000 }, 0, "unsafe"],
  ["the user, with a second name", { uid: 1000, links: 2 }, 1000, "targets"],
  ["root, with a second name that may be elsewhere", { uid: 0, links: 2 }, 1000, "unsafe"],
];
for (const [what, change, uid, kind] of owners) {
  test(`a file of ${what} is ${kind === "targets" ? "read" : kind}`, async (t) => {
    const { home } = await makePlace(t);
    await put(join(home, ".forward"), "bob");
    const files = filesWith((path, hold) => {
      const status = async (): Promise<FileStatus> => ({ ...(await hold.status()), uid });
      if (!path.endsWith(".forward")) return { status };
      return {
        async open() {
          const file = await hold.open();
          return { ...file, status: async () => ({ ...(await file.status()), ...change }) };
        },
      };
    });
    assert.equal((await readIn(home, files, uid)).kind, kind);
  });
}

test("a file in a folder of another user is unsafe", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), "bob");
  const files = filesWith((path, hold) =>
    path === home ? { status: async () => ({ ...(await hold.status()), uid: 1001 }) } : {},
  );
  const answer = await readIn(home, files, 1000);
  assert.ok(answer.kind === "unsafe");
  assert.match(answer.why, /neither the user nor root owns this folder/);
});

test("without a passwd file, the owner of the home is the user", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), "bob");
  const reader = (files: FileAccess) =>
    createForwardReader({
      findHome: async () => ({ kind: "home", home: { path: home } }),
      files,
      now: Date.now,
    });
  assert.deepEqual(names(await reader(systemFiles).read("alice")), ["bob"]);
});

test("without a passwd file, who has no home is no user; with one, a user without a home is", async (t) => {
  const { home } = await makePlace(t);
  const path = join(home, "none");
  const read = (uid?: number) =>
    createForwardReader({
      findHome: async () => ({ kind: "home", home: { path, ...(uid === undefined ? {} : { uid }) } }),
      files: systemFiles,
      now: Date.now,
    }).read("alice");
  assert.deepEqual(await read(), { kind: "no-user" });
  assert.deepEqual(await read(UID), { kind: "none" });
  await mkdir(path, { mode: 0o700 });
  assert.deepEqual(await read(), { kind: "none" });
});

test("links inside the home are followed, and a home may be a link itself", async (t) => {
  const { home, outside } = await makePlace(t);
  await mkdir(join(home, "mail"));
  await put(join(home, "mail/list"), `bob\n:include:${outside}/home/mail/more`);
  await put(join(home, "mail/more"), "carol");
  await symlink("mail/list", join(home, ".forward"));
  await symlink(home, join(outside, "home"));
  assert.deepEqual(names(await readIn(join(outside, "home"))), ["bob", "carol"]);
});

test("a list that includes itself, or is included twice, is read once", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), `bob\n:include:${home}/a\n:include:${home}/./a`);
  await put(join(home, "a"), `carol\n:include:${home}/.forward\n:include:${home}/a`);
  assert.deepEqual(names(await readIn(home)), ["bob", "carol"]);
});

test("lists may include each other 10 deep, and not 11", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), `:include:${home}/1`);
  for (let n = 1; n < 10; n++) await put(join(home, `${n}`), `:include:${home}/${n + 1}`);
  await put(join(home, "10"), "bob");
  assert.deepEqual(names(await readIn(home)), ["bob"]);
  await put(join(home, "10"), `:include:${home}/11`);
  const answer = await readIn(home);
  assert.ok(answer.kind === "unparsable");
  assert.match(answer.problems[0]?.message ?? "", /^more than 10 lists/);
});

test("targets and lists are counted over all files", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), `${"bob\n".repeat(600)}:include:${home}/a`);
  await put(join(home, "a"), "bob\n".repeat(600));
  const many = await readIn(home);
  assert.ok(many.kind === "unparsable");
  assert.match(many.problems[0]?.message ?? "", /^more than 1,000 targets/);
  await put(
    join(home, ".forward"),
    Array.from({ length: 200 }, (_, n) => `:include:${home}/${n}\n`).join(""),
  );
  const lists = await readIn(home);
  assert.ok(lists.kind === "unparsable");
  assert.match(lists.problems[0]?.message ?? "", /^more than 100 lists/);
});

test("an included file that is not there is a problem where it is included", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), `bob\n, :include:${home}/none`);
  const answer = await readIn(home);
  assert.ok(answer.kind === "unparsable");
  assert.deepEqual(
    answer.problems.map(({ file, line, column }) => [file, line, column]),
    [["~/.forward", 2, 3]],
  );
});

/** Where a disk can fail, and with what. */
const steps = ["hold", "home", "realPath", "status", "open", "read"] as const;
for (const step of steps) {
  for (const code of ["EIO", "ESTALE", "EACCES", "ELOOP", "EMFILE"]) {
    test(`${code} at ${step} is unavailable, never "no file"`, async (t) => {
      const { home } = await makePlace(t);
      await put(join(home, ".forward"), "bob");
      assert.deepEqual(await readIn(home, failing(step, code)), {
        kind: "unavailable",
        cause: `${step === "home" ? "~" : "~/.forward"}: ${code} open`,
      });
    });
  }
}

test("ENOENT after the file was found is unavailable: it comes from the machine, not from the user", async (t) => {
  const { home } = await makePlace(t);
  await put(join(home, ".forward"), "bob");
  for (const step of ["realPath", "status", "open", "read"] as const)
    assert.equal((await readIn(home, failing(step, "ENOENT"))).kind, "unavailable");
});

function failing(step: (typeof steps)[number], code: string): FileAccess {
  const fail = async (): Promise<never> => {
    throw Object.assign(new Error(`${code}: no, open '/home/alice'`), { code, syscall: "open" });
  };
  const disk = filesWith((path, hold) => {
    if (!path.endsWith(".forward")) return {};
    if (step === "realPath" || step === "status" || step === "open") return { [step]: fail };
    return { open: async () => ({ ...(await hold.open()), ...(step === "read" ? { read: fail } : {}) }) };
  });
  return {
    ...disk,
    hold: (path) =>
      (step === "hold" && path.endsWith(".forward")) || (step === "home" && !path.endsWith(".forward"))
        ? fail()
        : disk.hold(path),
  };
}

for (const code of ["ENOENT", "EIO"]) {
  test(`a folder that cannot be looked at (${code}) after its file was found is unavailable`, async (t) => {
    const { home } = await makePlace(t);
    await mkdir(join(home, "mail"));
    await put(join(home, "mail/list"), "bob");
    await symlink("mail/list", join(home, ".forward"));
    const files: FileAccess = {
      ...systemFiles,
      async hold(path) {
        if (path.endsWith("/mail")) throw Object.assign(new Error(code), { code });
        return await systemFiles.hold(path);
      },
    };
    const answer = await readIn(home, files);
    assert.ok(answer.kind === "unavailable", JSON.stringify(answer));
    assert.match(answer.cause, /^~\/mail: /);
  });
}

test("a bug is no outcome: an error without a system's code is thrown", async (t) => {
  const { home } = await makePlace(t);
  const files: FileAccess = { ...systemFiles, hold: () => Promise.reject(new TypeError("bug")) };
  await assert.rejects(readIn(home, files), TypeError);
});

test("a name that is swapped after the file was found changes nothing: that file is checked and read", async (t) => {
  const { home, outside } = await makePlace(t);
  const file = join(home, ".forward");
  await put(join(outside, "secret"), "secret");
  await put(file, "bob");
  const swap = async (): Promise<void> => {
    await rename(file, join(home, "old"));
    await symlink(join(outside, "secret"), file);
  };
  for (const step of ["realPath", "status", "open"] as const) {
    let swapped = false;
    const files = filesWith((path, hold) => {
      if (path !== file) return {};
      return {
        [step]: async () => {
          if (!swapped) await swap();
          swapped = true;
          return await hold[step]();
        },
      };
    });
    assert.deepEqual(names(await readIn(home, files)), ["bob"], step);
    await rename(join(home, "old"), file);
  }
});

test("a file whose mode is opened between the look and the reading is judged as it is read", async (t) => {
  const { home } = await makePlace(t);
  const file = join(home, ".forward");
  await put(file, "bob");
  const files = filesWith((path, hold) =>
    path === file
      ? {
          async open() {
            await chmod(file, 0o666);
            return await hold.open();
          },
        }
      : {},
  );
  assert.equal((await readIn(home, files)).kind, "unsafe");
});

test("a file that was replaced while it was read is asked for again later", async (t) => {
  const { home } = await makePlace(t);
  const file = join(home, ".forward");
  await put(file, "bob");
  const files = filesWith((path, hold) =>
    path === file
      ? {
          async open() {
            await unlink(file);
            return await hold.open();
          },
        }
      : {},
  );
  assert.equal((await readIn(home, files)).kind, "unavailable");
});

test("a file that changes while it is read is read again", async (t) => {
  const { home } = await makePlace(t);
  const file = join(home, ".forward");
  await put(file, "bob");
  let writes = 2;
  const files = reading(async (read) => {
    const content = await read();
    if (writes-- > 0) await writeFile(file, `carol${writes}\n`);
    return content;
  });
  assert.deepEqual(names(await readIn(home, files)), ["carol0"]);
});

test("a file that changes at each reading is asked for again later, and so is one that was just emptied", async (t) => {
  const { home } = await makePlace(t);
  const file = join(home, ".forward");
  await put(file, "bob");
  const emptied = reading(async (read) => {
    await writeFile(file, "");
    const content = await read();
    await writeFile(file, "bob");
    return content;
  });
  const writing: ForwardAnswer = { kind: "unavailable", cause: "~/.forward: it is being written" };
  assert.deepEqual(await readIn(home, emptied), writing);
  await writeFile(file, "");
  assert.deepEqual(await readIn(home), writing);
});

const ages: [ageMs: number, kind: ForwardAnswer["kind"]][] = [
  [0, "unavailable"],
  [1_900, "unavailable"],
  [-1_900, "unavailable"],
  [2_100, "targets"],
  [-3_600_000, "targets"],
];
for (const [ageMs, kind] of ages) {
  test(`an empty file that is ${ageMs} ms old by our clock is ${kind}`, async (t) => {
    const { home } = await makePlace(t);
    const file = join(home, ".forward");
    await put(file, "");
    await utimes(file, 1_000_000, 1_000_000);
    const findHome = async () => ({ kind: "home", home: { path: home, uid: UID } }) as const;
    const now = () => 1_000_000_000 + ageMs;
    const answer = await createForwardReader({ findHome, files: systemFiles, now }).read("alice");
    assert.equal(answer.kind, kind);
  });
}

test("a file whose mode is opened while it is read is judged anew", async (t) => {
  const { home } = await makePlace(t);
  const file = join(home, ".forward");
  await put(file, "bob");
  const files = reading(async (read) => {
    await chmod(file, 0o666);
    return await read();
  });
  assert.equal((await readIn(home, files)).kind, "unsafe");
});

/** The real disk, with something else happening at the reading of a .forward. */
function reading(change: (read: () => Promise<Buffer>) => Promise<Buffer>): FileAccess {
  return filesWith((path, hold) => {
    if (!path.endsWith(".forward")) return {};
    return {
      async open() {
        const file = await hold.open();
        return { ...file, read: (maxOctets) => change(() => file.read(maxOctets)) };
      },
    };
  });
}

test("names are told as the user writes them, from the home, and errors without a path", async (t) => {
  const { home, outside } = await makePlace(t);
  await symlink(home, join(outside, "home"));
  await put(join(home, ".forward"), `bob\n:include:${outside}/home/./list`);
  await symlink("list", join(home, "list"));
  assert.deepEqual(await readIn(join(outside, "home")), { kind: "unavailable", cause: "~/list: ELOOP open" });
  await put(join(home, ".forward"), `bob\n, :include:${outside}/list`);
  assert.deepEqual(await readIn(home), {
    kind: "unsafe",
    path: "~/.forward:2:3",
    why: "it leads out of the home",
  });
});

test("a user who swaps the file as fast as he can never gets at one outside", {
  timeout: 20_000,
}, async (t) => {
  const { home, outside } = await makePlace(t);
  const file = join(home, ".forward");
  await put(join(outside, "secret"), "secret");
  await put(join(home, "good"), "bob");
  await symlink("good", file);
  let running = true;
  const swapping = (async () => {
    for (let n = 0; running; n++) {
      await symlink(n % 2 === 0 ? join(outside, "secret") : "good", join(home, "next"));
      await rename(join(home, "next"), file);
    }
  })();
  const seen = new Map<string, number>();
  for (let n = 0; n < 1_000; n++) {
    const answer = await readIn(home);
    assert.doesNotMatch(JSON.stringify(answer), /"secret"/);
    const what = answer.kind === "targets" ? names(answer).join() : answer.kind;
    seen.set(what, (seen.get(what) ?? 0) + 1);
  }
  running = false;
  await swapping;
  assert.ok(seen.has("bob") && seen.has("unsafe"), `both were met: ${JSON.stringify([...seen])}`);
  for (const what of seen.keys()) assert.ok(["bob", "unsafe", "unavailable"].includes(what), what);
});
