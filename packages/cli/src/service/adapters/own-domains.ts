// Whose senders stay as they are, for the adapters: settings, and files that are read anew when they change. Called by
// adapters.ts.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { createOwnDomains, type OwnDomains } from "@homing/mta-adapters";
import { parseDomain } from "@homing/srs-core";
import type { Config } from "../../config/schema.ts";
import { srsDomainsOf } from "../../config/srs-domains.ts";
import { CommandFailure, systemFailure } from "../../failure.ts";
import { sameStates, statesOf, tableFileSystem } from "../file-state.ts";
import { pollFiles } from "../poll-files.ts";

const POLL_MS = 10_000;

export interface WatchedDomains {
  readonly domains: () => OwnDomains;
  /** As after SIGHUP. */
  reread(): Promise<void>;
  close(): void;
}

export interface OwnDomainOptions {
  readonly config: Pick<Config, "srs" | "domains" | "domainAliases" | "domainSettings" | "adapters">;
  /** File names in the configuration are relative to it. */
  readonly folder: string;
  readonly log: (event: object) => void;
}

/** Rejects with a CommandFailure where a file cannot be read at the start. What changes later and is wrong is logged, and not used. */
export async function watchOwnDomains({ config, folder, log }: OwnDomainOptions): Promise<WatchedDomains> {
  const { domains, domainAliases, adapters } = config;
  const settings = [
    ...domains,
    ...Object.keys(domainAliases),
    ...srsDomainsOf(config),
    ...(adapters?.ownDomains ?? []),
  ];
  const paths = (adapters?.ownDomainsFiles ?? []).map((name) => resolve(folder, name));
  const read = async (readFrom: (path: string) => Promise<string[]>): Promise<OwnDomains> =>
    createOwnDomains([...settings, ...(await Promise.all(paths.map(readFrom))).flat()]);

  let states = await statesOf(tableFileSystem, paths);
  let current = await read(readDomains);
  const reread = async (): Promise<void> => {
    try {
      current = await read(readFinished);
      log({ event: "own-domains-reloaded" });
    } catch (error) {
      log({
        event: "own-domains-not-reloaded",
        message: error instanceof Error ? error.message : String(error),
      });
    }
  };
  const hasChanged = async (): Promise<boolean> => {
    const before = states;
    states = await statesOf(tableFileSystem, paths);
    return !sameStates(before, states);
  };
  const poll = paths.length > 0 ? pollFiles(hasChanged, () => void reread(), POLL_MS) : undefined;
  return {
    domains: () => current,
    async reread() {
      if (paths.length > 0) await reread();
    },
    close: () => poll?.close(),
  };
}

async function readDomains(path: string): Promise<string[]> {
  return domainsIn(await textOf(path), path);
}

/** Whoever writes into the file in several steps is not done yet. */
async function readFinished(path: string): Promise<string[]> {
  const text = await textOf(path);
  if (text.endsWith("\n")) return domainsIn(text, path);
  const what = text === "" ? "it is empty" : "its last line has no end";
  throw new CommandFailure(
    "temporary",
    `${path}: ${what}, as if it were half written: the domains of before stay: write a line end, or a comment`,
  );
}

function textOf(path: string): Promise<string> {
  return readFile(path, "utf8").catch((error: unknown) => {
    throw systemFailure(`adapters.ownDomainsFiles: ${path}`, error);
  });
}

function domainsIn(text: string, path: string): string[] {
  return text.split("\n").flatMap((line, index) => domainIn(line, `${path}:${index + 1}`));
}

/** Postfix's tables go on in lines that begin with a blank. */
function domainIn(line: string, place: string): string[] {
  if (/^[\s#]/.test(line) || line === "") return [];
  const [word = ""] = line.split(/\s/, 1);
  const parsed = parseDomain(word.startsWith(".") ? word.slice(1) : word);
  if (parsed.ok) return [word];
  throw new CommandFailure("config", `${place}: ${parsed.message}: write a domain name, or # before it`);
}
