// From the configuration to what becomes of a bounce: settings of an alias over those of its domain over those of all, key by
// key and class by class. Called by forwarder-settings.ts.
import {
  BOUNCE_SETTINGS,
  type BouncePolicy,
  type BounceSettings,
  bounceSettingsKey,
  createBouncePolicy,
} from "@homing/forwarder/settings";
import { asciiLower, parseMailbox } from "@homing/srs-core";
import type { SomeBounceSettings } from "./config/bounce-settings.ts";
import type { Config } from "./config/schema.ts";

export function bouncePolicyOf({
  bounces,
  domainSettings,
}: Pick<Config, "bounces" | "domainSettings">): BouncePolicy {
  const all = over(BOUNCE_SETTINGS, bounces);
  const byDomain = new Map<string, BounceSettings>();
  for (const [domain, settings] of Object.entries(domainSettings)) {
    if (settings.bounces) byDomain.set(domain, over(all, settings.bounces));
  }
  const byAlias = new Map<string, BounceSettings>();
  for (const [text, settings] of Object.entries(bounces.aliases)) {
    const parsed = parseMailbox(text);
    if (!parsed.ok) throw new Error(`bounces.aliases was not checked: ${parsed.message}`);
    const { mailbox } = parsed;
    const outer = byDomain.get(asciiLower(mailbox.domain)) ?? all;
    byAlias.set(bounceSettingsKey(mailbox), over(outer, settings));
  }
  return createBouncePolicy({ all, byDomain, byAlias });
}

function over(outer: BounceSettings, inner: SomeBounceSettings): BounceSettings {
  const { return: ways = {} } = inner;
  return {
    diagnostic: inner.diagnostic ?? outer.diagnostic,
    ways:
      typeof ways === "string"
        ? { hard: ways, soft: ways, policy: ways, spam: ways, delay: ways, success: ways }
        : { ...outer.ways, ...ways },
    owner: inner.owner ?? outer.owner,
    autoReplies: inner.autoReplies ?? outer.autoReplies,
  };
}
