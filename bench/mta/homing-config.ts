// The configuration of `homing serve` in each of its two modes: the one place where the modes differ.
// Called by homing-peer.ts.
import {
  ALIAS,
  type Alias,
  FORWARDING_DOMAIN,
  localPartOf,
  routes,
  type Sinks,
  TIMED_ALIAS,
} from "./addresses.ts";

/** `durable`: the message is on disk before the 250. `in-session`: the next hop has taken it before the 250. */
export type Mode = "durable" | "in-session";

/**
 * The settings of a mode, below `delivery` and beside it. `state` is an empty folder beside the configuration. Only mail of
 * senders who are verified is spooled: the generator's network is trusted for that.
 */
const SETTINGS: Readonly<Record<Mode, { readonly delivery: string; readonly top: string }>> = {
  durable: {
    delivery: "  acceptance: spooled\n",
    top: "stateDirectory: state\ntrustedNetworks: [127.0.0.0/8]\n",
  },
  "in-session": { delivery: "", top: "" },
};

/** What a benchmark has beside the usual. */
export interface Extras {
  readonly aliases?: readonly Alias[];
  /** The largest message; default: Homing's. */
  readonly messageOctets?: number;
  /** The key that signs notifications of Homing's own; default: none does, as at the peers. */
  readonly dkim?: DkimKey;
}

export type DkimKey = "rsa" | "ed25519";
export const DKIM_KEY_FILE = "dkim.key";

const KEYS = `[{ domain: ${FORWARDING_DOMAIN}, selector: bench, keyFile: ${DKIM_KEY_FILE} }]`;

export interface HomingOptions extends Extras {
  readonly mode: Mode;
  readonly port: number;
  readonly sinks: Sinks;
}

export function homingConfig({ mode, port, sinks, messageOctets, dkim }: HomingOptions): string {
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
${messageOctets === undefined ? "" : `  messageOctets: ${messageOctets}\n`}${SETTINGS[mode].top}authentication: { mode: off }
dkim: ${dkim === undefined ? "unsigned" : KEYS}
`;
}

export function homingAliases({ aliases = [] }: Extras): string {
  const lines = [ALIAS, TIMED_ALIAS, ...aliases].map(({ address, target }) => {
    return `${localPartOf(address)}: ${target}\n`;
  });
  return `postmaster: ${ALIAS.target}\n${lines.join("")}`;
}
