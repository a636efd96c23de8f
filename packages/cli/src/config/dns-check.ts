// What others find in DNS about this server: where bounces go, our DKIM keys, and SPF for our name. Called by
// `homing config check --dns`.
import type { MxResolver } from "@homing/forwarder";
import type { ReadKey } from "./dkim-keys.ts";
import { checkDkimRecord, type TxtLookup } from "./dkim-record-check.ts";
import { heloSpfWarnings } from "./helo-spf-check.ts";
import { mxWarnings } from "./mx-check.ts";
import type { Config } from "./schema.ts";

export interface Dns {
  readonly resolver: MxResolver;
  readonly txt: TxtLookup;
}

export interface DnsProblem {
  readonly setting: readonly (string | number)[];
  readonly message: string;
}

export interface DnsCheck {
  readonly problems: readonly DnsProblem[];
  /** In words. */
  readonly warnings: readonly string[];
}

/** @param keys of `dkim`, in its order */
export async function checkDns(
  config: Pick<Config, "hostname" | "srs" | "domainSettings">,
  keys: readonly ReadKey[],
  { resolver, txt }: Dns,
): Promise<DnsCheck> {
  const [mx, spf, ...records] = await Promise.all([
    mxWarnings(config, resolver),
    heloSpfWarnings(config.hostname, txt),
    ...keys.map((key) => checkDkimRecord(key, txt)),
  ]);
  const problems: DnsProblem[] = [];
  const warnings = [...mx, ...spf];
  for (const [at, finding] of records.entries()) {
    if (finding.kind === "wrong")
      problems.push({ setting: ["dkim", at, "selector"], message: finding.message });
    if (finding.kind === "warning") warnings.push(`warning: dkim.${at}: ${finding.message}`);
  }
  return { problems, warnings };
}
