// What others find in DNS about this server: where bounces go, our DKIM keys, and SPF for our name. Called by
// `homing config check --dns`.
import type { MxResolver } from "@homing/forwarder";
import type { ReadKey } from "./dkim-keys.ts";
import { checkDkimRecord, type TxtLookup } from "./dkim-record-check.ts";

import { mxWarnings } from "./mx-check.ts";
import type { Config } from "./schema.ts";
import { type SpfOfOurs, spfWarnings } from "./spf-check.ts";
import { bounceDomainsOf } from "./srs-domains.ts";

export interface Dns {
  readonly resolver: MxResolver;
  readonly txt: TxtLookup;
  /** Whether our own addresses pass; without it, the record is looked at alone. */
  readonly ours?: SpfOfOurs;
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

/** Keys that sign, and where a mistake about one is told. */
export interface PlacedKey {
  readonly key: ReadKey;
  readonly setting: readonly (string | number)[];
}

export async function checkDns(
  config: Pick<Config, "hostname" | "srs" | "domainSettings" | "onBehalf">,
  keys: readonly PlacedKey[],
  { resolver, txt, ours }: Dns,
): Promise<DnsCheck> {
  const [mx, spf, sites, ...records] = await Promise.all([
    mxWarnings(config, resolver),
    spfWarnings({ kind: "hostname", name: config.hostname }, txt, ours),
    Promise.all(
      bounceDomainsOf(config).map((name) => spfWarnings({ kind: "bounceDomain", name }, txt, ours)),
    ),
    ...keys.map(({ key }) => checkDkimRecord(key, txt)),
  ]);
  const problems: DnsProblem[] = [];
  const warnings = [...mx, ...spf, ...sites.flat()];
  for (const [at, finding] of records.entries()) {
    const setting = keys[at]?.setting ?? [];
    if (finding.kind === "wrong")
      problems.push({ setting: [...setting, "selector"], message: finding.message });
    if (finding.kind === "warning") warnings.push(`warning: ${setting.join(".")}: ${finding.message}`);
  }
  return { problems, warnings };
}
