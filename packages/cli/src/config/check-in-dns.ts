// DNS, asked about a configuration and its keys. Called by `homing config check --dns`, and loaded for that alone.
import type { HostPort } from "@homing/forwarder";
import { mxResolver, txtLookup } from "@homing/forwarder/dns";
import type { ServiceSettings } from "../forwarder-settings.ts";
import { publicAddresses } from "../public-addresses.ts";
import { systemDns } from "../system-dns.ts";
import { checkDns, type DnsCheck } from "./dns-check.ts";
import type { Config } from "./schema.ts";

/** @param servers none: the system's */
export async function checkInDns(
  config: Config,
  { dkimKeys, sealKey }: Pick<ServiceSettings, "dkimKeys" | "sealKey">,
  servers: readonly HostPort[],
): Promise<DnsCheck> {
  const dns = systemDns(servers);
  try {
    const keys = [
      ...dkimKeys.map((key, at) => ({ key, setting: ["dkim", at] })),
      ...(sealKey ? [{ key: sealKey, setting: ["authentication", "arc"] }] : []),
    ];
    const ours = { resolver: dns, addresses: publicAddresses() };
    return await checkDns(config, keys, { resolver: mxResolver(dns), txt: txtLookup(dns), ours });
  } finally {
    dns.close();
  }
}
