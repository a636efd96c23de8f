// Which domains have SRS addresses alone: policy, milter and the map `reject` refuse whoever else is asked for there. Called by
// adapters.ts.
import { follow, type Tables } from "@homing/forwarder/tables";
import { asciiLower } from "@homing/srs-core";
import type { Config } from "../../config/schema.ts";
import { srsDomainsOf } from "../../config/srs-domains.ts";

export interface OnlySrs {
  /**
   * Of a text that is no SRS address: is it at an SRS domain where the site has no mailboxes (none of `domains` and
   * `domainAliases`), and not postmaster, whom the tables may have there?
   */
  isNobody(recipient: string): boolean;
}

type Settings = Pick<Config, "srs" | "domains" | "domainAliases" | "domainSettings">;

/** @param tables asked each time: a reload swaps them */
export function createOnlySrs(config: Settings, tables: () => Tables): OnlySrs {
  const withMailboxes = new Set([...config.domains, ...Object.keys(config.domainAliases)].map(asciiLower));
  const onlySrs = new Set(srsDomainsOf(config).filter((domain) => !withMailboxes.has(domain)));
  return {
    isNobody(recipient) {
      const at = recipient.lastIndexOf("@");
      const domain = recipient.slice(at + 1);
      if (at < 0 || !onlySrs.has(asciiLower(domain))) return false;
      const localPart = recipient.slice(0, at);
      // RFC 5321 §4.5.1. Where the tables have none, homing serve would refuse it behind the mail server's back.
      return asciiLower(localPart) !== "postmaster" || !isTaken(tables(), { localPart, domain });
    },
  };
}

function isTaken(tables: Tables, postmaster: { localPart: string; domain: string }): boolean {
  const { kind } = follow(tables, postmaster);
  return kind === "destinations" || kind === "discard";
}
