// What the figures were taken on, in the first lines of the output.
// Called by main.ts.
import { execFileSync } from "node:child_process";
import { cpus, loadavg, release, totalmem } from "node:os";

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly kernel: string;
  readonly node: string;
  /** Device, kind and options of the file system that holds the queues. */
  readonly disk: string;
  /** Over the last minute, before anything was started. */
  readonly loadAverage: number;
}

export function thisMachine(folder: string): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGB: Math.round(totalmem() / 1e9),
    kernel: release(),
    node: process.version,
    disk: diskOf(folder),
    loadAverage: loadavg()[0] ?? 0,
  };
}

function diskOf(folder: string): string {
  const argv = ["--noheadings", "--output", "SOURCE,FSTYPE,OPTIONS", "--target", folder];
  return execFileSync("findmnt", argv, { encoding: "utf8" }).trim().split(/\s+/).join(" ");
}
