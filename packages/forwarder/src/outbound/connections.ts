// The connections to one server: how many there are, which of them are idle, and for whom one may be used again. Called by
// destination.ts.
import { whenAborted } from "../when-aborted.ts";
import type { OutConnection } from "./out-connection.ts";
import type { OutboundSubmission } from "./outbound.ts";

export type Hop = OutboundSubmission["hop"];

/** Room to open a connection: at once, or as soon as one has ended that nobody can use who waits. */
export interface Room {
  readonly insteadOf: OutConnection | undefined;
}

/** A connection to use, or room to open one. */
export type Place = OutConnection | Room;

export interface ConnectionsOptions {
  readonly now: () => number;
  /** One more, of all connections to all servers. False where there are enough. */
  readonly takeOfTotal: () => boolean;
  readonly giveBack: () => void;
  /** Does another server wait for room? */
  readonly isWanted: () => boolean;
  /** There may be room now. */
  readonly changed: () => void;
}

export interface Connections {
  /** Open, opening and closing. */
  readonly count: number;
  /** Those that are not idle. */
  readonly atWork: number;
  /** Is one greeted, and not told to end? */
  readonly isEstablished: boolean;
  /** Of the one that is idle for longest. */
  readonly idleSince: number | undefined;
  /** @param limit there are no more than that, or no further ones */
  take(hop: Hop, limit: number): Place | undefined;
  /** Nobody had use for it after all. */
  giveUp(place: Room): void;
  /** Ends an idle one whose place is another's now. @param timeIsUp does not wait for the server's goodbye any longer */
  endForRoom(connection: OutConnection, timeIsUp: AbortSignal): Promise<void>;
  opened(connection: OutConnection): void;
  /** It is over, and its place is taken by the next one. */
  replaced(connection: OutConnection): void;
  /** For whoever has the same use for it. Where another server waits for room, it ends. */
  keep(connection: OutConnection, hop: Hop): void;
  quit(connection: OutConnection): void;
  /** It is over. */
  lost(connection: OutConnection): void;
  /** Says QUIT to the connection that has been idle longest; false where none is. */
  dropIdle(): boolean;
  /** Ends those at work, too: what their servers have, nobody will know. */
  leave(): void;
}

interface Idle {
  readonly connection: OutConnection;
  readonly since: number;
  /** Of whoever used it. */
  readonly hop: Hop;
}

export const ROOM: Room = { insteadOf: undefined };

export function createConnections(options: ConnectionsOptions): Connections {
  /** The longest idle first. */
  const idle: Idle[] = [];
  const established = new Set<OutConnection>();
  let count = 0;
  /** Told to end. */
  let ending = 0;

  const connections: Connections = {
    get count() {
      return count;
    },
    get atWork() {
      return count - idle.length;
    },
    get isEstablished() {
      return established.size > 0;
    },
    get idleSince() {
      return idle[0]?.since;
    },
    take(hop, limit) {
      const kept = lastIdleFor(hop);
      if (kept) return kept;
      if (count < limit) {
        if (!options.takeOfTotal()) return undefined;
        count++;
        return ROOM;
      }
      const longest = idle.shift();
      if (!longest) return undefined;
      longest.connection.onEnd = undefined;
      return { insteadOf: longest.connection };
    },
    giveUp({ insteadOf }) {
      if (insteadOf) connections.quit(insteadOf);
      else ended();
    },
    async endForRoom(connection, timeIsUp) {
      established.delete(connection);
      if (connection.usable) await endOf(connection, timeIsUp);
    },
    opened(connection) {
      established.add(connection);
    },
    replaced(connection) {
      established.delete(connection);
    },
    keep(connection, hop) {
      // Before those who wait here: a busy server would hold all of its connections, and another one none for a hundred messages.
      // One at a time: while its goodbye is awaited the others go on.
      if (ending === 0 && options.isWanted()) {
        connections.quit(connection);
        options.changed();
        return;
      }
      rest(connection, hop);
      options.changed();
      if (options.isWanted()) connections.dropIdle();
    },
    quit(connection) {
      connection.onEnd = undefined;
      // It says no more that it is over.
      if (!connection.usable) return connections.lost(connection);
      established.delete(connection);
      ending++;
      connection.onEnd = () => {
        ending--;
        ended();
      };
      connection.quit();
    },
    lost(connection) {
      established.delete(connection);
      ended();
    },
    dropIdle() {
      const longest = idle.shift();
      if (longest) connections.quit(longest.connection);
      return longest !== undefined;
    },
    leave() {
      for (const connection of established) connection.close();
    },
  };
  return connections;

  function rest(connection: OutConnection, hop: Hop): void {
    const entry: Idle = { connection, since: options.now(), hop };
    idle.push(entry);
    connection.onEnd = () => {
      idle.splice(idle.indexOf(entry), 1);
      connections.lost(connection);
    };
  }

  /** The one used last, of those that may be used for this hop. */
  function lastIdleFor(hop: Hop): OutConnection | undefined {
    for (let at = idle.length - 1; at >= 0; at--) {
      const entry = idle[at];
      if (!entry || !mayShare(entry.hop, hop)) continue;
      idle.splice(at, 1);
      entry.connection.onEnd = undefined;
      return entry.connection;
    }
    return undefined;
  }

  /** One connection less. */
  function ended(): void {
    count--;
    options.giveBack();
    options.changed();
  }
}

export function isRoom(place: Place): place is Room {
  return "insteadOf" in place;
}

function endOf(connection: OutConnection, timeIsUp: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const leave = whenAborted(timeIsUp, () => connection.close());
    connection.onEnd = () => {
      leave();
      resolve();
    };
    connection.quit();
  });
}

/** To the same server: what was verified must be the same, and whoever logged in. */
function mayShare(one: Hop, other: Hop): boolean {
  if (one === other || "path" in one || "path" in other) return true;
  return (
    one.name === other.name &&
    one.tls === other.tls &&
    one.implicitTls === other.implicitTls &&
    one.credentials?.user === other.credentials?.user &&
    one.credentials?.password === other.credentials?.password
  );
}
