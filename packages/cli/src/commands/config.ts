// `homing config check` and `show`: what is wrong with a configuration and the files that it names, and what holds.
import { dirname } from "node:path";
import type { HostPort } from "@homing/forwarder";
import { printable } from "@homing/srs-core";
import { attempt, failuresOf, reasonOf } from "../attempt.ts";
import { adapterWarnings } from "../config/adapter-warnings.ts";
import {
  type ConfigProblem,
  configFailure,
  problemsOf,
  renderProblem,
  unseenOf,
} from "../config/config-problem.ts";
import type { PlacedMessage } from "../config/config-source.ts";
import { readDkimKeys, unsignedProblem } from "../config/dkim-keys.ts";
import type { DnsProblem } from "../config/dns-check.ts";
import { type EffectiveValue, effectiveValues, type PlainValue } from "../config/effective-values.ts";
import {
  inOrder,
  type ReadConfig,
  readConfig,
  readConfigText,
  readOrThrow,
  settingPlace,
} from "../config/load-config.ts";
import { placeWarnings, stateWarnings } from "../config/place-warnings.ts";
import { type Config, configSchema } from "../config/schema.ts";
import { settingTree } from "../config/setting-tree.ts";
import { siteWarnings } from "../config/site-warnings.ts";
import { srsDomainsOf } from "../config/srs-domains.ts";
import { dnsServersOption } from "../dns-option.ts";
import { type CommandFailure, EXIT, type FailureReason } from "../failure.ts";
import { readForwarderSettings } from "../forwarder-settings.ts";
import { readSites } from "../on-behalf/read-sites.ts";
import { createOutput } from "../output.ts";
import { readSealKey, readTrust } from "../read-authentication.ts";
import { readSecrets } from "../rewriters.ts";
import { readTables } from "../route-tables.ts";
import { checkPidFile, pidPath } from "../service/pid-file.ts";
import { stateFolder } from "../service/service-state.ts";
import { readUsers } from "../users/read-users.ts";

interface Options {
  readonly config: string;
  readonly json?: true;
}

interface CheckOptions extends Options {
  readonly dns?: readonly string[];
}

type GoodConfig = Extract<ReadConfig, { readonly ok: true }>;
type WrongConfig = Extract<ReadConfig, { readonly ok: false }>;

type Check =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | {
      readonly ok: false;
      readonly reason: FailureReason;
      readonly problems: readonly ConfigProblem[];
      /** Of the files that the configuration names, those that were not looked at, in words. */
      readonly unseen: readonly string[];
    };

/** 0: `homing serve` would start with it; 78, or 77 where a file may not be read: it would not. */
export async function checkConfig({ config: path, json, dns }: CheckOptions): Promise<number> {
  const output = createOutput(json === true);
  const check = await checkAll(path, dns && dnsServersOption(dns));
  if (check.ok) {
    for (const warning of check.warnings) output.talk(`homing: ${warning}`);
    if (output.json) output.document({ ok: true, file: path, warnings: check.warnings });
    else output.data(goodWords(path, check.config));
    return EXIT.ok;
  }
  const { reason, problems, unseen } = check;
  if (output.json) output.document({ ok: false, reason, complete: unseen.length === 0, problems });
  for (const problem of problems) output.talk(`homing: ${renderProblem(problem)}`);
  if (unseen.length > 0)
    output.talk(`homing: not looked at yet: ${unseen.join(" and ")} of ${path}: correct this first`);
  return EXIT[reason];
}

async function checkAll(path: string, dns: readonly HostPort[] | undefined): Promise<Check> {
  const read = await attempt(async () => readConfig(await readConfigText(path), path));
  if (!read.ok) return wrong([read.failure], [TABLES, SECRETS, KEYS]);
  if (!read.value.ok) return checkGoodParts(read.value, path);
  const good = read.value;
  const { config } = good;
  const warnings: string[] = [];
  const settings = await attempt(() => readForwarderSettings(config, path, (words) => warnings.push(words)));
  if (settings.ok) settings.value.forwards?.reader.close();
  const adapters = await attempt(() => checkAdaptersOf(config, path));
  const sites = await attempt(() => readSites(config, path));
  const users = await attempt(() => readUsers(config, path));
  const unsigned = await unsignedProblems(config, path);
  if (settings.ok && adapters.ok && sites.ok && users.ok && unsigned.length === 0) {
    warnings.push(...(await pidFileWarnings(good, path)));
    warnings.push(...(await placeWarnings(config)));
    warnings.push(...adapterWarnings(config.adapters), ...siteWarnings(config));
    warnings.push(...(await stateWarnings(stateFolder(config, path))));
    const inDns = dns
      ? await (await import("../config/check-in-dns.ts")).checkInDns(config, settings.value, dns)
      : { problems: [], warnings: [] };
    if (inDns.problems.length === 0) return { ok: true, config, warnings: [...warnings, ...inDns.warnings] };
    return wrong([configFailure(inDns.problems.map((problem) => placed(problem, good, path)))], []);
  }
  // The first file that is wrong must not hide what is wrong with the others.
  const parts = [
    await attempt(() => readTables(config, path)),
    await attempt(() => readSecrets(config, dirname(path), () => {})),
    await attempt(() => readDkimKeys(config, dirname(path), () => {})),
    await attempt(() => readSealKey(config, dirname(path), () => {})),
    await attempt(() => readTrust(config, { folder: dirname(path), warn: () => {} })),
    settings,
    adapters,
    sites,
    users,
  ];
  return wrong([...ownFailure(unsigned, path), ...failuresOf(parts)], []);
}

const TABLES = "the tables";
const SECRETS = "the secrets file";
const KEYS = "the DKIM keys";

/** Beside a setting that is wrong, the files that it does not matter for. */
async function checkGoodParts({ problems, goodParts }: WrongConfig, path: string): Promise<Check> {
  const { tables, secrets, dkim } = goodParts;
  const folder = dirname(path);
  const parts = [
    ...(tables ? [await attempt(() => readTables(tables, path))] : []),
    ...(secrets ? [await attempt(() => readSecrets(secrets, folder, () => {}))] : []),
    ...(dkim ? [await attempt(() => readDkimKeys(dkim, folder, () => {}))] : []),
  ];
  const own = inOrder([...problems, ...(dkim ? await unsignedProblems(dkim, path) : [])]);
  const unseen = [...(tables ? [] : [TABLES]), ...(secrets ? [] : [SECRETS]), ...(dkim ? [] : [KEYS])];
  return wrong([...ownFailure(own, path), ...failuresOf(parts)], unseen);
}

/** `homing serve` starts all the same, and warns: an update must not end a service that runs. */
async function unsignedProblems(config: Config, path: string): Promise<readonly PlacedMessage[]> {
  const message = unsignedProblem(config);
  if (message === undefined) return [];
  return [{ line: 1, column: 1, ...(await settingPlace(path, "dkim")), message }];
}

function ownFailure(problems: readonly PlacedMessage[], path: string): readonly CommandFailure[] {
  return problems.length === 0
    ? []
    : [configFailure(problems.map((problem) => ({ file: path, ...problem })))];
}

function placed({ setting, message }: DnsProblem, { source }: GoodConfig, path: string): ConfigProblem {
  return { file: path, ...source.valuePlace(setting), message: `${setting.join(".")}: ${message}` };
}

/** With the place of the setting. No mistake: the service manager may make the folder when the service starts. */
async function pidFileWarnings({ config, source }: GoodConfig, path: string): Promise<readonly string[]> {
  const pid = pidPath(config, path);
  const checked = await attempt(async () => pid !== undefined && (await checkPidFile(pid)));
  if (checked.ok) return [];
  const { message } = checked.failure;
  const place = source.valuePlace(["pidFile"]);
  return [`warning: ${renderProblem(place ? { file: path, ...place, message } : { message })}`];
}

/** Few configurations have some: without them, what they need is not loaded. */
async function checkAdaptersOf(config: Config, path: string): Promise<void> {
  if (!config.adapters) return;
  const { checkAdapters } = await import("../service/adapters/check-adapters.ts");
  await checkAdapters(config, path);
}

function wrong(failures: readonly CommandFailure[], unseen: readonly string[]): Check {
  const problems = new Map(failures.flatMap(problemsOf).map((problem) => [renderProblem(problem), problem]));
  const all = new Set([...unseen, ...failures.flatMap(unseenOf)]);
  return { ok: false, reason: reasonOf(failures), problems: [...problems.values()], unseen: [...all] };
}

function goodWords(path: string, config: Config): string {
  const { hostname, domains } = config;
  const count = domains.length === 1 ? "1 domain" : `${domains.length} domains`;
  const srs = srsDomainsOf(config).join(", ");
  return `${path} and the files that it names are good: ${hostname} forwards for ${count}, SRS domain ${srs}`;
}

/** Every setting, with its value and where that comes from. What is in a secrets file is not read. */
export async function showConfig({ config: path, json }: Options): Promise<number> {
  const output = createOutput(json === true);
  const read = readOrThrow(await readConfigText(path), path);
  const values = effectiveValues(settingTree(configSchema), { ...read, path });
  if (output.json) output.document({ ok: true, file: path, settings: values.map(asObject) });
  else for (const line of aligned(values.map((value) => columns(value, path)))) output.data(line);
  return EXIT.ok;
}

function asObject({ name, value, place }: EffectiveValue): object {
  const from = place ? { from: "file", ...place } : { from: "default" };
  return { setting: name, value: value ?? null, ...from };
}

function columns({ name, value, setting, place }: EffectiveValue, path: string): string[] {
  const nothing = `(${(setting.words.without ?? "none").replaceAll("`", "")})`;
  const from = place ? `${path}:${place.line}:${place.column}` : "default";
  return [printable(name), value === undefined ? nothing : valueText(value), from];
}

const MAX_SHOWN = 1000;

function valueText(value: PlainValue): string {
  if (value === "") return '""';
  if (Array.isArray(value)) return value.map(valueText).join(", ") || "(none)";
  return printable(String(value), MAX_SHOWN);
}

/** A value that is much longer than others moves its own line only. */
const MAX_COLUMN = 40;

function aligned(rows: readonly (readonly string[])[]): string[] {
  const width = (at: number) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0).filter((length) => length <= MAX_COLUMN));
  const widths = [width(0), width(1)];
  return rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
}
