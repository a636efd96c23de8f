// Finds the trusted forwarder that a message comes from: by the client's address, by its name, by who sealed the message.
// Asked by authentication/ where a message would not be let through.
import type { BlockList } from "node:net";
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import { isListed } from "../client-networks.ts";
import { blockList } from "../networks.ts";
import { confirmedNames, type NameDns } from "./confirmed-names.ts";
import { createKnownNames } from "./known-names.ts";
import { createRemovalProposals, type RemovalProposal, type SeenMail } from "./removal-proposals.ts";
import { hasExpired, isFor, matchesName, type TrustedForwarder } from "./trust-entry.ts";

export interface TrustAsked {
  readonly client: string;
  /** Hostile text. */
  readonly helo?: string | undefined;
  readonly recipient: Mailbox;
  /** d= of each seal of an ARC chain that passes, i=1 first. */
  readonly sealers?: readonly string[] | undefined;
}

export type TrustAnswer =
  | { readonly kind: "trusted"; readonly entry: TrustedForwarder }
  | { readonly kind: "not-trusted" }
  /** An entry names hosts, and DNS did not say what the client's name is: it may be trusted in a minute. */
  | { readonly kind: "unknown"; readonly cause: string };

export interface TrustedForwarders {
  /** An entry names a sealer: a message may be let through when its chain has been seen. */
  readonly hasSealers: boolean;
  lookUp(asked: TrustAsked): Promise<TrustAnswer>;
  /** Without DNS: networks, and hosts whose names were confirmed within the hour. */
  known(asked: TrustAsked): TrustedForwarder | undefined;
  /** What a message of a trusted host looks like. */
  saw(entry: Pick<TrustedForwarder, "entry">, mail: SeenMail): void;
}

export interface TrustedForwarderOptions {
  readonly now: () => UnixSeconds;
  readonly dns: NameDns;
  /** Hears of entries that are not needed any more. */
  readonly propose: (proposal: RemovalProposal) => void;
}

export function createTrustedForwarders(
  entries: readonly TrustedForwarder[],
  { now, dns, propose }: TrustedForwarderOptions,
): TrustedForwarders {
  const networks = networksOf(entries);
  const names = createKnownNames(now);
  const proposals = createRemovalProposals(entries, now);

  const inForce = (recipient: Mailbox): readonly TrustedForwarder[] =>
    entries.filter((entry) => !hasExpired(entry, now()) && isFor(entry, recipient));

  const known = ({ client, recipient, sealers = [] }: TrustAsked): TrustedForwarder | undefined => {
    const candidates = inForce(recipient);
    return (
      candidates.find((entry) => isListed(networks.get(entry), client)) ??
      hostEntry(candidates, names.of(client) ?? []) ??
      sealerEntry(candidates, sealers)
    );
  };

  const lookUp = async (asked: TrustAsked): Promise<TrustAnswer> => {
    const found = known(asked);
    if (found) return { kind: "trusted", entry: found };
    const hosts = inForce(asked.recipient).filter(({ match }) => match.kind === "host");
    if (hosts.length === 0) return { kind: "not-trusted" };
    const isWanted = (name: string): boolean => hostEntry(hosts, [name]) !== undefined;
    const answer = await confirmedNames(dns, asked, isWanted);
    if (answer.kind === "unknown") return answer;
    if (answer.names.length > 0) names.add(asked.client, answer.names);
    const entry = hostEntry(hosts, answer.names);
    return entry ? { kind: "trusted", entry } : { kind: "not-trusted" };
  };

  return {
    get hasSealers() {
      return entries.some((entry) => entry.match.kind === "sealer" && !hasExpired(entry, now()));
    },
    lookUp,
    known,
    saw({ entry }, mail) {
      const proposal = proposals.saw(entry, mail);
      if (proposal) propose(proposal);
    },
  };
}

function networksOf(entries: readonly TrustedForwarder[]): ReadonlyMap<TrustedForwarder, BlockList> {
  const lists = new Map<TrustedForwarder, BlockList>();
  for (const entry of entries)
    if (entry.match.kind === "network") lists.set(entry, blockList([entry.match.network]));
  return lists;
}

function hostEntry(
  entries: readonly TrustedForwarder[],
  names: readonly string[],
): TrustedForwarder | undefined {
  return entries.find(({ match }) => match.kind === "host" && names.some((name) => matchesName(match, name)));
}

/**
 * The last sealer's entry, where each sealer has one. The last one could have changed the message, and the first one says
 * what it was like when it came: a stranger's word on either end makes a chain of trusted ones worth nothing.
 */
function sealerEntry(
  entries: readonly TrustedForwarder[],
  sealers: readonly string[],
): TrustedForwarder | undefined {
  const found = sealers.map((sealer) =>
    entries.find(({ match }) => match.kind === "sealer" && matchesName(match, sealer)),
  );
  return found.includes(undefined) ? undefined : found.at(-1);
}
