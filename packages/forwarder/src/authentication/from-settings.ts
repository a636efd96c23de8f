// Authentication, put together from its settings: the threads that read messages, trusted forwarders, DNS lists. Called by
// forwarder.ts.
import type { SpfResolver } from "@homing/spf";
import type { UnixSeconds } from "@homing/srs-core";
import type { DkimKey } from "../authenticate.ts";
import { isListed } from "../client-networks.ts";
import type { Report } from "../events.ts";
import { blockList } from "../networks.ts";
import type { TrustedForwarder } from "../trust/trust-entry.ts";
import { createTrustedForwarders, type TrustedForwarders } from "../trust/trusted-forwarders.ts";
import type { WhyLinks } from "../why-link.ts";
import { type Authentication, type AuthenticationOptions, createAuthentication } from "./authentication.ts";
import { createContentChecks } from "./content/content-checks.ts";
import { createDnsLists, senderLists } from "./dns-lists.ts";
import type { AuthenticationPolicy } from "./settings.ts";

export interface AuthenticationSettings {
  /** Our name in Authentication-Results. */
  readonly authservId: string;
  /** Of recipients at a domain of ours, by its main name. */
  readonly policyFor: (domain: string) => AuthenticationPolicy;
  /** IP addresses and networks: secondary MXs and others that pass mail of strangers on. */
  readonly relays: readonly string[];
  readonly trustedForwarders: readonly TrustedForwarder[];
  /** That check signatures; they begin with the first message. */
  readonly threads: number;
  /** Seals what is forwarded (ARC). */
  readonly sealKey?: DkimKey | undefined;
  readonly whyLinks?: Pick<WhyLinks, "mint"> | undefined;
}

export interface AuthenticationWorld {
  readonly dns: SpfResolver;
  readonly now: () => UnixSeconds;
  readonly timeLimit: (seconds: number) => AbortSignal;
  readonly report: Report;
}

export interface RunningAuthentication extends Authentication {
  /** From the next RCPT on. */
  replaceTrusted(entries: readonly TrustedForwarder[]): void;
  close(): Promise<void>;
}

/** How to reach the rest of the forwarder. */
export type Surroundings = Pick<
  AuthenticationOptions,
  "hostname" | "isTrusted" | "isOurDomain" | "isSrsDomain" | "mainDomain"
>;

export function startAuthentication(
  settings: AuthenticationSettings,
  { dns, now, timeLimit, report }: AuthenticationWorld,
  surroundings: Surroundings,
): RunningAuthentication {
  const { authservId, policyFor, threads, sealKey, whyLinks } = settings;
  const relays = blockList(settings.relays);
  const content = createContentChecks({ dns, now, authservId, sealKey, threads });
  const trustIn = (entries: readonly TrustedForwarder[]): TrustedForwarders =>
    createTrustedForwarders(entries, {
      now,
      dns,
      propose: (proposal) => report({ event: "trust-not-needed", ...proposal }),
    });
  let trust = trustIn(settings.trustedForwarders);
  const authentication = createAuthentication({
    ...surroundings,
    authservId,
    policyFor,
    isRelay: (address) => isListed(relays, address),
    resolver: dns,
    check: content.check,
    seal: content.seal,
    trust: () => trust,
    lists: senderLists(createDnsLists({ dns }), (cause) => report({ event: "list-unknown", cause })),
    whyLinks,
    now,
    timeLimit,
    report,
  });
  return {
    ...authentication,
    replaceTrusted(entries) {
      trust = trustIn(entries);
    },
    close: content.close,
  };
}
