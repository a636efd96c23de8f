// The file of trusted forwarders that a configuration names. Called by `homing serve`, at its start and at each reload, and by
// `homing config check`.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { expiredEntries, parseForwarderFile, type TrustedForwarder } from "@homing/forwarder/trust";
import type { UnixSeconds } from "@homing/srs-core";
import { CommandFailure, systemFailure } from "../failure.ts";
import { type ConfigProblem, configFailure } from "./config-problem.ts";

/** Thousands of entries. Each is looked at for every message that would be refused. */
const MAX_OCTETS = 256 * 1024;
/** A file full of mistakes shall not fill the terminal. */
const MAX_PROBLEMS = 100;

/**
 * What is wrong with it is one CommandFailure, a line for each mistake.
 * @param warn is told of entries that have expired
 */
export async function readTrustedForwarders(
  path: string,
  now: UnixSeconds,
  warn: (message: string) => void,
): Promise<readonly TrustedForwarder[]> {
  const { entries, problems } = parseForwarderFile(await readText(path));
  if (problems.length > 0) {
    const told: (ConfigProblem | string)[] = problems
      .slice(0, MAX_PROBLEMS)
      .map((problem) => ({ file: path, ...problem }));
    const more = problems.length - told.length;
    if (more > 0) told.push(`and ${more} more in this file: correct the first ones`);
    throw configFailure(told);
  }
  for (const { line, entry } of expiredEntries(entries, now))
    warn(`warning: ${path}:${line}: "${entry}" has expired: remove it, or give it a later day`);
  return entries;
}

async function readText(path: string): Promise<string> {
  const what = `file of trusted forwarders ${path}`;
  // Without waiting for whoever might write into a named pipe: that is refused below.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw systemFailure(what, error);
  });
  try {
    return await textOf(file, what);
  } catch (error) {
    throw error instanceof CommandFailure ? error : systemFailure(what, error);
  } finally {
    await file.close();
  }
}

async function textOf(file: FileHandle, what: string): Promise<string> {
  const status = await file.stat();
  if (!status.isFile())
    throw new CommandFailure("config", `${what} is no regular file: name the one that holds the entries`);
  const octets = Buffer.alloc(MAX_OCTETS + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(octets, length, octets.length - length, length);
    if (bytesRead === 0) return octets.toString("utf8", 0, length);
    length += bytesRead;
    if (length > MAX_OCTETS)
      throw new CommandFailure(
        "config",
        `${what} has more than ${MAX_OCTETS} octets: join entries to networks`,
      );
  }
}
