// Which message of the built-in inbox was told to its sender as delivered, and may bounce from then on. Called by loopback.ts.
import type { ForwarderEvent } from "@homing/forwarder";
import { renderMailbox } from "@homing/srs-core";
import type { Arrival } from "./inbox.ts";

export interface Deliveries {
  arrived(arrival: Arrival): void;
  report(event: ForwarderEvent): void;
}

/** @param settled a destination has a message, and can bounce it, once its sender was told so */
export function createDeliveries(settled: (arrival: Arrival) => void): Deliveries {
  const arrivals: Arrival[] = [];
  /** By message whose client waits. */
  const waiting = new Map<string, Arrival[]>();

  return {
    arrived: (arrival) => void arrivals.push(arrival),

    report(event) {
      if (event.event === "received") waiting.set(event.id, []);
      if (event.event === "delivered") {
        const index = arrivals.findIndex(({ recipient }) => renderMailbox(recipient) === event.target);
        const found = index < 0 ? [] : arrivals.splice(index, 1);
        const told = waiting.get(event.id);
        // From the queue: its client has long gone.
        if (!told) found.forEach(settled);
        else told.push(...found);
      }
      if (event.event !== "answered") return;
      const told = waiting.get(event.id) ?? [];
      waiting.delete(event.id);
      told.forEach(settled);
    },
  };
}
