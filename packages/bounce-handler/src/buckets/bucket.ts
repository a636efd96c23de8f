// How many failures of one sender's mail to one alias are told one by one; what comes beyond is folded into one notice an
// hour. A bucket is a small value that its caller keeps on the disk; nothing here has a clock. Called by the forwarder's
// spool/buckets.ts.
import type { UnixSeconds } from "@homing/srs-core";

export interface BucketLimits {
  /** Told one by one. */
  readonly atOnce: number;
  /** After so long so many are told one by one again; undefined: never. */
  readonly refillSeconds?: number;
  /** Nobody waits longer to be told, and no two notices are closer together. */
  readonly noticeSeconds: number;
  /** Message-IDs in a notice; all others are counted. */
  readonly maxListed: number;
}

const HOUR = 3600;
/** A notice stays below 256 KiB, which the spool keeps in one piece. */
const MAX_LISTED = 1000;

/** Of one SRS address. It is a bearer token that every recipient sees, and lives three weeks: its 5 are never given again. */
export const BOUNCE_LIMITS: BucketLimits = { atOnce: 5, noticeSeconds: HOUR, maxListed: MAX_LISTED };
/** Of mail that we could not deliver ourselves, for one sender and alias. */
export const OWN_FAILURE_LIMITS: BucketLimits = {
  atOnce: 20,
  refillSeconds: HOUR,
  noticeSeconds: HOUR,
  maxListed: MAX_LISTED,
};

export interface Bucket {
  /** When the first of `told` was. */
  readonly since: UnixSeconds;
  readonly told: number;
  /** What the next notice is about. */
  readonly folded?: Folded;
}

export interface Folded {
  readonly due: UnixSeconds;
  /** All of them, listed or not. */
  readonly count: number;
  /** Message-IDs: whole pages, which the caller keeps elsewhere, and those that fill none yet. */
  readonly pages: number;
  readonly tail: readonly string[];
}

/** The 21st makes a page of the 20 before: a value that is written for each failure must stay small. */
export const PAGE_LENGTH = 20;

export interface Page {
  readonly place: number;
  readonly messageIds: readonly string[];
}

export type Spent =
  | { readonly kind: "tell"; readonly bucket: Bucket }
  | {
      readonly kind: "fold";
      readonly bucket: Bucket & { readonly folded: Folded };
      /** To be kept beside the bucket. */
      readonly page?: Page;
    };

/** @param messageId "" where there is none: it is counted */
export function spend(
  before: Bucket | undefined,
  messageId: string,
  now: UnixSeconds,
  limits: BucketLimits,
): Spent {
  const bucket = refilled(before, now, limits);
  if (bucket.told < limits.atOnce) return { kind: "tell", bucket: { ...bucket, told: bucket.told + 1 } };
  const { due, count, pages, tail } = bucket.folded ?? emptyFold(now + limits.noticeSeconds);
  const isListed = isListable(messageId) && pages * PAGE_LENGTH + tail.length < limits.maxListed;
  if (!isListed)
    return { kind: "fold", bucket: { ...bucket, folded: { due, count: count + 1, pages, tail } } };
  if (tail.length < PAGE_LENGTH) {
    const folded = { due, count: count + 1, pages, tail: [...tail, messageId] };
    return { kind: "fold", bucket: { ...bucket, folded } };
  }
  const folded = { due, count: count + 1, pages: pages + 1, tail: [messageId] };
  return { kind: "fold", bucket: { ...bucket, folded }, page: { place: pages, messageIds: tail } };
}

function emptyFold(due: UnixSeconds): Folded {
  return { due, count: 0, pages: 0, tail: [] };
}

/** Where the clock was set back the time begins again: nobody waits for what was its future. */
function refilled(
  bucket: Bucket | undefined,
  now: UnixSeconds,
  { refillSeconds = Number.POSITIVE_INFINITY }: BucketLimits,
): Bucket {
  if (!bucket) return { since: now, told: 0 };
  if (now < bucket.since) return { ...bucket, since: now };
  return now - bucket.since < refillSeconds ? bucket : { ...bucket, since: now, told: 0 };
}

/** It came in somebody's header: what a DSN cannot show, or would be long, is counted alone. */
function isListable(messageId: string): boolean {
  if (messageId === "" || messageId.length > MAX_MESSAGE_ID) return false;
  for (let at = 0; at < messageId.length; at++) {
    const code = messageId.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return true;
}

const MAX_MESSAGE_ID = 200;

/** A time further away than any notice is from before the clock was set back. */
export function isNoticeDue(
  due: UnixSeconds,
  now: UnixSeconds,
  { noticeSeconds }: Pick<BucketLimits, "noticeSeconds">,
): boolean {
  return due <= now || due > now + noticeSeconds;
}

/** The bucket once its notice was written. */
export function afterNotice({ since, told }: Bucket): Bucket {
  return { since, told };
}
