// SMTP out without a pool, for tests of what is said: each message has a connection of its own.
import type { LocalDeliveryOptions } from "../local-delivery.ts";
import { submit } from "../smtp-out.ts";

export function ownConnections(hostname: string): Pick<LocalDeliveryOptions, "outbound" | "patience"> {
  return {
    outbound: { submit: ({ hop, ...submission }) => submit({ ...submission, server: hop, hostname }) },
    patience: { kind: "queue" },
  };
}
