// `homing config check` and `show`: what is wrong with a configuration and the files that it names, and what holds.
import { isIP } from "node:net";
import { dirname, resolve } from "node:path";
import { createMxResolver, type MxResolver, parseHostPort, renderHostPort } from "@homing/forwarder";
import { printable } from "@homing/srs-core";
import { type ConfigProblem, problemsOf, renderProblem } from "../config/config-problem.ts";
import { type EffectiveValue, effectiveValues, type PlainValue } from "../config/effective-values.ts";
import { readConfig, readConfigText, readOrThrow } from "../config/load-config.ts";
import { mxWarnings } from "../config/mx-check.ts";
import { type Config, configSchema } from "../config/schema.ts";
import { readSecretsFile } from "../config/secrets-file.ts";
import { settingTree } from "../config/setting-tree.ts";
import { srsDomainsOf } from "../config/srs-domains.ts";
import { CommandFailure, EXIT, type FailureReason } from "../failure.ts";
import { readForwarderSettings } from "../forwarder-settings.ts";
import { createOutput } from "../output.ts";
import { readTables } from "../route-tables.ts";

interface Options {
  readonly config: string;
  readonly json?: true;
}

interface CheckOptions extends Options {
  readonly dns?: string;
}

type Check =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | {
      readonly ok: false;
      readonly reason: FailureReason;
      readonly problems: readonly ConfigProblem[];
      /** Whether the files that the configuration names were looked at. */
      readonly complete: boolean;
    };

/** 0: `homing serve` would start with it; 78, or 77 where a file may not be read: it would not. */
export async function checkConfig({ config: path, json, dns }: CheckOptions): Promise<number> {
  const output = createOutput(json === true);
  const resolver = dns === undefined ? undefined : dnsOption(dns);
  const check = await checkAll(path, resolver);
  if (check.ok) {
    for (const warning of check.warnings) output.talk(`homing: ${warning}`);
    if (output.json) output.document({ ok: true, file: path, warnings: check.warnings });
    else output.data(goodWords(path, check.config));
    return EXIT.ok;
  }
  const { reason, problems, complete } = check;
  if (output.json) output.document({ ok: false, reason, complete, problems });
  for (const problem of problems) output.talk(`homing: ${renderProblem(problem)}`);
  if (!complete)
    output.talk(`homing: the files that ${path} names were not looked at yet: correct this first`);
  return EXIT[reason];
}

async function checkAll(path: string, resolver: MxResolver | undefined): Promise<Check> {
  const read = await attempt(async () => readConfig(await readConfigText(path)));
  if (!read.ok) return wrong([read.failure], false);
  if (!read.value.ok) {
    const problems = read.value.problems.map((problem) => ({ file: path, ...problem }));
    return { ok: false, reason: "config", problems, complete: false };
  }
  const { config } = read.value;
  const warnings: string[] = [];
  const settings = await attempt(() => readForwarderSettings(config, path, (words) => warnings.push(words)));
  if (settings.ok) {
    settings.value.forwards?.reader.close();
    if (resolver) warnings.push(...(await mxWarnings(config, resolver)));
    return { ok: true, config, warnings };
  }
  // The first file that is wrong must not hide what is wrong with the others.
  const secretsPath = resolve(dirname(path), config.srs.secretsFile);
  const parts = [
    await attempt(() => readTables(config, path)),
    await attempt(() => readSecretsFile(secretsPath)),
    settings,
  ];
  return wrong(
    parts.flatMap((part) => (part.ok ? [] : [part.failure])),
    true,
  );
}

function dnsOption(text: string): MxResolver {
  if (text === "system") return createMxResolver();
  const place = parseHostPort(text);
  if (place && isIP(place.host) !== 0) return createMxResolver([renderHostPort(place)]);
  throw new CommandFailure(
    "usage",
    `--dns ${text}: write system, or IP:PORT of a DNS server such as 127.0.0.1:53`,
  );
}

type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: CommandFailure };

async function attempt<T>(act: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await act() };
  } catch (error) {
    if (error instanceof CommandFailure) return { ok: false, failure: error };
    throw error;
  }
}

function wrong(failures: readonly CommandFailure[], complete: boolean): Check {
  const problems = new Map(failures.flatMap(problemsOf).map((problem) => [renderProblem(problem), problem]));
  const reasons = new Set(failures.map(({ reason }) => reason));
  const [reason = "config"] = reasons.has("config") ? [] : reasons;
  return { ok: false, reason, problems: [...problems.values()], complete };
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
