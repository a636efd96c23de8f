// One server: how many connections it may have now, who is next, and what its answers say about it, whatever names it has.
// Called by outbound.ts, which makes one for each server and counts the connections to all of them.
import type { Reply } from "@homing/mail";
import type { Opened } from "../smtp-out.ts";
import type { Attempt } from "./attempt.ts";
import type { Cancel, Clock } from "./clock.ts";
import { createConnections, type Hop, isRoom, type Place, ROOM, type Room } from "./connections.ts";
import type { FailedAttempt } from "./failed-attempt.ts";
import type { OutConnection } from "./out-connection.ts";
import type { Busy, OutboundSubmission } from "./outbound.ts";
import type { OutboundLimits } from "./outbound-limits.ts";
import { createThrottle } from "./throttle.ts";
import { createWaitingLine, type InVain, type Kind } from "./waiting-line.ts";

export interface DestinationOptions {
  readonly limits: OutboundLimits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly open: (submission: OutboundSubmission, timeIsUp: AbortSignal) => Promise<Opened>;
  readonly total: Total;
}

/** The count of all connections to all destinations. */
export interface Total {
  /** False where there are enough; the destination is told as soon as there is room. */
  take(destination: Destination): boolean;
  giveBack(): void;
  /** Does a destination beside this one wait for room? */
  isWantedBeside(destination: Destination): boolean;
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

/** A pool that is busy is not the client's problem. A job has time, but holds one of the queue's attempts. */
const PATIENCE_MS: Readonly<Record<Kind, number>> = { "waiting-client": 1_000, queue: 30_000 };
/** A push-back is remembered so long after its pause, so that the next one makes a longer pause. */
const REMEMBER_MS = 60_000;
/**
 * A next hop that restarts is waited for. Jobs that wait for longer would hold the attempts that the queue has for others: a few
 * dead servers would have them all.
 */
const LONG_PAUSE_MS = 10_000;

export function createDestination(options: DestinationOptions): Destination {
  const { limits, clock, total } = options;
  const throttle = createThrottle(limits.maxConnections, options.random);
  const line = createWaitingLine<Place>(clock);
  const connections = createConnections({
    now: clock.now,
    takeOfTotal: () => total.take(destination),
    giveBack: total.giveBack,
    isWanted: () => total.isWantedBeside(destination),
    changed: () => destination.pump(),
  });
  let jobs = 0;
  let closed = false;
  /** Where there is a rate. */
  let nextStart = Number.NEGATIVE_INFINITY;
  /**
   * The last attempt to open a connection had no answer, and none is established. Until the pause is over nobody tries, and no
   * client waits for it with his session open.
   */
  let isUnreachable = false;
  /** What began the pause, in the words of the log. */
  let pauseCause = "";
  /** The longest pause since it was reached. */
  let longestPauseMs = 0;
  const leaving = new AbortController();
  let alarm: { readonly at: number; readonly cancel: Cancel } | undefined;

  const destination: Destination = {
    async submit(submission) {
      const { patience, timeIsUp } = submission;
      const place = placeNow(submission) ?? (await wait(submission));
      if (typeof place === "string") return inVain(place, patience.kind);
      if (timeIsUp?.aborted) {
        giveUp(place, submission);
        return TIME_IS_UP;
      }
      return sendOver(place, submission);
    },
    pump() {
      while (line.next().some(serveOne));
      setAlarm();
    },
    dropIdle: connections.dropIdle,
    get forgettable() {
      return (
        connections.count === 0 && line.length === 0 && clock.now() >= throttle.pausedUntil + REMEMBER_MS
      );
    },
    close() {
      closed = true;
      line.close();
      while (connections.dropIdle());
      alarm?.cancel();
    },
    leave() {
      leaving.abort();
      connections.leave();
    },
  };
  return destination;

  /** False where there is no place for this kind. */
  function serveOne(kind: Kind): boolean {
    const hop = line.hopOfNext(kind);
    const place = hop && take(kind, hop);
    if (place) line.serve(kind, place);
    return place !== undefined;
  }

  function inVain(why: InVain, kind: Kind): Attempt | Busy {
    if (why === "time-is-up") return TIME_IS_UP;
    // To the queue that is an attempt: the next one comes later and later, and its sender hears of the delay.
    if (kind === "queue" && PAUSES.has(why)) return notTried(`${CAUSES[why]}: ${pauseCause}`, why);
    return { kind: "busy", cause: CAUSES[why], ...(why === "too-long" ? { hasWaited: true } : {}) };
  }

  function placeNow({ patience: { kind }, hop }: OutboundSubmission): Place | InVain | undefined {
    if (closed) return "closed";
    return inVainNow(kind) ?? (line.before(kind) ? undefined : take(kind, hop));
  }

  /** Why nobody of this kind waits here now. */
  function inVainNow(kind: Kind): InVain | undefined {
    const leftMs = pauseLeft();
    if (kind === "waiting-client") return isUnreachable && leftMs > 0 ? "no-server" : undefined;
    if (leftMs > LONG_PAUSE_MS) return isUnreachable ? "no-server" : "pause";
    // Somebody may be waiting for its greeting for a minute.
    const isTriedAgain = longestPauseMs > LONG_PAUSE_MS && leftMs <= 0 && connections.count > 0;
    return isTriedAgain ? "no-server-yet" : undefined;
  }

  function pauseLeft(): number {
    return throttle.pausedUntil - clock.now();
  }

  function wait({ patience, hop, timeIsUp }: OutboundSubmission): Promise<Place | InVain> | InVain {
    const withinMs = patience.freeWithinMs ?? PATIENCE_MS[patience.kind];
    if (withinMs === 0) return "full";
    // Whoever waits holds a session of ours open: those of one destination must not be all that we have.
    if (patience.kind === "waiting-client" && line.clients >= limits.maxWaitingClients) return "full";
    if (timeIsUp?.aborted) return "time-is-up";
    const waiting = line.join({ kind: patience.kind, hop, withinMs, timeIsUp });
    setAlarm();
    return waiting;
  }

  function take(kind: Kind, hop: Hop): Place | undefined {
    const now = clock.now();
    if (now < nextStart || connections.atWork >= throttle.limit) return undefined;
    if (kind === "queue" && (jobs >= limits.queueConnections || now < throttle.pausedUntil)) return undefined;
    const place = connections.take(hop, throttle.limit);
    if (!place) return undefined;
    if (kind === "queue") jobs++;
    if (limits.messagesPerSecond) nextStart = Math.max(now, nextStart) + 1000 / limits.messagesPerSecond;
    return place;
  }

  async function sendOver(place: Place, submission: OutboundSubmission): Promise<Attempt> {
    if (isRoom(place)) return sendOverNew(place, submission);
    const attempt = await place.send(submission);
    if (!isStale(place, attempt, submission)) return settled(place, attempt, submission);
    // The server had left, and has heard nothing of the message: once more, on a connection that is sure to live.
    connections.replaced(place);
    return sendOverNew(ROOM, submission);
  }

  async function sendOverNew(room: Room, submission: OutboundSubmission): Promise<Attempt> {
    const timeIsUp = whileHere(submission.timeIsUp);
    if (room.insteadOf) await connections.endForRoom(room.insteadOf, timeIsUp);
    const opened = await options.open(submission, timeIsUp);
    if (opened.kind !== "open") {
      // Before anybody else is given the room.
      if (!timeIsUp.aborted) notOpened(opened);
      giveUp(ROOM, submission);
      return opened;
    }
    connections.opened(opened.connection);
    reached();
    const attempt = await opened.connection.send(submission);
    return settled(opened.connection, attempt, submission);
  }

  function whileHere(timeIsUp: AbortSignal | undefined): AbortSignal {
    return timeIsUp ? AbortSignal.any([timeIsUp, leaving.signal]) : leaving.signal;
  }

  function notOpened(failure: FailedAttempt): void {
    if (failure.kind === "no-answer" && !connections.isEstablished) {
      isUnreachable = true;
      line.dismiss("waiting-client", "no-server");
    }
    // A server that answers is there, whatever it says.
    if (failure.kind === "answered") reached();
    if (!isDemandOfOurs(failure)) pushedBack(failure);
  }

  function reached(): void {
    isUnreachable = false;
    longestPauseMs = 0;
  }

  function pushedBack(failure: FailedAttempt): void {
    throttle.pushedBack(clock.now());
    pauseCause = failure.kind === "answered" ? wordsOf(failure.reply) : failure.cause;
    if (isUnreachable) longestPauseMs = Math.max(longestPauseMs, pauseLeft());
    if (pauseLeft() > LONG_PAUSE_MS) line.dismiss("queue", isUnreachable ? "no-server" : "pause");
  }

  /** The caller has the attempt at once; what is left to do with the connection is done meanwhile. */
  function settled(connection: OutConnection, attempt: Attempt, submission: OutboundSubmission): Attempt {
    if (attempt.kind === "accepted") throttle.succeeded();
    else if (isPushBack(attempt)) pushedBack(attempt);
    const { patience, hop } = submission;
    if (attempt.kind === "answered" && connection.usable)
      void connection.reset().then(() => release(connection, patience.kind, hop));
    else release(connection, patience.kind, hop);
    return attempt;
  }

  function giveUp(place: Place, { patience, hop }: OutboundSubmission): void {
    if (!isRoom(place)) {
      release(place, patience.kind, hop);
      return;
    }
    if (patience.kind === "queue") jobs--;
    connections.giveUp(place);
  }

  function release(connection: OutConnection, kind: Kind, hop: Hop): void {
    if (kind === "queue") jobs--;
    if (!connection.usable) connections.lost(connection);
    else if (closed || connection.messages >= limits.maxMessagesPerConnection) connections.quit(connection);
    else connections.keep(connection, hop);
  }

  /** One alarm for everything that time brings, so that a message costs no timer. */
  function setAlarm(): void {
    const at = nextChange();
    if (closed || at === Number.POSITIVE_INFINITY || (alarm && alarm.at <= at)) return;
    alarm?.cancel();
    alarm = { at, cancel: clock.after(Math.max(0, at - clock.now()), ring) };
  }

  function nextChange(): number {
    const since = connections.idleSince;
    const idleEnd = since === undefined ? Number.POSITIVE_INFINITY : since + limits.idleSeconds * 1000;
    if (line.length === 0) return idleEnd;
    const now = clock.now();
    const later = [nextStart, throttle.pausedUntil].filter((at) => at > now);
    return Math.min(idleEnd, ...later);
  }

  function ring(): void {
    alarm = undefined;
    const old = clock.now() - limits.idleSeconds * 1000;
    while ((connections.idleSince ?? Number.POSITIVE_INFINITY) <= old) connections.dropIdle();
    destination.pump();
  }
}

const TIME_IS_UP: Attempt = { kind: "no-answer", cause: "time is up", stage: "greeting" };
const CAUSES: Readonly<Record<Exclude<InVain, "time-is-up">, string>> = {
  closed: "the service is stopping",
  "too-long": "no connection was free",
  full: "no connection was free",
  "no-server": "the server could not be reached a moment ago",
  "no-server-yet": "the server could not be reached, and is being tried again",
  pause: "the server pushed back a moment ago",
};

/** A job does not wait for their ends. */
const PAUSES: ReadonlySet<InVain> = new Set<InVain>(["no-server", "no-server-yet", "pause"]);
/** The server did not say it of this message. RFC 3463: 4.3.2 system not accepting messages just now. */
const SLOW_DOWN = { code: 451, enhanced: "4.3.2" };

function notTried(why: string, pause: InVain): Attempt {
  const cause = `nothing was tried: ${why}`;
  if (pause !== "pause") return { kind: "no-answer", cause, stage: "greeting" };
  return {
    kind: "answered",
    reply: { ...SLOW_DOWN, text: cause },
    stage: "greeting",
    tls: "none",
    ours: true,
  };
}

function wordsOf({ code, enhanced, text }: Reply): string {
  return `${code} ${enhanced} ${text}`;
}

/** TLS that one name must have, AUTH that is not offered: others may do without. Credentials that are refused are a push-back. */
function isDemandOfOurs(failure: FailedAttempt): boolean {
  return failure.kind === "answered" && failure.ours === true && failure.login === undefined;
}

/** A connection that was idle before: the server may have ended it meanwhile (EOF, reset, or 421 to MAIL). */
function isStale(connection: OutConnection, attempt: Attempt, { timeIsUp }: OutboundSubmission): boolean {
  return attempt.kind !== "accepted" && !connection.tookUp && !connection.usable && !timeIsUp?.aborted;
}

/** The server asks for less: 421, or 4.7.x of whatever kind (RFC 3463 §3.8: security or policy). */
function isPushBack(attempt: FailedAttempt): boolean {
  return (
    attempt.kind === "answered" && (attempt.reply.code === 421 || attempt.reply.enhanced.startsWith("4.7."))
  );
}
