// From a checked configuration to the settings of authentication: reads the key that seals and the file of trusted forwarders.
// Called by forwarder-settings.ts and `homing config check`.
import { dirname, resolve } from "node:path";
import type { AuthenticationSettings, TrustedForwarder } from "@homing/forwarder";
import { createWhyLinks } from "@homing/forwarder/settings";
import { asciiLower } from "@homing/srs-core";
import { authenticationPolicyOf } from "./authentication-policy.ts";
import { type ReadKey, readKey } from "./config/dkim-keys.ts";
import type { Config } from "./config/schema.ts";
import { unixNow } from "./time.ts";

export interface ReadAuthentication {
  /** File names in the configuration are relative to it. */
  readonly folder: string;
  /** Newest first: the first signs the links of the page that says why. */
  readonly secrets: readonly string[];
  readonly warn: (message: string) => void;
  readonly sealKey: ReadKey | undefined;
}

/** Undefined where nobody is checked at any domain. */
export async function readAuthentication(
  config: Config,
  { folder, secrets, warn, sealKey }: ReadAuthentication,
): Promise<AuthenticationSettings | undefined> {
  const { authentication, http, hostname } = config;
  const modes = [authentication, ...Object.values(config.domainSettings).map((one) => one.authentication)];
  if (modes.every((settings) => (settings?.mode ?? "off") === "off")) return undefined;
  const { authservId = hostname, relays, threads } = authentication;
  return {
    authservId,
    policyFor: authenticationPolicyOf(config),
    relays,
    threads,
    trustedForwarders: await readTrust(config, { folder, warn }),
    sealKey,
    whyLinks: http && createWhyLinks({ publicUrl: http.publicUrl, secrets, now: unixNow }),
  };
}

/** @param warn is told of a key that is weak, or that some verifiers do not know */
export async function readSealKey(
  { authentication: { arc } }: Pick<Config, "authentication">,
  folder: string,
  warn: (message: string) => void,
): Promise<ReadKey | undefined> {
  if (!arc) return undefined;
  const key = await readKey(arc, folder, warn);
  if (key.publicKey.type === "ed25519")
    warn(
      "warning: authentication.arc: seals with Ed25519 are no seals to most verifiers, who know RSA: make a key with " +
        "homing dkim new",
    );
  return key;
}

type TrustConfig = Pick<Config, "authentication" | "domains" | "hostname">;

/** At the start, and at each reload. */
export async function readTrust(
  { authentication: { trustedForwardersFile }, domains, hostname }: TrustConfig,
  { folder, warn }: Pick<ReadAuthentication, "folder" | "warn">,
): Promise<readonly TrustedForwarder[]> {
  if (trustedForwardersFile === undefined) return [];
  const path = resolve(folder, trustedForwardersFile);
  // Only here: few have such a file, and it needs SPF.
  const { readTrustedForwarders } = await import("./config/trusted-forwarders-file.ts");
  const entries = await readTrustedForwarders(path, unixNow(), warn);
  const ours = new Set([...domains, hostname].map(asciiLower));
  for (const { line, recipients } of entries) {
    for (const recipient of recipients.filter((one) => !ours.has(one.slice(one.lastIndexOf("@") + 1))))
      warn(
        `warning: ${path}:${line}: for=${recipient} is none of domains: name a domain or an alias of yours`,
      );
  }
  return entries;
}

/** Undefined where the configuration names no file. */
export async function rereadTrust(
  config: Config,
  configPath: string,
  log: (event: object) => void,
): Promise<readonly TrustedForwarder[] | undefined> {
  if (config.authentication.trustedForwardersFile === undefined) return undefined;
  const warn = (message: string): void => log({ event: "trusted-forwarders-expired", message });
  return await readTrust(config, { folder: dirname(resolve(configPath)), warn });
}
