// What of a configuration with mistakes is good enough to look at the files that it names: so that all that is wrong is
// told in one run. Called by load-config.ts, for `homing config check`.
import type * as z from "zod";
import { nearestName } from "./nearest-name.ts";
import { type Config, configSchema } from "./schema.ts";

/** Configurations whose other settings are stand-ins. */
export interface GoodParts {
  /** For the tables alone. */
  readonly tables?: Config;
  /** For the secrets file alone. */
  readonly secrets?: Config;
  /** For the keys of `dkim` alone, and whether they are good for our notifications. */
  readonly dkim?: Config;
}

/** With a mistake in one of these, something true in a table may look wrong. */
const TABLE_SETTINGS = [
  "hostname",
  "domains",
  "aliasesFile",
  "aliasDomains",
  "virtualFile",
  "domainAliases",
  "domainSettings",
  "recipientDelimiter",
  "keepExtension",
  "srs.domain",
  "localDelivery",
  "delivery.routes",
  "dotForward",
];
const SECRETS_SETTINGS = ["srs.secretsFile", "srs.scheme", "srs.accept", "srs.weakSecret"];
const DKIM_SETTINGS = ["hostname", "dkim"];

/**
 * Each round takes out what is wrong, and the maps around what is still wrong then: they may lack something. A round's
 * checks may also find what the mistakes before had hidden.
 */
const MAX_ROUNDS = 5;

type Settings = Record<string, unknown>;

/** @param value as it stands in the file; @param issues what the schema says of it */
export function goodParts(value: unknown, issues: readonly z.core.$ZodIssue[]): GoodParts {
  if (!isMap(value)) return {};
  const settings = structuredClone(value);
  const wrong: string[] = [];
  let found = issues;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    wrong.push(...found.flatMap((issue) => slipsOf(issue, settings)));
    for (const path of found.flatMap(pathsOf)) {
      const outer = path.slice(0, Math.max(1, path.length - round));
      wrong.push(outer.map(String).join("."));
      takeOut(settings, outer);
    }
    const parsed = configSchema.safeParse(withStandIns(settings));
    if (parsed.success) {
      return {
        ...(areGood(TABLE_SETTINGS, wrong) ? { tables: parsed.data } : {}),
        ...(areGood(SECRETS_SETTINGS, wrong) ? { secrets: parsed.data } : {}),
        ...(areGood(DKIM_SETTINGS, wrong) ? { dkim: parsed.data } : {}),
      };
    }
    found = parsed.error.issues;
  }
  return {};
}

function pathsOf(issue: z.core.$ZodIssue): readonly (readonly PropertyKey[])[] {
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
}

/** A name that is none may be that of a setting which is not there. */
function slipsOf(issue: z.core.$ZodIssue, settings: Settings): string[] {
  if (issue.code !== "unrecognized_keys" || issue.path.length > 0) return [];
  const missing = TABLE_SETTINGS.filter((name) => !Object.hasOwn(settings, name));
  return issue.keys.flatMap((key) => nearestName(key, missing) ?? []);
}

/** A list is taken out as a whole. */
function takeOut(settings: Settings, [step, ...more]: readonly PropertyKey[]): void {
  const name = String(step);
  const inner = Object.hasOwn(settings, name) ? settings[name] : undefined;
  if (more.length > 0 && isMap(inner)) takeOut(inner, more);
  else delete settings[name];
}

function withStandIns({ srs, ...settings }: Settings): Settings {
  const { aliasesFile, virtualFile } = settings;
  const table = aliasesFile === undefined && virtualFile === undefined ? { aliasesFile: "stand-in" } : {};
  return {
    hostname: "stand-in.invalid",
    domains: ["stand-in.invalid"],
    ...settings,
    ...table,
    srs: { domain: "stand-in.invalid", secretsFile: "stand-in", ...(isMap(srs) ? srs : {}) },
  };
}

function areGood(names: readonly string[], wrong: readonly string[]): boolean {
  return !names.some((name) => wrong.some((one) => isWithin(one, name) || isWithin(name, one)));
}

function isWithin(name: string, outer: string): boolean {
  return name === outer || name.startsWith(`${outer}.`);
}

function isMap(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
