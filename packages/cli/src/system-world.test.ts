import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { startDnsServer } from "../../forwarder/src/testing/dns-server.ts";

const SCRIPT = `
  const [{ systemDns }, { systemWorld }] = await Promise.all([import(process.argv[1]), import(process.argv[2])]);
  const stop = new AbortController();
  const world = systemWorld(() => {}, stop.signal, systemDns([JSON.parse(process.argv[3])]));
  const asked = [world.resolver.mx("a.test"), world.resolver.addresses("a.test"), world.txt("a+b.test")];
  process.stdin.once("data", () => stop.abort());
  const answers = await Promise.all(asked);
  console.log(answers.map(({ kind }) => kind).join());
  process.stdin.destroy();
`;

test("when the process has to go, look-ups of every kind end, and none keeps it", async (t) => {
  const silent = await startDnsServer(t, { "a.test": "silence", "a+b.test": "silence" });
  const modules = ["./system-dns.ts", "./system-world.ts"].map((file) => new URL(file, import.meta.url).href);
  const options = ["--input-type=module", "--eval", SCRIPT, ...modules, JSON.stringify(silent.place)];
  const child = spawn(process.execPath, options, { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  while (silent.asked.length < 4) await new Promise((resolve) => setTimeout(resolve, 5));
  const stopped = performance.now();
  child.stdin.write("stop\n");
  const [[output]] = await Promise.all([once(child.stdout, "data"), once(child, "exit")]);
  assert.equal(String(output), "failed,failed,failed\n");
  // c-ares alone would wait for 22 seconds, and our own messages for twelve.
  assert.ok(performance.now() - stopped < 5_000);
});
