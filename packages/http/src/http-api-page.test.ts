// docs/http-api.md: every request that it shows is sent, in the order of the page, to the real service over HTTP.
// HOMING_UPDATE_DOCS=1 writes its table of problems anew.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { PROBLEMS } from "@homing/on-behalf";
import { Event } from "./api/event-schemas.ts";
import { listenHttp } from "./listen-http.ts";
import { createRealService, SITE_KEY } from "./testing/real-service.ts";

const run = promisify(execFile);
const PAGE = join(import.meta.dirname, "../../../docs/http-api.md");
const page = await readFile(PAGE, "utf8");

interface Block {
  readonly language: string;
  readonly text: string;
}

function blocks(text: string): readonly Block[] {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", text = ""]) => ({
    language,
    text,
  }));
}

/** What is made up at the time, or holds the server's address. */
const MADE_UP = ["id", "proof", "type"];

/** The same members, and the same text, but for what is made up; times are times. */
function assertLike(shown: unknown, real: unknown, name = ""): void {
  assert.equal(typeof real, typeof shown, name);
  if (isObject(shown) && isObject(real)) {
    assert.deepEqual(Object.keys(real).sort(), Object.keys(shown).sort(), name);
    for (const [member, value] of Object.entries(shown)) assertLike(value, real[member], member);
  } else if (typeof shown === "string" && !MADE_UP.includes(name)) {
    assert.equal(real, shown, name);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** What an interpreter of a language is called with. */
const INTERPRETERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  sh: ["sh", "-c"],
  js: [process.execPath, "--input-type=module", "-e"],
  python: ["python3", "-c"],
};

test("every request of docs/http-api.md is answered as the page says", async (context) => {
  const listen = { host: "127.0.0.1", port: 0 };
  const service = createRealService("http://127.0.0.1:8025");
  const bugs: unknown[] = [];
  const listener = await listenHttp({
    listen,
    hostname: "mx.demo.example",
    whyLinks: { read: () => ({ kind: "not-ours" }) },
    failed: (error) => bugs.push(error),
    onBehalf: service,
  });
  context.after(() => listener.close());
  const url = `http://127.0.0.1:${listener.port}`;
  const env = { PATH: process.env.PATH, HOMING_URL: url, HOMING_KEY: SITE_KEY };
  let ran = 0;
  /** Of what the page shows, what was made up in its place. */
  const ids = new Map<string, string>();
  const all = blocks(page);
  for (const [index, { language, text }] of all.entries()) {
    const interpreter = INTERPRETERS[language];
    if (!interpreter) continue;
    const [command, ...options] = interpreter;
    const before = service.store.mails.length;
    const program = text.replace(/\b(?:msg|idn)_\w+/g, (id) => ids.get(id) ?? id);
    const outcome = await run(command, [...options, program], { env, timeout: 30_000 }).catch(
      (error: unknown) => error,
    );
    if (isMissing(outcome)) {
      context.diagnostic(`${command} is not here: its example was not run`);
      continue;
    }
    assert.ok(isDone(outcome), `${text}\n${outcome}`);
    ran += 1;
    const next = all[index + 1];
    if (next?.language === "json") {
      const [shown, real] = [JSON.parse(next.text), JSON.parse(outcome.stdout)];
      assertLike(shown, real);
      if (shown.id !== undefined) ids.set(shown.id, real.id);
    } else if (language !== "sh") {
      assert.match(outcome.stdout, /^msg_\S+\n$/);
      assert.equal(service.store.mails.length, before + 1);
    }
    if (text.includes("returnUrl")) {
      const form = new URLSearchParams({ t: service.tokenTo("confirm") });
      assert.equal((await fetch(`${url}/confirm`, { method: "POST", body: form })).status, 200);
    }
  }
  assert.ok(ran >= 10, String(ran));
  assert.deepEqual(bugs, []);
});

function isDone(outcome: unknown): outcome is { readonly stdout: string } {
  return !(outcome instanceof Error);
}

function isMissing(outcome: unknown): boolean {
  return outcome instanceof Error && "code" in outcome && outcome.code === "ENOENT";
}

test("the examples in other languages send what curl sends", () => {
  for (const language of ["js", "python", "php"]) {
    const text = blocks(page).find((block) => block.language === language)?.text ?? "";
    for (const word of [
      "HOMING_URL",
      "HOMING_KEY",
      "Idempotency-Key",
      "onBehalfOf",
      "on-behalf",
      "/v1/messages",
    ])
      assert.ok(text.includes(word), `${language}: ${word}`);
  }
});

test("docs/http-api.md lists every event, with what its data has", () => {
  const table = /<!-- events:[\s\S]*?<!-- \/events -->/.exec(page)?.[0] ?? "";
  const shown = [...table.matchAll(/^\| `([a-z.]+)` \| .* \| (.*) \|$/gm)].map(([, type, members]) => [
    type,
    members,
  ]);
  const real = Event.options.map(({ shape }) => [
    shape.type.value,
    Object.entries(shape.data.shape)
      .map(([name, schema]) => `\`${name}\`${schema.safeParse(undefined).success ? "?" : ""}`)
      .join(", "),
  ]);
  // Behind its head.
  assert.deepEqual(shown.slice(1), real);
});

test("docs/http-api.md lists every problem", async () => {
  const rows = Object.entries(PROBLEMS)
    .map(([type, { status, title }]) => ({ type, status, title }))
    .toSorted((a, b) => a.status - b.status || (a.type < b.type ? -1 : 1))
    .map(({ type, status, title }) => `| ${status} | \`${type}\` | ${title} |`);
  const fresh = page.replace(
    /(\n\|---\|---\|---\|\n)(?:\|.*\n)*(?=\n<!-- \/problems -->)/,
    (_, head: string) => `${head}${rows.join("\n")}\n`,
  );
  assert.ok(fresh.includes(rows[0] ?? "none"));
  if (process.env.HOMING_UPDATE_DOCS === "1") await writeFile(PAGE, fresh);
  else assert.equal(page, fresh, "docs/http-api.md is stale: run this test with HOMING_UPDATE_DOCS=1");
});
