// The configuration of `homing serve` in each of its two modes: the one place where the modes differ.
// Called by homing-peer.ts.
import { ALIAS, FORWARDING_DOMAIN, localPartOf, routes, type Sinks, TIMED_ALIAS } from "./addresses.ts";

/** `durable`: the message is on disk before the 250. `in-session`: the next hop has taken it before the 250. */
export type Mode = "durable" | "in-session";

/** The settings of a mode, below `delivery` and beside it. `state` is an empty folder beside the configuration. */
const SETTINGS: Readonly<Record<Mode, { readonly delivery: string; readonly top: string }>> = {
  durable: { delivery: "  acceptance: spooled\n", top: "stateDirectory: state\n" },
  "in-session": { delivery: "", top: "" },
};

export interface HomingOptions {
  readonly mode: Mode;
  readonly port: number;
  readonly sinks: Sinks;
}

export function homingConfig({ mode, port, sinks }: HomingOptions): string {
  const nextHops = Object.entries(routes(sinks)).map(([domain, hop]) => `    ${domain}: 127.0.0.1:${hop}\n`);
  return `hostname: mx.${FORWARDING_DOMAIN}
listen: 127.0.0.1:${port}
domains: [${FORWARDING_DOMAIN}]
aliasesFile: aliases
srs:
  domain: ${FORWARDING_DOMAIN}
  secretsFile: secrets
delivery:
${SETTINGS[mode].delivery}  routes:
${nextHops.join("")}limits:
  clients: 1000
${SETTINGS[mode].top}`;
}

export const HOMING_ALIASES = `postmaster: ${ALIAS.target}
${[ALIAS, TIMED_ALIAS].map(({ address, target }) => `${localPartOf(address)}: ${target}\n`).join("")}`;
