// Everything that takes mail on: the mail store, next hops, the queue, put together. Called by forwarder.ts.
import { setMaxListeners } from "node:events";
import type { Envelope, Reply } from "@homing/mail";
import { NOT_SIGNED } from "./authenticate.ts";
import type { Failures } from "./bounces/failures.ts";
import { bugText } from "./bug-text.ts";
import type { Copy } from "./copies.ts";
import { type Delivery, deliver } from "./deliver.ts";
import type { ForwarderSettings, World } from "./forwarder-settings.ts";
import { type AttemptCopy, type CopyAttempt, outcomeOf } from "./hand-over/attempt-copy.ts";
import { handOver } from "./hand-over/choose-way.ts";
import { NOT_KEPT, WAITS } from "./hand-over/hand-over.ts";
import type { Incoming, Lead } from "./hand-over/incoming.ts";
import { createLateSuccesses, memoryRecords } from "./hand-over/late-successes.ts";
import { keepFirst } from "./hand-over/verified.ts";
import { deliverLocally } from "./local-delivery.ts";
import { createMayConnect } from "./networks.ts";
import { createNextHops, withBoundedTries } from "./next-hops.ts";
import { createFetchPolicy } from "./outbound/fetch-policy.ts";
import type { Outbound } from "./outbound/outbound.ts";
import { withStsPolicies } from "./outbound/sts-hops.ts";
import { createStsPolicies } from "./outbound/sts-policies.ts";
import { createOutboundThread, type OutboundThreadOptions } from "./outbound/thread/outbound-thread.ts";
import type { LeadsTo } from "./queue/dsn-message.ts";
import { QUEUE_TIMES } from "./queue/next-step.ts";
import { createQueue, type Queue } from "./queue/queue.ts";
import { createSettledNotes } from "./queue/settled-notes.ts";
import type { NoteChanges } from "./spool/notes.ts";
import { reportDelivery } from "./transaction-report.ts";

export interface MailOut {
  handOver(mail: Incoming, mayOwe: boolean): Promise<Reply>;
  /** On the disk before the answer, whatever may take long. @param notes changed in the same transaction */
  keep(mail: Incoming, notes?: NoteChanges): Promise<Reply>;
  /** Without one, all mail is delivered while its client waits. */
  readonly queue: Queue | undefined;
  /** Has the queue look at what is due, if there is one. */
  wakeQueue(): void;
  /** A message was taken out of the spool. */
  dropped(id: string): void;
  /** No further attempts from the queue; messages that come in are kept all the same. */
  stop(): void;
  /** After the last client: what is left of attempts is given a moment. */
  close(): Promise<void>;
}

/**
 * For one attempt that no client waits for, before its final dot: several servers in turn, each silence of each. Whoever is
 * slower is slower than any client of ours would be.
 */
const MAX_ATTEMPT_SECONDS = 30 * 60;
/** Clients have gone, and the queue has ended: whoever is left was told to come again. */
const LEAVE_MS = 1000;
/** Late successes that are remembered without a disk. */
const MAX_RECORDS = 10_000;

export async function startMailOut(
  settings: ForwarderSettings,
  world: World,
  failures: Pick<Failures, "kept" | "settingsOf">,
  leadsTo: LeadsTo,
): Promise<MailOut> {
  const { hostname, state } = settings;
  const failed = (error: unknown): void => {
    world.report({ event: "error", session: "", message: bugText(error) });
  };
  const outbound = await startOutbound(settings.outboundThread === true, {
    failed,
    hostname,
    clock: world.clock,
    random: world.random,
    // Mail to other destinations has the other half.
    limits: { maxWaitingClients: Math.ceil(settings.maxClients / 2), ...settings.outbound },
  });
  const attempt = createAttempt(settings, world, outbound);
  const times = { ...QUEUE_TIMES, ...settings.queueTimes };
  const delivered = (id: string, { mailbox }: Pick<Copy, "mailbox">, delivery: Delivery): void =>
    reportDelivery(world.report, id, mailbox, delivery);

  const stopping = new AbortController();
  const attemptLimit = createAttemptLimit(world.timeLimit, stopping.signal);
  const queue: Queue | undefined =
    state &&
    failures.kept &&
    createQueue({
      ...world,
      hostname,
      spool: state.spool,
      times,
      leadsTo,
      ownFailures: failures.kept.own,
      withSettledNotes: createSettledNotes({
        sentMail: settings.sentMail,
        notes: state.failures.notes,
        report: world.report,
      }),
      sent: settings.sentMail,
      diagnostic: (alias) => failures.settingsOf(alias).diagnostic,
      sign: settings.sign ?? NOT_SIGNED,
      failed,
      maxAttempts: settings.maxAttempts ?? 200,
      maxAttemptsPerDomain: settings.maxAttemptsPerDomain ?? 50,
      async serve(message, recipient, content) {
        let dotSent = false;
        const attempted = await attempt({
          copy: recipient,
          promise: message,
          content,
          patience: { kind: "queue" },
          onFinalDot: () => {
            dotSent = true;
          },
          timeIsUp: attemptLimit(),
        });
        if (attempted.kind !== "busy") delivered(message.id, recipient, attempted);
        return outcomeOf(attempted, stopping.signal.aborted && !dotSent);
      },
    });
  queue?.start();
  let queueStopped: Promise<void> = Promise.resolve();
  const options = {
    attempt,
    queue,
    late: createLateSuccesses(state?.late ?? memoryRecords(MAX_RECORDS), failed),
    spoolFirst: settings.spoolFirst === true,
    stopping: stopping.signal,
    attemptLimit,
    waits: { ...WAITS, ...settings.waits },
    life: times.mail,
    now: world.now,
    timeLimit: world.timeLimit,
    delivered,
    refused: (mail: Incoming, lead: Lead, copy: Copy, delivery: Delivery) =>
      failures.kept?.refused(mail, lead, copy, delivery),
  };
  return {
    handOver: (mail, mayOwe) => handOver(options, mail, mayOwe),
    keep: async (mail, notes) => (queue ? await keepFirst(options, queue, mail, notes) : NOT_KEPT),
    queue,
    wakeQueue: () => queue?.wake(),
    dropped: (id) => queue?.dropped(id),
    stop() {
      stopping.abort();
      queueStopped = queue?.close() ?? queueStopped;
    },
    async close() {
      await queueStopped;
      const leave = new AbortController();
      const cancel = world.clock.after(LEAVE_MS, () => leave.abort());
      await outbound.close(leave.signal);
      cancel();
    },
  };
}

/** With a thread of its own, this one does without the library. */
async function startOutbound(inThread: boolean, options: OutboundThreadOptions): Promise<Outbound> {
  if (inThread) return createOutboundThread(options);
  const { createOutbound } = await import("./outbound/outbound.ts");
  return createOutbound(options);
}

function createAttempt(settings: ForwarderSettings, world: World, outbound: Outbound): AttemptCopy {
  const { hostname, store } = settings;
  const mayConnect = createMayConnect(settings.privateNetworks);
  const findByMx = createNextHops({
    hostname,
    routes: settings.routes,
    smartHost: settings.smartHost,
    resolver: world.resolver,
    random: world.random,
    mayConnect,
  });
  const { resolver, now, txt } = world;
  const findNextHops = withBoundedTries(
    txt && settings.mtaSts !== false
      ? withStsPolicies(
          findByMx,
          createStsPolicies({ txt, fetchPolicy: createFetchPolicy({ resolver, mayConnect }), now }),
        )
      : findByMx,
  );
  return ({ copy, content, ...attempt }) => {
    const envelope = envelopeOf(copy, attempt.promise);
    return store && copy.stays
      ? deliverLocally(store, { hostname, outbound, ...world, ...attempt }, envelope, content)
      : deliver({ findNextHops, outbound, ...attempt }, envelope, content);
  };
}

/** Time limits of the same moment are one signal: so is what is made of it, for thousands of messages a second. */
function createAttemptLimit(timeLimit: World["timeLimit"], stopping: AbortSignal): () => AbortSignal {
  const made = new WeakMap<AbortSignal, AbortSignal>();
  return () => {
    const limit = timeLimit(MAX_ATTEMPT_SECONDS);
    const known = made.get(limit);
    if (known) return known;
    const both = AbortSignal.any([limit, stopping]);
    setMaxListeners(0, both);
    made.set(limit, both);
    return both;
  };
}

function envelopeOf(
  { mailbox, reversePath }: CopyAttempt["copy"],
  { eightBit, smtpUtf8 }: CopyAttempt["promise"],
): Envelope {
  return { reversePath, recipient: mailbox, eightBit, smtpUtf8 };
}
