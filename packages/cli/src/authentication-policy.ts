// From the configuration to what becomes of mail by its sender: settings of a domain over those of all, key by key. Called by
// forwarder-settings.ts.
import type { Action, AuthenticationPolicy } from "@homing/forwarder";
import { asciiLower } from "@homing/srs-core";
import type { SomeAuthenticationSettings } from "./config/authentication-settings.ts";
import type { Config } from "./config/schema.ts";

/** @returns the same value for all domains that have no settings of their own */
export function authenticationPolicyOf({
  authentication,
  domainSettings,
}: Pick<Config, "authentication" | "domainSettings">): (domain: string) => AuthenticationPolicy {
  const byDomain = new Map<string, AuthenticationPolicy>();
  for (const [domain, settings] of Object.entries(domainSettings)) {
    if (settings.authentication) byDomain.set(domain, over(authentication, settings.authentication));
  }
  return (domain) => byDomain.get(asciiLower(domain)) ?? authentication;
}

function over(outer: AuthenticationPolicy, inner: SomeAuthenticationSettings): AuthenticationPolicy {
  return {
    mode: inner.mode ?? outer.mode,
    spf: actionsOver(outer.spf, inner.spf),
    dmarc: actionsOver(outer.dmarc, inner.dmarc),
    ownDomains: inner.ownDomains ?? outer.ownDomains,
    dnsbl: inner.dnsbl ?? outer.dnsbl,
    rhsbl: inner.rhsbl ?? outer.rhsbl,
  };
}

function actionsOver<Name extends string>(
  outer: Readonly<Record<Name, Action>>,
  inner: Readonly<Partial<Record<Name, Action | undefined>>> | undefined,
): Readonly<Record<Name, Action>> {
  const names = Object.keys(outer) as Name[];
  const actions = names.map((name) => [name, inner?.[name] ?? outer[name]] as const);
  return Object.fromEntries(actions) as Record<Name, Action>;
}
