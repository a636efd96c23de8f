// The route tables that a configuration names. Called by `homing serve`, at its start and at each reload, and by
// `homing route` and `homing config check`.
import { createReadStream } from "node:fs";
import { dirname, resolve } from "node:path";
import {
  createTableRules,
  loadTables,
  type TableFiles,
  type TableRules,
  type Tables,
} from "@homing/forwarder";
import { asciiLower } from "@homing/srs-core";
import { configFailure } from "./config/load-config.ts";
import type { Config } from "./config/schema.ts";
import { srsDomainsOf } from "./config/srs-domains.ts";
import { systemFailure } from "./failure.ts";

export interface ReadTables {
  readonly tables: Tables;
  /** All files that were read. */
  readonly files: readonly string[];
}

/** What is wrong with the tables is one CommandFailure, a line for each mistake. */
export async function readTables(
  config: Config,
  configPath: string,
  { everyLine = false }: Pick<TableFiles, "everyLine"> = {},
): Promise<ReadTables> {
  const files = { ...tableFiles(config, configPath), everyLine };
  const loaded = await loadTables(files, tableRules(config), openTable);
  if (loaded.ok) return loaded;
  throw configFailure(loaded.problems);
}

const PIECE_OCTETS = 1024 * 1024;

async function* openTable(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const piece of createReadStream(path, { highWaterMark: PIECE_OCTETS })) yield piece;
  } catch (error) {
    throw systemFailure(`table ${path}`, error);
  }
}

function tableFiles({ aliasesFile, virtualFile }: Config, configPath: string): TableFiles {
  const folder = dirname(resolve(configPath));
  const whole = (file: string | undefined): string | undefined =>
    file === undefined ? undefined : resolve(folder, file);
  return { aliases: whole(aliasesFile), virtual: whole(virtualFile) };
}

function tableRules(config: Config): TableRules {
  const served = new Set(Object.keys(config.delivery.routes).map(asciiLower));
  return createTableRules({
    domains: config.domains,
    domainAliases: config.domainAliases,
    ownNames: [config.hostname, ...srsDomainsOf(config)],
    recipientDelimiter: config.recipientDelimiter,
    keepExtension: config.keepExtension,
    // A mail store, or a next hop of the domain's own: they keep the mail that no table takes elsewhere.
    staysAt: (domain) => config.localDelivery !== undefined || served.has(domain),
    userDomains: config.dotForward ? (config.dotForward.domains ?? config.domains) : [],
    unknownReplies: Object.fromEntries(
      Object.entries(config.domainSettings).flatMap(([domain, { unknownReply }]) =>
        unknownReply ? [[domain, unknownReply]] : [],
      ),
    ),
    storeKnowsUsers: config.localDelivery?.unknownUsers === "store",
  });
}
