// What becomes of an address that is followed through the tables. Made by follow.ts, read by routes.ts and `homing route`.
import type { Reply } from "@homing/mail";
import { asciiLower, type Mailbox, renderMailbox } from "@homing/srs-core";
import type { FilePlace } from "./entry.ts";

/** Where a copy of the mail goes. */
export interface Destination {
  readonly mailbox: Mailbox;
  /** `owner-NAME` of the list that it came from: bounces go there. */
  readonly owner?: Mailbox;
  /** The line that names it, where somebody wants to see the way. */
  readonly place?: FilePlace;
}

/** A target behind which there is nobody. */
export interface Dropped {
  readonly target: string;
  /** For the log. */
  readonly why: string;
}

export type Followed =
  | {
      readonly kind: "destinations";
      /** One at least. */
      readonly destinations: readonly Destination[];
      readonly dropped: readonly Dropped[];
    }
  | { readonly kind: "discard" }
  /** The entry says so, or one behind it of which nothing else is left. */
  | { readonly kind: "refuse"; readonly reply: Reply; readonly dropped: readonly Dropped[] }
  /** The entry leads to nobody: a mistake in the tables or in users' files. */
  | { readonly kind: "nowhere"; readonly dropped: readonly Dropped[] }
  | { readonly kind: "unknown"; readonly reply: Reply }
  | { readonly kind: "not-ours" };

/** RFC 3463: 4.3.5, the system is not configured correctly. Somebody will mend it. */
export const SET_UP_WRONGLY: Reply = {
  code: 451,
  enhanced: "4.3.5",
  text: "this address is set up wrongly, try again later",
};

/** What a walk comes upon. */
export interface Findings {
  keep(mailbox: Mailbox, owner: Mailbox | undefined, place: FilePlace | undefined): void;
  discard(): void;
  /** @param key undefined for the address that was asked for: its reply tells all */
  refuse(key: string | undefined, reply: Reply): void;
  noStore(target: string): void;
  drop(target: string, why: string): void;
  result(): Followed;
}

export function createFindings(): Findings {
  const destinations = new Map<string, Destination>();
  const dropped: Dropped[] = [];
  let discarded = false;
  /** The mail must come again, or a copy were lost. */
  let deferral: Reply | undefined;
  let refusal: Reply | undefined;

  return {
    keep(mailbox, owner, place) {
      const key = renderMailbox({ localPart: mailbox.localPart, domain: asciiLower(mailbox.domain) });
      if (destinations.has(key)) return;
      destinations.set(key, { mailbox, ...(owner && { owner }), ...(place && { place }) });
    },
    discard() {
      discarded = true;
    },
    refuse(key, reply) {
      if (reply.code < 500) deferral ??= reply;
      else refusal ??= reply;
      if (key === undefined) return;
      dropped.push({ target: key, why: `refused: ${reply.code} ${reply.enhanced} ${reply.text}` });
    },
    noStore(target) {
      // Somebody wants to keep this copy.
      deferral ??= SET_UP_WRONGLY;
      dropped.push({ target, why: "no mail store keeps it" });
    },
    drop(target, why) {
      dropped.push({ target, why });
    },
    result() {
      if (deferral) return { kind: "refuse", reply: deferral, dropped };
      if (destinations.size > 0)
        return { kind: "destinations", destinations: [...destinations.values()], dropped };
      if (discarded) return { kind: "discard" };
      return refusal ? { kind: "refuse", reply: refusal, dropped } : { kind: "nowhere", dropped };
    },
  };
}
