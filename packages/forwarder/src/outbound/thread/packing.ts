// What the service hands to the thread of SMTP out, and in which memory. Called by outbound-thread.ts.
import { isAscii } from "node:buffer";
import { partsOf } from "@homing/mail";
import { NULL_PATH } from "@homing/srs-core";
import { inOneMemory, octetsOf } from "../../one-memory.ts";
import { hasAsciiHeaders } from "../library-envelope.ts";
import type { OutboundSubmission } from "../outbound.ts";
import type { Job, JobContent, JobId, ToThread } from "./messages.ts";

/** Up to here a copy costs less than memory of its own. */
export const SMALL_OCTETS = 16 * 1024;

export interface Submitted {
  readonly id: JobId;
  readonly submission: OutboundSubmission;
  /** Undefined where it goes in pieces. */
  readonly parts: readonly Buffer[] | undefined;
}

export function jobOf({ id, submission, parts }: Submitted): Job {
  const { hop, protocol, patience, envelope, alsoTo, dsn, timeIsUp } = submission;
  const { reversePath, recipient, eightBit, smtpUtf8 } = envelope;
  return {
    ...{ id, hop, protocol, patience },
    sender: reversePath === NULL_PATH ? null : reversePath,
    ...{ recipient, eightBit, smtpUtf8, alsoTo, dsn },
    isLimited: timeIsUp !== undefined,
    content: contentOf(submission, parts),
  };
}

function contentOf(
  { message, envelope }: OutboundSubmission,
  parts: readonly Buffer[] | undefined,
): JobContent {
  // As counted, not as told: the next message begins where this one ends.
  const octets = octetsOf(parts);
  if (parts && octets <= SMALL_OCTETS) return { kind: "packed", octets };
  if (parts) return { kind: "whole", memory: inOneMemory(parts) };
  const known = partsOf(message) ?? [message.start];
  return {
    ...{ kind: "pieces", octets: message.octets, isAscii: known.every((part) => isAscii(part)) },
    // Nobody asks without such a promise, and the answer may cost a copy.
    hasAsciiHeaders: envelope.smtpUtf8 && hasAsciiHeaders(message),
  };
}

/** All small contents in one piece of memory that is handed over: each for itself costs more. */
export function packed(entries: readonly Submitted[]): ArrayBuffer | undefined {
  const small = entries.flatMap(({ parts }) => (parts && octetsOf(parts) <= SMALL_OCTETS ? parts : []));
  return octetsOf(small) === 0 ? undefined : inOneMemory(small);
}

/** What changes hands with it. */
export function memoryOf({ jobs, memory, pieces }: ToThread): ArrayBuffer[] {
  return [
    ...(memory ? [memory] : []),
    ...jobs.flatMap(({ content }) => (content.kind === "whole" ? [content.memory] : [])),
    ...pieces.flatMap(({ octets }) => (octets ? [octets.buffer as ArrayBuffer] : [])),
  ];
}
