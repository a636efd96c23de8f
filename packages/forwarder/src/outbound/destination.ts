// The connections to one destination, and who waits for them. Called by outbound.ts, which makes one for each
// destination and counts the connections to all of them.
import type { ConnectionOptions, Opened } from "../smtp-out.ts";
import type { Attempt } from "./attempt.ts";
import type { Cancel, Clock } from "./clock.ts";
import type { OutConnection } from "./out-connection.ts";
import type { Busy, OutboundSubmission } from "./outbound.ts";
import type { OutboundLimits } from "./outbound-limits.ts";
import { createThrottle } from "./throttle.ts";
import { createWaitingLine, type InVain, type Kind } from "./waiting-line.ts";

export interface DestinationOptions {
  readonly limits: OutboundLimits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly open: (options: Pick<ConnectionOptions, "timeIsUp">) => Promise<Opened>;
  readonly total: Total;
}

/** The count of all connections to all destinations. */
export interface Total {
  /** False where there are enough; the destination is told as soon as there is room. */
  take(destination: Destination): boolean;
  giveBack(): void;
  /** Does any destination wait for room? */
  readonly wanted: boolean;
}

export interface Destination {
  submit(submission: OutboundSubmission): Promise<Attempt | Busy>;
  /** There may be room now: whose turn is it? */
  pump(): void;
  /** Says QUIT to the connection that has been idle longest; false where none is. */
  dropIdle(): boolean;
  /** Nothing to remember: no connection, nobody who waits, no push-back of late. */
  readonly forgettable: boolean;
  close(): void;
  /** Ends the busy connections, too: what their servers have, nobody will know. */
  leave(): void;
}

/** A connection to use, or room to open one. */
type Place = OutConnection | "room";

interface Idle {
  readonly connection: OutConnection;
  readonly since: number;
}

/** A pool that is busy is not the client's problem. A job has time, but holds one of the queue's attempts. */
const PATIENCE_MS: Readonly<Record<Kind, number>> = { "waiting-client": 1_000, queue: 30_000 };
/** A push-back is remembered so long after its pause, so that the next one makes a longer pause. */
const REMEMBER_MS = 60_000;

export function createDestination(options: DestinationOptions): Destination {
  const { limits, clock, total } = options;
  const throttle = createThrottle(limits.maxConnections, options.random);
  const line = createWaitingLine<Place>(clock);
  /** The longest idle first. */
  const idle: Idle[] = [];
  /** Open, opening and closing. */
  let connections = 0;
  const busyConnections = new Set<OutConnection>();
  let jobs = 0;
  let closed = false;
  /** Where there is a rate. */
  let nextStart = Number.NEGATIVE_INFINITY;
  /** No connection could be had, and none is left: whoever holds a client's session open does not wait for it. */
  let deadUntil = Number.NEGATIVE_INFINITY;
  const left = new AbortController();
  let alarm: { readonly at: number; readonly cancel: Cancel } | undefined;

  const destination: Destination = {
    async submit(submission) {
      const { patience, timeIsUp } = submission;
      const place = placeNow(patience.kind) ?? (await wait(submission));
      if (place === "too-long" || place === "no-server" || place === "closed") return busy(place);
      if (place === "time-is-up" || timeIsUp?.aborted) {
        if (place !== "time-is-up") giveUp(place, patience.kind);
        return { kind: "no-answer", cause: "time is up", stage: "greeting" };
      }
      return sendOver(place, submission);
    },
    pump() {
      while (line.next().some(serveOne));
      setAlarm();
    },
    dropIdle() {
      const longest = idle.shift();
      if (!longest) return false;
      longest.connection.onEnd = ended;
      longest.connection.quit();
      return true;
    },
    get forgettable() {
      return connections === 0 && line.length === 0 && clock.now() >= throttle.pausedUntil + REMEMBER_MS;
    },
    close() {
      closed = true;
      line.close();
      while (destination.dropIdle());
      alarm?.cancel();
    },
    leave() {
      left.abort();
      for (const connection of busyConnections) connection.close();
    },
  };
  return destination;

  /** False where there is no place for this kind. */
  function serveOne(kind: Kind): boolean {
    const place = take(kind);
    if (place) line.serve(kind, place);
    return place !== undefined;
  }

  function busy(why: Exclude<InVain, "time-is-up">): Busy {
    return { kind: "busy", cause: IN_VAIN[why] };
  }

  function placeNow(kind: Kind): Place | InVain | undefined {
    if (closed) return "closed";
    if (kind === "waiting-client" && connections === 0 && clock.now() < deadUntil) return "no-server";
    return line.before(kind) ? undefined : take(kind);
  }

  function wait({ patience, timeIsUp }: OutboundSubmission): Promise<Place | InVain> | InVain {
    const withinMs = patience.freeWithinMs ?? PATIENCE_MS[patience.kind];
    if (withinMs === 0) return "too-long";
    // Whoever waits holds a session of ours open: those of one destination must not be all that we have.
    if (patience.kind === "waiting-client" && line.clients >= limits.maxWaitingClients) return "too-long";
    if (timeIsUp?.aborted) return "time-is-up";
    const waiting = line.join({ kind: patience.kind, withinMs, timeIsUp });
    setAlarm();
    return waiting;
  }

  function take(kind: Kind): Place | undefined {
    const now = clock.now();
    if (now < nextStart || connections - idle.length >= throttle.limit) return undefined;
    if (kind === "queue" && (jobs >= limits.queueConnections || now < throttle.pausedUntil)) return undefined;
    const place = idle.pop()?.connection ?? (total.take(destination) ? "room" : undefined);
    if (!place) return undefined;
    if (place === "room") connections++;
    else place.onEnd = undefined;
    if (kind === "queue") jobs++;
    if (limits.messagesPerSecond) nextStart = Math.max(now, nextStart) + 1000 / limits.messagesPerSecond;
    return place;
  }

  async function sendOver(place: Place, submission: OutboundSubmission): Promise<Attempt> {
    if (place !== "room") {
      const attempt = await send(place, submission);
      if (!isStale(place, attempt, submission)) return settled(place, attempt, submission);
      // The server had left, and has heard nothing of the message: once more, on a connection that is sure to live.
    }
    const opened = await options.open({ timeIsUp: whileHere(submission.timeIsUp) });
    if (opened.kind !== "open") {
      if (!submission.timeIsUp?.aborted) throttle.pushedBack(clock.now());
      giveUp("room", submission.patience.kind);
      // A server that answers is there, whatever it says.
      if (opened.kind === "no-answer" && !submission.timeIsUp?.aborted && connections === 0) {
        deadUntil = throttle.pausedUntil;
        line.dismissClients();
      }
      return opened;
    }
    deadUntil = Number.NEGATIVE_INFINITY;
    const attempt = await send(opened.connection, submission);
    return settled(opened.connection, attempt, submission);
  }

  function whileHere(timeIsUp: AbortSignal | undefined): AbortSignal {
    return timeIsUp ? AbortSignal.any([timeIsUp, left.signal]) : left.signal;
  }

  async function send(connection: OutConnection, submission: OutboundSubmission): Promise<Attempt> {
    busyConnections.add(connection);
    const attempt = await connection.send(submission);
    busyConnections.delete(connection);
    return attempt;
  }

  /** The caller has the attempt at once; what is left to do with the connection is done meanwhile. */
  function settled(connection: OutConnection, attempt: Attempt, { patience }: OutboundSubmission): Attempt {
    if (attempt.kind === "accepted") throttle.succeeded();
    else if (isPushBack(attempt)) throttle.pushedBack(clock.now());
    if (attempt.kind === "answered" && connection.usable)
      void connection.reset().then(() => release(connection, patience.kind));
    else release(connection, patience.kind);
    return attempt;
  }

  function giveUp(place: Place, kind: Kind): void {
    if (place === "room") {
      if (kind === "queue") jobs--;
      ended();
    } else release(place, kind);
  }

  function release(connection: OutConnection, kind: Kind): void {
    if (kind === "queue") jobs--;
    if (!connection.usable) ended();
    else if (closed || connection.messages >= limits.maxMessagesPerConnection) {
      connection.onEnd = ended;
      connection.quit();
    } else keep(connection);
  }

  function keep(connection: OutConnection): void {
    const entry: Idle = { connection, since: clock.now() };
    idle.push(entry);
    connection.onEnd = () => {
      idle.splice(idle.indexOf(entry), 1);
      ended();
    };
    destination.pump();
    if (total.wanted) destination.dropIdle();
  }

  /** One connection less. */
  function ended(): void {
    connections--;
    total.giveBack();
    destination.pump();
  }

  /** One alarm for everything that time brings, so that a message costs no timer. */
  function setAlarm(): void {
    const at = nextChange();
    if (closed || at === Number.POSITIVE_INFINITY || (alarm && alarm.at <= at)) return;
    alarm?.cancel();
    alarm = { at, cancel: clock.after(Math.max(0, at - clock.now()), ring) };
  }

  function nextChange(): number {
    const [longest] = idle;
    const idleEnd = longest ? longest.since + limits.idleSeconds * 1000 : Number.POSITIVE_INFINITY;
    if (line.length === 0) return idleEnd;
    const now = clock.now();
    const later = [nextStart, throttle.pausedUntil].filter((at) => at > now);
    return Math.min(idleEnd, ...later);
  }

  function ring(): void {
    alarm = undefined;
    const old = clock.now() - limits.idleSeconds * 1000;
    while (idle[0] && idle[0].since <= old) destination.dropIdle();
    destination.pump();
  }
}

const IN_VAIN: Readonly<Record<Exclude<InVain, "time-is-up">, string>> = {
  closed: "the service is stopping",
  "too-long": "no connection was free",
  "no-server": "the server could not be reached a moment ago",
};

/** A connection that was idle before: the server may have ended it meanwhile (EOF, reset, or 421 to MAIL). */
function isStale(connection: OutConnection, attempt: Attempt, { timeIsUp }: OutboundSubmission): boolean {
  return attempt.kind !== "accepted" && !connection.tookUp && !connection.usable && !timeIsUp?.aborted;
}

/** The server asks for less: 421, or 4.7.x of whatever kind (RFC 3463 §3.8: security or policy). */
function isPushBack(attempt: Attempt): boolean {
  return (
    attempt.kind === "answered" && (attempt.reply.code === 421 || attempt.reply.enhanced.startsWith("4.7."))
  );
}
