// A process that checks a thousand messages, fifty at a time, and ends without being told to. Started by threads.test.ts;
// prints one line of JSON.
import { createRequire } from "node:module";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { memoryContent } from "@homing/mail";
import { createContentChecks } from "../content-checks.ts";
import { signed, tableDns, testKey } from "./signed-mail.ts";

const key = testKey("rsa", "a.example");
const mail = memoryContent(Buffer.from(signed(`From: <a@a.example>\r\n\r\n${"hello\r\n".repeat(600)}`, key)));
const checks = createContentChecks({
  ...{ dns: tableDns(Object.fromEntries([key.dns])), now: () => 1_800_000_000 },
  ...{ authservId: "mx.ours.example", threads: 2 },
});

let passed = 0;
async function check(): Promise<void> {
  const { dkim } = await checks.check(mail, { result: "none", domain: "" });
  if (dkim[0]?.result === "pass") passed++;
}
async function checkTwenty(): Promise<void> {
  for (let at = 0; at < 20; at++) await check();
}

await check();
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
await Promise.all(Array.from({ length: 50 }, checkTwenty));
delay.disable();
const { cache } = createRequire(import.meta.url);
const isLoaded = Object.keys(cache).some((file) => file.includes("/mailauth/"));
console.log(JSON.stringify({ passed, isLoaded, p99: delay.percentile(99) / 1e6 }));
