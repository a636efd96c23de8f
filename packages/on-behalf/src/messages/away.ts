// What is answered while the storage, or the key that signs, cannot be had. Called by the files beside it.
import { type Refused, refused } from "../problem.ts";

/** Long enough for a restart of the service, short enough for a person who waits. */
const RETRY_AFTER = 10;

export function away(what = "the storage cannot be used now"): Refused {
  return refused("unavailable", what, {
    hint: "send the same request again, with the same Idempotency-Key: it is done once",
    retryAfter: RETRY_AFTER,
  });
}
