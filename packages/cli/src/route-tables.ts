// The route tables that a configuration names. Called by `homing serve`, at its start and at each reload, and by
// `homing route` and `homing config check`.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { maildirOf } from "@homing/forwarder/settings";
import {
  createTableRules,
  type LoadedTables,
  loadTables,
  type TableFiles,
  type TableRules,
  type Tables,
} from "@homing/forwarder/tables";
import { asciiLower } from "@homing/srs-core";
import { type ConfigProblem, configFailure } from "./config/config-problem.ts";
import type { Config } from "./config/schema.ts";
import { srsDomainsOf } from "./config/srs-domains.ts";
import { CommandFailure, systemFailure } from "./failure.ts";

export interface ReadTables {
  readonly tables: Tables;
  /** All files that were read. */
  readonly files: readonly string[];
}

export interface ReadTablesOptions extends Pick<TableFiles, "everyLine"> {
  /** Hears of each file that is read, also of those that cannot be. */
  readonly opened?: (path: string) => void;
}

/** What is wrong with the tables is one CommandFailure, a line for each mistake. */
export async function readTables(
  config: Config,
  configPath: string,
  { everyLine = false, opened = () => {} }: ReadTablesOptions = {},
): Promise<ReadTables> {
  const files = { ...tableFiles(config, configPath), everyLine };
  const loaded = await loadTables(files, tableRules(config), (path) => {
    opened(path);
    return openTable(path);
  });
  if (loaded.ok) return loaded;
  throw await tablesFailure(loaded, configPath);
}

const AS_A_WHOLE = "the tables as a whole";

async function tablesFailure(
  { problems, more, unread }: Extract<LoadedTables, { ok: false }>,
  configPath: string,
): Promise<CommandFailure> {
  const failures = unread.map(({ table, error }) => ({ table, failure: asFailure(error) }));
  const all: (ConfigProblem | string)[] = [];
  for (const { table, failure } of failures) {
    const setting = `${table}File`;
    // Only here: a service whose tables are good need not keep what reads YAML.
    const { settingPlace } = await import("./config/load-config.ts");
    const place = await settingPlace(configPath, setting);
    const { message } = failure;
    all.push(place ? { file: configPath, ...place, message: `${setting}: ${message}` } : message);
  }
  all.push(...problems);
  if (more > 0) all.push(`and ${more} more in these tables: correct the first ones`);
  const reasons = new Set(failures.map(({ failure }) => failure.reason));
  const [reason = "config"] = problems.length > 0 || reasons.size !== 1 ? [] : reasons;
  return configFailure(all, { reason, unseen: unread.length > 0 ? [AS_A_WHOLE] : [] });
}

function asFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  throw error;
}

const PIECE_OCTETS = 1024 * 1024;

async function* openTable(path: string): AsyncGenerator<Buffer> {
  const what = `table ${path}`;
  try {
    // Without waiting for whoever might write into a named pipe.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) {
        throw new CommandFailure(
          "config",
          `${what} is no regular file: name the file that holds the entries`,
        );
      }
      for await (const piece of file.createReadStream({ highWaterMark: PIECE_OCTETS, autoClose: false }))
        yield piece;
    } finally {
      await file.close();
    }
  } catch (error) {
    throw error instanceof CommandFailure ? error : systemFailure(what, error);
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
    // A maildir would make a mailbox of every mistyped name.
    knowsUsers: (domain) =>
      config.localDelivery ? config.localDelivery.store.kind === "lmtp" : served.has(domain),
    mailboxFault: (mailbox) => {
      const store = config.localDelivery?.store;
      const found = store?.kind === "maildir" ? maildirOf(store.pattern, mailbox) : undefined;
      return found?.kind === "unfit" ? found.message : undefined;
    },
    nameDomains: config.aliasDomains ?? config.domains,
    userDomains: config.dotForward ? (config.dotForward.domains ?? config.domains) : [],
    unknownReplies: Object.fromEntries(
      Object.entries(config.domainSettings).flatMap(([domain, { unknownReply }]) =>
        unknownReply ? [[domain, unknownReply]] : [],
      ),
    ),
    storeKnowsUsers: config.localDelivery?.unknownUsers === "store",
  });
}
