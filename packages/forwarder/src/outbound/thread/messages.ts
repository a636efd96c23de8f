// What the service and the thread of SMTP out say to each other: everything of one turn of an event loop in one message.
// Written and read by outbound-thread.ts and smtp-thread.ts.
import type { ContentPromise } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import type { Attempt, AttemptOptions } from "../attempt.ts";
import type { Busy, OutboundOptions, OutboundSubmission } from "../outbound.ts";

/** Chosen by the service. */
export type JobId = number;

/** Plain values alone: what else there is, each side has of its own. */
export interface ThreadOptions extends Pick<OutboundOptions, "hostname" | "ca" | "limits"> {
  /** Drawn by the service, used in turn: they spread the ends of pauses. */
  readonly randoms: readonly number[];
}

export interface ToThread {
  readonly jobs: readonly Job[];
  /** Their time is up. */
  readonly aborts: readonly JobId[];
  readonly pieces: readonly Piece[];
  /** Contents of those jobs that are small, one behind the other. */
  readonly memory: ArrayBuffer | undefined;
  /** As `Outbound.close`: done when the rest of the message is. */
  readonly end: "close" | "leave" | undefined;
  /** The thread answers at once, with whatever it has to say. */
  readonly isQuestion: boolean;
}

export interface Job {
  readonly id: JobId;
  readonly hop: OutboundSubmission["hop"];
  readonly protocol: OutboundSubmission["protocol"] | undefined;
  readonly patience: OutboundSubmission["patience"];
  /** Null: the null sender, whose symbol cannot be cloned. */
  readonly sender: Mailbox | null;
  readonly recipient: Mailbox;
  readonly eightBit: ContentPromise["eightBit"];
  readonly smtpUtf8: ContentPromise["smtpUtf8"];
  readonly alsoTo: AttemptOptions["alsoTo"] | undefined;
  readonly dsn: AttemptOptions["dsn"] | undefined;
  /** Somebody may abort it. */
  readonly isLimited: boolean;
  readonly content: JobContent;
}

export type JobContent =
  /** So many octets of `memory`. */
  | { readonly kind: "packed"; readonly octets: number }
  /** In memory of its own. */
  | { readonly kind: "whole"; readonly memory: ArrayBuffer }
  | InPieces;

/** When the thread wants them. */
export interface InPieces {
  readonly kind: "pieces";
  readonly octets: number;
  /** As far as it can be told without reading it. */
  readonly isAscii: boolean;
  /** All headers, those of parts too; told where SMTPUTF8 was promised, and else false. */
  readonly hasAsciiHeaders: boolean;
}

export interface Piece {
  readonly id: JobId;
  /** Undefined: there is no more of it. */
  readonly octets: Uint8Array | undefined;
  /** Why the rest cannot be had. */
  readonly cause: string | undefined;
}

export interface FromThread {
  /** Their final dots are out. Told with the next outcome, or at an abort: nobody asks before. */
  readonly dots: readonly JobId[];
  /** Behind their dots. */
  readonly outcomes: readonly Outcome[];
  /** One more piece for each. */
  readonly wants: readonly JobId[];
  /** All connections are closed. */
  readonly isOver: boolean;
}

export interface Outcome {
  readonly id: JobId;
  readonly outcome: Attempt | Busy | Bug;
}

/** `submit` rejected. */
export interface Bug {
  readonly kind: "bug";
  readonly cause: string;
}

export const PIECE_OCTETS = 64 * 1024;
/** Pieces of one content that are on their way, or wait for a slow server. */
export const PIECES_AHEAD = 4;
