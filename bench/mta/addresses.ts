// Who writes to whom in the measurements, and the secret that every peer signs with.
// Called by the peers for their tables, and by the runs for their envelopes.

export const FORWARDING_DOMAIN = "fwd.example";
/** What the generator offers: mail from here to the alias. Bounces come home to here. */
export const SENDER = "carol@origin.example";

export interface Alias {
  readonly address: string;
  readonly target: string;
}

/** Leads to the counting sink. */
export const ALIAS: Alias = { address: `alice@${FORWARDING_DOMAIN}`, target: "bob@dest.example" };
/** Leads to the sink that notes when each message came and from whom. */
export const TIMED_ALIAS: Alias = { address: `timed@${FORWARDING_DOMAIN}`, target: "bob@timed.example" };
/** A bounce to this sender comes to the timing sink. */
export const TIMED_SENDER = "carol@timed.example";

export const SECRET = "a long secret of the benchmark alone";

export interface Sinks {
  readonly counting: number;
  readonly timing: number;
}

/** The next hop of each domain that mail leaves to, as ports of 127.0.0.1. */
export function routes({ counting, timing }: Sinks): Readonly<Record<string, number>> {
  return { "dest.example": counting, "origin.example": counting, "timed.example": timing };
}

export function localPartOf(address: string): string {
  return address.slice(0, address.lastIndexOf("@"));
}
