// Refusals that several files of identities/ have in common.
import { type Refused, refused } from "../problem.ts";
import type { OpenedToken } from "../tokens/tokens.ts";

/** RFC 9110 §10.2.3: whole seconds, and never none. */
export function secondsUntil(time: number, now: number): number {
  return Math.max(1, Math.ceil(time - now));
}

export function tokenRefused({ reason }: OpenedToken & { readonly ok: false }): Refused {
  switch (reason) {
    case "malformed":
      return refused("token-malformed", "the token is cut, or written in another way than it was made", {
        hint: "open the link as it stands in the mail; where it is broken into lines, put them together",
      });
    case "bad-signature":
      return refused("token-wrong", "the token was not signed here, or with a key that is no longer used", {
        hint: "ask for a new link",
      });
    case "wrong-purpose":
      return refused("token-wrong", "the token is good, but for something else", {
        hint: "open the link as it stands in the mail",
      });
    case "expired":
      return refused("token-expired", "the time of the token is over", { hint: "ask for a new link" });
  }
}
