// Refusals that several files of identities/ have in common.
import { type Refused, refused } from "../problem.ts";
import type { OpenedToken } from "../tokens/tokens.ts";

/** Seconds: a disk that is full or a program that starts again needs about that long. */
const AWAY_RETRY = 30;

/** What was asked may have been done nevertheless: whoever asks again is told. */
export function storageAway(): Refused {
  return refused("unavailable", "The storage does not answer now.", {
    hint: "ask again later; nothing is done twice",
    retryAfter: AWAY_RETRY,
  });
}

export function signingAway(): Refused {
  return refused("unavailable", "The mail cannot be signed now.", {
    hint: "ask again later; no mail was sent",
    retryAfter: AWAY_RETRY,
  });
}

/** RFC 9110 §10.2.3: whole seconds, and never none. */
export function secondsUntil(time: number, now: number): number {
  return Math.max(1, Math.ceil(time - now));
}

export function tokenRefused({ reason }: OpenedToken & { readonly ok: false }): Refused {
  switch (reason) {
    case "malformed":
      return refused("token-malformed", "The token is cut, or written in another way than it was made.", {
        hint: "open the link as it stands in the mail; where it is broken into lines, put them together",
      });
    case "bad-signature":
      return refused("token-wrong", "The token was not signed here, or with a key that is no longer used.", {
        hint: "ask for a new link",
      });
    case "wrong-purpose":
      return refused("token-wrong", "The token is good, but for something else.", {
        hint: "open the link as it stands in the mail",
      });
    case "expired":
      return refused("token-expired", "The time of the token is over.", { hint: "ask for a new link" });
  }
}
