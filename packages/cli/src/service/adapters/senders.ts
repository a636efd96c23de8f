// Who may send, for the adapters: SPF with the settings and trusted forwarders of the SMTP service. Called by adapters.ts.
import type { BounceGate } from "@homing/bounce-handler";
import type { Dns } from "@homing/forwarder";
import { createWhyLinks, whyFacts } from "@homing/forwarder/settings";
import { createTrustedForwarders, type TrustedForwarder } from "@homing/forwarder/trust";
import { createSenderChecks, type SenderChecks } from "@homing/mta-adapters";
import { authenticationPolicyOf } from "../../authentication-policy.ts";
import type { Config } from "../../config/schema.ts";
import { readTrust } from "../../read-authentication.ts";
import { unixNow } from "../../time.ts";

export interface SenderOptions {
  readonly config: Config;
  /** File names in the configuration are relative to it. */
  readonly folder: string;
  /** Newest first: the first signs the links of the page that says why. */
  readonly secrets: readonly string[];
  readonly gate: BounceGate;
  readonly isTrustedClient: (address: string) => boolean;
  readonly dns: Dns;
  readonly timeLimit: (seconds: number) => AbortSignal;
  readonly log: (event: object) => void;
  readonly warn: (message: string) => void;
}

export interface Senders {
  readonly checks: SenderChecks;
  /** From the next question on. */
  replaceTrusted(entries: readonly TrustedForwarder[]): void;
}

export async function createSenders(options: SenderOptions): Promise<Senders> {
  const { config, folder, secrets, gate, isTrustedClient, dns, timeLimit, log, warn } = options;
  const { authentication, http, hostname } = config;
  const policyFor = authenticationPolicyOf(config);
  const trustIn = (entries: readonly TrustedForwarder[]) =>
    createTrustedForwarders(entries, {
      now: unixNow,
      dns,
      propose: (proposal) => log({ event: "trust-not-needed", ...proposal }),
    });
  let trusted = trustIn(await readTrust(config, { folder, warn }));
  const links = http && createWhyLinks({ publicUrl: http.publicUrl, secrets, now: unixNow });

  const checks = createSenderChecks({
    resolver: dns,
    hostname,
    now: unixNow,
    timeLimit,
    actionsFor: (domain) => (domain === undefined ? authentication : policyFor(domain)),
    isTrustedClient,
    async trustOf({ recipient, ...asked }) {
      // Entries are for recipients.
      if (!recipient) return "not-trusted";
      return (await trusted.lookUp({ ...asked, recipient })).kind;
    },
    whyUrl: links && ((refused) => links.mint(whyFacts(refused))),
    gate,
  });
  return {
    checks,
    replaceTrusted(entries) {
      trusted = trustIn(entries);
    },
  };
}
