// The names of a client that DNS confirms: its PTR records and its HELO name, as far as their own addresses say that they are
// the client's (RFC 8601 §3, "iprev"). Called by trusted-forwarders.ts.
import { type DnsAnswer, parseClient, reverseName, type SpfResolver, sameOctets } from "@homing/spf";
import { asciiLower, parseDomain } from "@homing/srs-core";

export type NameDns = Pick<SpfResolver, "ptr" | "a" | "aaaa">;

export type ConfirmedNames =
  | { readonly kind: "names"; readonly names: readonly string[] }
  /** DNS did not say, and no name was confirmed without that. */
  | { readonly kind: "unknown"; readonly cause: string };

/** Whoever has the reverse zone may have written a thousand names. */
const MAX_PTR_NAMES = 10;
/** Names whose addresses are asked for. */
const MAX_CONFIRMED = 4;

/**
 * A HELO name needs no PTR record: that its address is the client's says as much.
 * @param isWanted of names in lower case: others are not asked about
 */
export async function confirmedNames(
  dns: NameDns,
  { client, helo }: { readonly client: string; readonly helo?: string | undefined },
  isWanted: (name: string) => boolean,
): Promise<ConfirmedNames> {
  const octets = parseClient(client);
  if (!octets) return { kind: "names", names: [] };
  const lookUp = octets.length === 4 ? dns.a : dns.aaaa;
  const isClient = (address: string): boolean => {
    const found = parseClient(address);
    return found !== undefined && sameOctets(found, octets);
  };

  const fromHelo = helo === undefined ? [] : wantedOf([helo], isWanted);
  const first = await confirmed(lookUp, fromHelo, isClient);
  if (first.names.length > 0) return { kind: "names", names: first.names };
  const pointers = await dns.ptr(reverseName(octets));
  const pointed = pointers.kind === "records" ? pointers.records.slice(0, MAX_PTR_NAMES) : [];
  const others = wantedOf(pointed, isWanted).filter((name) => !fromHelo.includes(name));
  const second = await confirmed(lookUp, others.slice(0, MAX_CONFIRMED), isClient);
  if (second.names.length > 0) return { kind: "names", names: second.names };
  const cause = first.cause ?? causeOf(pointers) ?? second.cause;
  return cause === undefined ? { kind: "names", names: [] } : { kind: "unknown", cause };
}

interface Confirmed {
  readonly names: readonly string[];
  readonly cause?: string | undefined;
}

async function confirmed(
  lookUp: NameDns["a"],
  names: readonly string[],
  isClient: (address: string) => boolean,
): Promise<Confirmed> {
  const answers = await Promise.all(names.map(async (name) => ({ name, answer: await lookUp(name) })));
  return {
    names: answers
      .filter(({ answer }) => answer.kind === "records" && answer.records.some(isClient))
      .map(({ name }) => name),
    cause: answers.map(({ answer }) => causeOf(answer)).find((cause) => cause !== undefined),
  };
}

function wantedOf(names: readonly string[], isWanted: (name: string) => boolean): readonly string[] {
  const read = names.flatMap((name) => {
    const parsed = parseDomain(name.replace(/\.$/, ""));
    return parsed.ok ? [asciiLower(parsed.domain)] : [];
  });
  return [...new Set(read)].filter(isWanted);
}

function causeOf(answer: DnsAnswer<string>): string | undefined {
  return answer.kind === "failed" ? answer.cause : undefined;
}
