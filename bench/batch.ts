// `npm run bench:batch`: lines a second of `homing batch` as a process, and the memory that it holds meanwhile. There is no
// peer with a batch; times Mail::SRS is what bench:srs says.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createRewriter, renderMailbox } from "@homing/srs-core";

const MAIN = resolve(import.meta.dirname, "../packages/cli/bin/homing.js");
const MILLIONS = Number(process.argv[2] ?? 5);
const BLOCK_LINES = 10_000;
const DOMAIN = "forwarder.example";
const SECRETS = ["a long random secret of 22 chars"];
const rewriter = createRewriter({ secrets: SECRETS, domain: DOMAIN });

function block(op: string): string {
  const now = Math.floor(Date.now() / 1000);
  let lines = "";
  for (let id = 0; id < BLOCK_LINES; id++) {
    const sender = { localPart: `user${id}`, domain: `origin${id % 50}.example` };
    const forged = rewriter.forward(sender, now);
    if (!forged.ok || !forged.rewritten) throw new Error("not forged");
    const address = renderMailbox(op === "forge" ? sender : forged.sender);
    lines += `${JSON.stringify({ id, op, address, domain: DOMAIN, secrets: SECRETS })}\n`;
  }
  return lines;
}

function residentMegabytes({ pid }: ChildProcess): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}

console.log(`${MILLIONS} million lines each; load average ${loadavg()[0]?.toFixed(1)}`);
for (const op of ["forge", "reverse", "inspect"]) {
  const lines = block(op);
  const blocks = (MILLIONS * 1e6) / BLOCK_LINES;
  const memory: number[] = [];
  const child = spawn(process.execPath, [MAIN, "batch"], { stdio: ["pipe", "ignore", "inherit"] });
  const closed = once(child, "close");
  const start = process.hrtime.bigint();
  const input = function* (): Generator<string> {
    for (let n = 0; n < blocks; n++) {
      if (n % (blocks / 10) === blocks / 20) memory.push(residentMegabytes(child));
      yield lines;
    }
  };
  await pipeline(Readable.from(input()), child.stdin);
  await closed;
  const rate = (MILLIONS * 1e6) / (Number(process.hrtime.bigint() - start) / 1e9);
  console.log(
    `${op.padEnd(8)} ${Math.round(rate)} lines a second; memory in MB, ten times: ${memory.join(" ")}`,
  );
}
