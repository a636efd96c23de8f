// Does mail to an SRS domain come to this server? Without that no bounce comes home. Called by `homing config check --dns`.
import type { MxResolver } from "@homing/forwarder";
import { printable, sameDomain } from "@homing/srs-core";
import type { Config } from "./schema.ts";
import { bounceDomainsOf, srsDomainsOf } from "./srs-domains.ts";

/** What to look after, in words. */
export async function mxWarnings(
  config: Pick<Config, "hostname" | "srs" | "domainSettings" | "onBehalf">,
  resolver: MxResolver,
): Promise<readonly string[]> {
  const all = [
    ...srsDomainsOf(config).map((domain) => ["SRS domain", domain] as const),
    ...bounceDomainsOf(config).map((domain) => ["bounce domain", domain] as const),
  ];
  const checks = all.map(([what, domain]) =>
    mxWarning(`${what} ${domain}`, domain, config.hostname, resolver),
  );
  return (await Promise.all(checks)).flatMap((warning) => warning ?? []);
}

async function mxWarning(
  what: string,
  domain: string,
  hostname: string,
  resolver: MxResolver,
): Promise<string | undefined> {
  const about = `warning: ${what}`;
  const answer = await resolver.mx(domain);
  switch (answer.kind) {
    case "failed":
      return `${about}: its MX cannot be told (${answer.cause}): ask again when DNS answers`;
    case "no-such-domain":
      return `${about}: DNS does not have it, so no bounce comes home: give it an MX record that names ${hostname}`;
    case "records":
      break;
  }
  const names = answer.records.map(({ exchange }) => exchange.replace(/\.$/, ""));
  // RFC 5321 §5.1: without MX records the address of the domain itself counts.
  const leading = names.length === 0 ? [domain] : names;
  if (leading.some((name) => sameDomain(name, hostname))) return undefined;
  const now = names.length === 0 ? "it has none" : `it is ${names.map((name) => printable(name)).join(", ")}`;
  return `${about}: its MX is not this server (${now}), so no bounce comes home: let one name ${hostname}`;
}
