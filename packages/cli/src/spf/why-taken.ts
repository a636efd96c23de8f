// Why a server took a forged message, or put it off, as far as its configuration tells. Called by `homing spf selftest`.
import type { AuthenticationPolicy, Dns } from "@homing/forwarder";
import { createTrustedForwarders, type TrustedForwarder } from "@homing/forwarder/trust";
import { asciiLower, type Mailbox, type UnixSeconds } from "@homing/srs-core";
import { authenticationPolicyOf } from "../authentication-policy.ts";
import type { Config } from "../config/schema.ts";
import type { FailureReason } from "../failure.ts";
import { safe } from "../terminal-text.ts";
import { isTrusted } from "./own-address.ts";

export interface ServerConfig {
  /** Its name, for messages. */
  readonly file: string;
  readonly config: Config;
  readonly trustedForwarders: readonly TrustedForwarder[];
}

export interface SentFrom {
  readonly client: string;
  readonly helo: string;
  readonly recipient: Mailbox;
}

export interface Reason {
  /** @see FailureReason for the exit code */
  readonly reason: FailureReason;
  readonly message: string;
}

/** Where the configuration is not known: the likeliest first. */
export const LIKELY_REASONS: Reason = {
  reason: "negative",
  message: [
    "most likely the server trusts this host (trustedNetworks: run the test from a host outside), or it only tags (tagOnly),",
    "or SPF is off for this domain: with --config FILE, its configuration, the reason is told",
  ].join(" "),
};

/** What this host may do that others may not: the test would show nothing. */
export function rightsOf(client: string, { trustedNetworks, authentication }: Config): string | undefined {
  if (isTrusted(client, trustedNetworks)) return "is in trustedNetworks: no SPF is checked for it";
  if (isTrusted(client, authentication.relays))
    return "is in authentication.relays: whoever its Received fields name is checked in its place";
  return undefined;
}

/** In the order in which the server decides. */
export async function whyTaken(
  server: ServerConfig,
  sent: SentFrom,
  { dns, now }: { readonly dns: Dns; readonly now: () => UnixSeconds },
): Promise<Reason> {
  const { file } = server;
  const setting = settingReason(server.config, sent.recipient);
  if (setting !== undefined) return { reason: "negative", message: `${file}: ${setting}` };
  const trust = createTrustedForwarders(server.trustedForwarders, { dns, now, propose() {} });
  const recipient = { ...sent.recipient, domain: mainDomain(server.config, sent.recipient.domain) };
  const answer = await trust.lookUp({ ...sent, recipient });
  switch (answer.kind) {
    case "trusted": {
      const { line, entry, reason } = answer.entry;
      const where = `${server.config.authentication.trustedForwardersFile}:${line}`;
      const what = `the entry "${safe(entry)}" (${safe(reason)}) lets ${sent.client} through`;
      return { reason: "permission", message: `${where}: ${what}: run the test from another host` };
    }
    case "unknown":
      return {
        reason: "temporary",
        message: `whether a trusted forwarder's entry names ${sent.client}, DNS does not say (${answer.cause}): try again later`,
      };
    case "not-trusted":
      return { reason: "negative", message: `${file} says that it is not taken: ${OTHERWISE}` };
  }
}

/** Undefined where no setting does that. */
export function whyDeferred({ file, config }: ServerConfig, recipient: Mailbox): Reason | undefined {
  const { mode, spf, failSetting } = rulesFor(config, recipient);
  if (mode !== "enforce" || spf.fail !== "defer") return undefined;
  const message = `${file}: ${failSetting} is defer, so whoever forges may come again: write refuse`;
  return { reason: "negative", message };
}

const OTHERWISE =
  "is this the server's configuration, did it read it since the last change (homing reload), and does it ask the same DNS?";

/** Undefined: by the settings it is not taken. */
function settingReason(config: Config, recipient: Mailbox): string | undefined {
  const { mode, spf, modeSetting, failSetting } = rulesFor(config, recipient);
  if (mode !== "enforce") return `${modeSetting} is ${MODES[mode]}`;
  if (spf.fail === "accept" || spf.fail === "tag") return `${failSetting} is ${ACTIONS[spf.fail]}`;
  return undefined;
}

interface Rules extends Pick<AuthenticationPolicy, "mode" | "spf"> {
  /** Where it stands. */
  readonly modeSetting: string;
  readonly failSetting: string;
}

function rulesFor(config: Config, recipient: Mailbox): Rules {
  const domain = mainDomain(config, recipient.domain);
  const { mode, spf } = authenticationPolicyOf(config)(domain);
  const own = config.domainSettings[domain]?.authentication;
  const setting = (name: string, value: string | undefined) =>
    `${value === undefined ? "" : `domainSettings.${domain}.`}authentication.${name}`;
  return {
    mode,
    spf,
    modeSetting: setting("mode", own?.mode),
    failSetting: setting("spf.fail", own?.spf?.fail),
  };
}

/** As the service knows it: settings of a domain hold for its further names. */
function mainDomain({ domainAliases }: Config, domain: string): string {
  const name = asciiLower(domain);
  return domainAliases[name] ?? name;
}

const MODES: Readonly<Record<Exclude<AuthenticationPolicy["mode"], "enforce">, string>> = {
  tagOnly: "tagOnly: what would be refused is marked, and taken: write enforce",
  off: "off: nobody is checked: write enforce",
};

const ACTIONS = {
  accept: "accept: it is taken as any other: write refuse",
  tag: "tag: it is marked, and taken: write refuse",
} as const;
