// How many connections there may be to the servers of others, and how long they are kept. Read by outbound.ts, and by the
// configuration, whose defaults they are.

export interface OutboundLimits {
  /** Connections to one server, whatever its names are, and whoever uses them. */
  readonly maxConnections: number;
  /** Those of them that jobs of the spool may use. */
  readonly queueConnections: number;
  /** All connections. */
  readonly maxTotal: number;
  /** Clients that wait for a connection to one server, each with its session open. */
  readonly maxWaitingClients: number;
  readonly maxMessagesPerConnection: number;
  readonly idleSeconds: number;
  /** To one server. */
  readonly messagesPerSecond: number | undefined;
}

export const OUTBOUND_LIMITS: OutboundLimits = {
  maxConnections: 20,
  queueConnections: 5,
  maxTotal: 500,
  maxWaitingClients: 1000,
  maxMessagesPerConnection: 100,
  // Servers take an idle client ill after some 30 s, and many count it against their limits.
  idleSeconds: 10,
  messagesPerSecond: undefined,
};
