// Connections of each client network at the same time: one address is one IPv4 address or one IPv6 /64, the smallest
// network that a customer gets. Called by session.ts when a client comes and goes.
import type { BlockList } from "node:net";
import { networkOf } from "@homing/bounce-handler";
import { isListed } from "../client-networks.ts";

export interface ClientCounts {
  /** Counts the client in. `undefined` if its network has its share; else to be called when it has gone. */
  enter(address: string): (() => void) | undefined;
}

/** @param limit 0 is no limit */
export function createClientCounts(limit: number, exempt: BlockList | undefined): ClientCounts {
  const counts = new Map<string, number>();
  return {
    enter(address) {
      if (limit === 0 || isListed(exempt, address)) return () => {};
      const network = networkOf(address);
      const count = counts.get(network) ?? 0;
      if (count >= limit) return undefined;
      counts.set(network, count + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const rest = (counts.get(network) ?? 1) - 1;
        if (rest === 0) counts.delete(network);
        else counts.set(network, rest);
      };
    },
  };
}
