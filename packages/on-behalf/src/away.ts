// What is answered while the storage, or the key that signs, cannot be had. Called by files of identities/, messages/ and
// submissions/.
import { type Refused, refused } from "./problem.ts";

/** Seconds: long enough for a restart of the service, short enough for a person who waits. */
const RETRY_AFTER = 10;

/** What was asked may have been done nevertheless. */
export function away(what = "the storage cannot be used now"): Refused {
  return refused("unavailable", what, {
    hint: "ask again in a moment; a message that is sent again with its Idempotency-Key is sent once",
    retryAfter: RETRY_AFTER,
  });
}

export function signingAway(): Refused {
  return away("the mail cannot be signed now");
}
