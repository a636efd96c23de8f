// Everything about what comes back, put together: the desk for bounces, the notices about what was folded. Called by
// forwarder.ts.
import { BOUNCE_LIMITS } from "@homing/bounce-handler";
import { receivedField } from "@homing/mail";
import { asciiLower } from "@homing/srs-core";
import { NOT_SIGNED } from "../authenticate.ts";
import { bugText } from "../bug-text.ts";
import type { ForwarderSettings, World } from "../forwarder-settings.ts";
import type { HeaderMarks } from "../header-mark.ts";
import type { LoopTokens } from "../loop-token.ts";
import type { MailOut } from "../mail-out.ts";
import { within } from "../outbound/within.ts";
import type { LeadsTo } from "../queue/dsn-message.ts";
import { QUEUE_TIMES } from "../queue/next-step.ts";
import type { SrsDomains } from "../srs-domains.ts";
import { type BounceDesk, createBounceDesk } from "./bounce-desk.ts";
import { readHere, startBounceReading } from "./bounce-reading.ts";
import { deliverReturn } from "./deliver-return.ts";
import type { Failures } from "./failures.ts";
import type { TraceOf } from "./give-back.ts";
import type { Links } from "./links.ts";
import { createNotices } from "./notices.ts";
import { createQueuedPost, createWaitingPost } from "./return-post.ts";
import { createSentBounces } from "./sent-bounces.ts";

/** Where mail goes, as the desk asks it. */
export interface Ways {
  readonly headerMarks: HeaderMarks;
  readonly links: Links | undefined;
  readonly loopTokens: LoopTokens;
  readonly leadsTo: LeadsTo;
  readonly srsDomains: SrsDomains;
}

export interface Bounces extends BounceDesk {
  /** Resolves when what is being told is stored. */
  close(): Promise<void>;
}

/** At the end, for links that a hanging disk does not take. */
const SETTLE_SECONDS = 2;
/** Answers without a disk. */
const ANSWERS_AT_ONCE = 3;

export function createBounces(
  settings: ForwarderSettings,
  world: World,
  mailOut: MailOut,
  failures: Failures,
  ways: Ways,
): Bounces {
  const { hostname, state } = settings;
  const { now, newId, report, clock } = world;
  const { leadsTo, headerMarks, links } = ways;
  const traceOf = tracesBy(hostname, ways.loopTokens);
  const life = settings.queueTimes?.dsn ?? QUEUE_TIMES.dsn;
  const sign = settings.sign ?? NOT_SIGNED;
  const passOn = (mail: Parameters<MailOut["handOver"]>[0]) => mailOut.handOver(mail, false);
  const kept = mailOut.queue && state ? { queue: mailOut.queue, ...state } : undefined;
  const waiting = (atOnce: number) =>
    createWaitingPost((bounce, message) => passOn(deliverReturn(bounce, message)), atOnce);
  const { aliasOf, targetsOf } = failures;
  const tellError = (message: string): void => report({ event: "error", session: "", message });
  const reading = settings.bounceThread ? startBounceReading({ lost: tellError }) : readHere;
  const desk = createBounceDesk({
    ...{
      read: reading.read,
      hostname,
      aliasOf,
      targetsOf,
      headerMarks,
      links,
      leadsTo,
      passOn,
      sign,
      traceOf,
      life,
      now,
      newId,
      report,
    },
    post: kept
      ? createQueuedPost(kept.queue, kept.failures.bounces, kept.failures.notes)
      : waiting(BOUNCE_LIMITS.atOnce),
    answers: kept
      ? createQueuedPost(kept.queue, kept.failures.answers, kept.failures.notes)
      : waiting(ANSWERS_AT_ONCE),
    sent: settings.sentMail && createSentBounces(settings.sentMail, ways.srsDomains),
    partial: failures.kept?.partial,
  });
  const notices =
    kept &&
    createNotices({
      ...{
        hostname,
        failures: kept.failures,
        spool: kept.spool,
        life,
        leadsTo,
        sign,
        traceOf,
        now,
        newId,
        clock,
        report,
      },
      queued: () => kept.queue.wake(),
      failed: (error) => tellError(bugText(error)),
    });
  notices?.start();
  return {
    ...desk,
    async close() {
      await within(clock, SETTLE_SECONDS, links?.settled());
      await notices?.close();
      await reading.close();
    },
  };
}

function tracesBy(hostname: string, loopTokens: LoopTokens): TraceOf {
  return ({ id, srs, to, now }) =>
    receivedField({
      from: undefined,
      protocol: undefined,
      by: hostname,
      id,
      // As `readTrace` reads the Message-ID that it is composed with.
      loopToken: loopTokens.mint(srs, asciiLower(`<${id}@${hostname}>`)),
      headerMark: "",
      recipient: to,
      now,
    });
}
