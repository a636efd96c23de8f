// The threads of a service: the one that speaks with clients has the first turn where cores are short, and the spool and SMTP out
// step behind it.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { greeted, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { startHomingService } from "./harness/homing.ts";

test("the spool and SMTP out stand behind the thread of the clients", async () => {
  await using hop = await startHop();
  await using service = await startHomingService({
    config: JSON.stringify({
      ...{ hostname: "mx.f.example", listen: "127.0.0.1:0", domains: ["f.example"], aliasesFile: "aliases" },
      ...{ srs: { domain: "f.example", secretsFile: "secrets" }, stateDirectory: "." },
      delivery: { smartHost: `127.0.0.1:${hop.port}` },
    }),
    aliases: "alice: a@home.example\n",
    secret: "a secret of this test, long enough",
  });
  const [, port] = await service.waitForOutput(/"event":"listening".*"port":(\d+)/);
  await using client = await greeted({ host: "127.0.0.1", port: Number(port) });
  const mail = { from: "bob@source.example", to: "alice@f.example", message: "Hello!\r\n" };
  assert.match(await transact(client, mail), /^250 /);
  const nice = await niceOfThreads(service.pid);
  const { MainThread: first = Number.NaN } = nice;
  assert.deepEqual([nice.spool, nice["smtp-out"]], [Math.min(first + 5, 19), Math.min(first + 5, 19)]);
});

async function niceOfThreads(pid: number): Promise<Record<string, number>> {
  const folder = `/proc/${pid}/task`;
  const threads: Record<string, number> = {};
  for (const task of await readdir(folder)) {
    const text = await readFile(join(folder, task, "stat"), "utf8");
    // proc(5): the name, in brackets, is the 2nd field; nice is the 19th.
    const name = text.slice(text.indexOf("(") + 1, text.lastIndexOf(")"));
    threads[name] = Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[16]);
  }
  return threads;
}
