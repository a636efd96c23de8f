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
  /** Of an ARC chain that passes, i=1 first. */
  readonly seals?: readonly TrustedSeal[] | undefined;
}

export interface TrustedSeal {
  /** d= */
  readonly domain: string;
  /** Its sealer had found something good, and nothing that speaks against the author. */
  readonly isGood: boolean;
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
  /** Whoever is trusted for one of them is trusted for the other, too: they may have one answer. */
  areAlike(one: Mailbox, other: Mailbox): boolean;
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

  const known = ({ client, recipient, seals = [] }: TrustAsked): TrustedForwarder | undefined => {
    const candidates = inForce(recipient);
    return (
      candidates.find((entry) => isListed(networks.get(entry), client)) ??
      hostEntry(candidates, names.of(client) ?? []) ??
      sealerEntry(candidates, seals)
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
    areAlike: (one, other) =>
      entries.every((entry) => hasExpired(entry, now()) || isFor(entry, one) === isFor(entry, other)),
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
 * The entry of the last sealer, where he and those right before him vouch for the message: the first of them, in what he had
 * found. The last one could have changed it, so a stranger there makes the chain worth nothing; strangers before them, such
 * as the sender's own provider, are part of what was found.
 */
function sealerEntry(
  entries: readonly TrustedForwarder[],
  seals: readonly TrustedSeal[],
): TrustedForwarder | undefined {
  const entryOf = ({ domain }: TrustedSeal): TrustedForwarder | undefined =>
    entries.find(({ match }) => match.kind === "sealer" && matchesName(match, domain));
  const stranger = seals.findLastIndex((seal) => entryOf(seal) === undefined);
  const [first, ...others] = seals.slice(stranger + 1);
  return first?.isGood ? entryOf(others.at(-1) ?? first) : undefined;
}
