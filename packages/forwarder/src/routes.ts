// Routes: where a recipient's mail goes, decided at RCPT. Addresses of ours by the tables, SRS addresses by the bounce gate,
// and a refusal for all else: nobody can relay through here. Called by receive.ts.
import { type Asked, type BounceGate, NOT_A_BOUNCE, type Unwrapped } from "@homing/bounce-handler";
import type { Reply } from "@homing/mail";
import { asciiLower, type Mailbox, type ReversePath } from "@homing/srs-core";
import { followUsers, type UserForwards } from "./follow-users.ts";
import { type Destination, type Dropped, SET_UP_WRONGLY } from "./tables/followed.ts";
import { isOurs, type Tables } from "./tables/tables.ts";

export type Route =
  | {
      readonly kind: "alias";
      readonly destinations: readonly Destination[];
      readonly dropped: readonly Dropped[];
    }
  /** A bounce that comes home: `to` is the original sender or, from SRS1, the address at the first forwarder. */
  | {
      readonly kind: "bounce";
      readonly unwrapped: Unwrapped;
      /** `unwrapped.to`, or what it leads to where it is an address of ours. */
      readonly destinations: readonly Destination[];
      readonly dropped: readonly Dropped[];
    }
  /** The operator wants the mail taken and thrown away, or whoever sent the mail that it is a bounce to. */
  | { readonly kind: "discard" }
  /** The reason is for the log. */
  | {
      readonly kind: "refuse";
      readonly reply: Reply;
      readonly reason: string;
      readonly dropped?: readonly Dropped[];
    };

export interface Routes {
  route(recipient: Mailbox, reversePath: ReversePath, asked: Asked): Promise<Route>;
}

export interface RoutesOptions {
  /** Asked for each recipient: a reload swaps them. */
  readonly tables: () => Tables;
  readonly gate: BounceGate;
  /** Users' .forward files. */
  readonly forwards?: UserForwards | undefined;
  /** May automatic answers come in, to mail that this address was forged for? */
  readonly takesAnswers: (unwrapped: UnwrappedSrs0) => Promise<boolean>;
  /** Gets what bounces to mail that does not matter, from anybody. */
  readonly isNobody?: ((recipient: Mailbox) => boolean) | undefined;
  /** Its MX leads here, and no table knows it: its postmaster is that of our host name (RFC 5321 §4.5.1). */
  readonly isReturnDomain: (domain: string) => boolean;
  readonly hostname: string;
}

export type UnwrappedSrs0 = Extract<Unwrapped, { srs: "srs0" }>;

const NOT_OURS: Reply = { code: 550, enhanced: "5.7.1", text: "this server takes no mail for that domain" };

export function createRoutes(options: RoutesOptions): Routes {
  const { tables, gate, forwards, takesAnswers, isNobody, isReturnDomain, hostname } = options;
  const readAs = (recipient: Mailbox): Mailbox =>
    asciiLower(recipient.localPart) === "postmaster" && isReturnDomain(recipient.domain)
      ? { ...recipient, domain: hostname }
      : recipient;
  return {
    async route(recipient, reversePath, asked) {
      if (isNobody?.(recipient)) return { kind: "discard" };
      if (!gate.judges(recipient)) return tableRoute(tables(), readAs(recipient), forwards);
      const admission = gate.admit(recipient, reversePath, asked);
      if (admission.kind === "refuse") return admission;
      const { unwrapped } = admission;
      if (unwrapped.srs === "srs0" && unwrapped.isAnswer && !(await takesAnswers(unwrapped)))
        return { kind: "refuse", reply: NOT_A_BOUNCE, reason: "sender-not-null" };
      const { to } = unwrapped;
      if (!isOurs(tables().rules, to.domain))
        return { kind: "bounce", unwrapped, destinations: [{ mailbox: to }], dropped: [] };
      const route = await tableRoute(tables(), to, forwards);
      return route.kind === "alias" ? { ...route, kind: "bounce", unwrapped } : route;
    },
  };
}

async function tableRoute(
  tables: Tables,
  recipient: Mailbox,
  forwards: UserForwards | undefined,
): Promise<Exclude<Route, { kind: "bounce" }>> {
  const followed = await followUsers(tables, recipient, forwards);
  switch (followed.kind) {
    case "destinations":
      return { ...followed, kind: "alias" };
    case "discard":
      return followed;
    case "refuse":
      return { ...followed, reason: followed.reply.code < 500 ? "deferred" : "disabled" };
    case "nowhere":
      return { ...followed, kind: "refuse", reply: SET_UP_WRONGLY, reason: "leads-nowhere" };
    case "unknown":
      return { kind: "refuse", reply: followed.reply, reason: "unknown-alias" };
    case "not-ours":
      return { kind: "refuse", reply: NOT_OURS, reason: "not-our-domain" };
  }
}
