// Names of clients that DNS has confirmed lately: whoever sends one message sends another. Called by trusted-forwarders.ts.
import type { UnixSeconds } from "@homing/srs-core";

export interface KnownNames {
  /** Undefined where none are known, or not any more. */
  of(client: string): readonly string[] | undefined;
  add(client: string, names: readonly string[]): void;
}

const SECONDS = 3600;
const MAX_CLIENTS = 1000;

export function createKnownNames(now: () => UnixSeconds): KnownNames {
  const known = new Map<string, { readonly names: readonly string[]; readonly until: UnixSeconds }>();
  return {
    of(client) {
      const found = known.get(client);
      return found && now() < found.until ? found.names : undefined;
    },
    add(client, names) {
      // The oldest goes: a map has its keys in the order in which they came.
      known.delete(client);
      const [oldest] = known.keys();
      if (known.size >= MAX_CLIENTS && oldest !== undefined) known.delete(oldest);
      known.set(client, { names, until: now() + SECONDS });
    },
  };
}
