// What happens to messages, as values: the JSON log prints them, `homing local` tells them as a story, tests read them.
// Private addresses and other servers' words appear here and only here.
import type { AuthenticationEvent } from "./authentication/events.ts";

export type ForwarderEvent =
  | {
      readonly event: "refused";
      readonly session: string;
      readonly client: string;
      readonly stage: "mail" | "rcpt" | "data";
      readonly reversePath: string;
      readonly recipient?: string;
      readonly reason: string;
      readonly reply: string;
    }
  | {
      readonly event: "received";
      readonly id: string;
      readonly session: string;
      readonly client: string;
      readonly helo: string;
      readonly reversePath: string;
      readonly recipient: string;
      readonly octets: number;
    }
  /** An alias was expanded, and its sender rewritten or kept. */
  | {
      readonly event: "forwarded";
      readonly id: string;
      readonly alias: string;
      readonly targets: readonly string[];
      readonly reversePath: string;
      readonly newReversePath: string;
      readonly rewritten: boolean;
    }
  /** Targets behind which there is nobody. Without an id the mail was not taken. */
  | {
      readonly event: "dropped";
      readonly session: string;
      readonly id?: string;
      readonly recipient: string;
      readonly dropped: readonly { readonly target: string; readonly why: string }[];
    }
  /** Mail that was sent from here for somebody is in the queue. */
  | {
      readonly event: "posted";
      readonly id: string;
      readonly reversePath: string;
      readonly recipient: string;
      readonly targets: readonly string[];
      readonly octets: number;
    }
  /** The entry of the address says `:blackhole:`, or the mail bounces to nobody. */
  | { readonly event: "discarded"; readonly id: string; readonly recipient: string }
  /** A bounce came to an SRS address, and the address was good. */
  | {
      readonly event: "unwrapped";
      readonly id: string;
      readonly recipient: string;
      readonly srs: "srs0" | "srs1";
      readonly to: string;
    }
  /** What a bounce said, and what was made of it. */
  | {
      readonly event: "bounce";
      readonly id: string;
      /** The original sender. */
      readonly to: string;
      /** Absent where the SRS address does not say which it was. */
      readonly alias?: string;
      readonly action: "failed" | "delayed" | "delivered" | "relayed" | "expanded";
      readonly enhanced: string;
      readonly class: string;
      readonly way: "reissue" | "verbatim" | "owner" | "both" | "silent";
      readonly outcome: "told" | "folded" | "not-told" | "not-asked";
      /** The id of the DSN that goes to the original sender. */
      readonly dsn?: string;
    }
  /** What came to an SRS address with a good tag is no bounce, or an answer that nobody wants. */
  | {
      readonly event: "bounce-refused";
      readonly id: string;
      readonly recipient: string;
      readonly reason: string;
    }
  /** A bounce could not be delivered either: it is counted in the postmaster's digest, and told to nobody else. */
  | {
      readonly event: "double-bounce";
      readonly id: string;
      readonly target: string;
      readonly enhanced: string;
    }
  /** The index from selectors to aliases was built, at the first bounce or the first one after a reload. */
  | {
      readonly event: "alias-index";
      readonly selectors: number;
      /** Aliases beyond what is kept: their bounces are neutral. */
      readonly leftOut: number;
      readonly ms: number;
    }
  /** Failures beyond the budget of one by one, told together: a DSN or, of double bounces, a digest is in the queue. */
  | { readonly event: "notice"; readonly id: string; readonly to: string; readonly count: number }
  | {
      readonly event: "delivered";
      readonly id: string;
      readonly target: string;
      readonly hop: string;
      readonly detail: string;
      readonly tls?: "none" | "unverified" | "verified";
      readonly sts?: "enforced" | "testing-passed" | "testing-failed";
    }
  | {
      readonly event: "not-delivered";
      readonly id: string;
      readonly target: string;
      readonly hop: string;
      readonly code: number;
      readonly enhanced: string;
      readonly detail: string;
    }
  /** In the queue: an attempt failed, and there will be another. */
  | {
      readonly event: "deferred";
      readonly id: string;
      readonly target: string;
      readonly attempts: number;
      /** Unix seconds. */
      readonly due: number;
    }
  /** In the queue: there will be no further attempt. */
  | {
      readonly event: "given-up";
      readonly id: string;
      readonly target: string;
      readonly attempts: number;
      readonly enhanced: string;
    }
  /** Given up, and whoever should hear of it has no address that takes mail. */
  | {
      readonly event: "nobody-told";
      /** "" of a notice. */
      readonly id: string;
      /** Of one failure. */
      readonly target?: string;
      /** Of a notice: the failures that it was about. */
      readonly count?: number;
      readonly to: string;
    }
  /** A DSN of ours is in the queue. */
  | {
      readonly event: "dsn";
      readonly id: string;
      /** The message that it is about. */
      readonly about: string;
      readonly to: string;
      readonly action: "failed" | "delayed" | "relayed" | "delivered" | "expanded";
    }
  /** Somebody else settled this recipient meanwhile, as `homing queue drop` does: what the attempt found counts for nothing. */
  | { readonly event: "lease-lost"; readonly id: string; readonly target: string; readonly attempts: number }
  /** The answer to the client's final dot. */
  | { readonly event: "answered"; readonly id: string; readonly reply: string }
  /** A user's .forward file fails its checks: mail for the user waits, and after `until` takes the configured way. */
  | {
      readonly event: "forward-file";
      readonly user: string;
      readonly faults: readonly string[];
      /** Unix seconds. */
      readonly firstSeen: number;
      readonly until: number;
    }
  /** A user's .forward file could not be read: mail for the user waits. */
  | { readonly event: "forward-unavailable"; readonly user: string; readonly cause: string }
  /** Too many wrong tags were tried: whoever tries more, is told to come again. Once a minute for each budget. */
  | {
      readonly event: "guessing";
      /** Of one client, of the addresses of one sender, or of all short tags. */
      readonly budget: "network" | "victim" | "total";
      readonly network: string | undefined;
      readonly victim: string;
    }
  /** On a submission port. */
  | {
      readonly event: "logged-in";
      readonly session: string;
      readonly client: string;
      readonly user: string;
    }
  | {
      readonly event: "log-in-failed";
      readonly session: string;
      readonly client: string;
      /** As the client gave it: hostile text, cut. */
      readonly user: string;
      /** Wrong name or password; or it cannot be known now. */
      readonly reason: "wrong" | "unavailable";
      /** Why it cannot be known. */
      readonly cause?: string;
    }
  /** Too many wrong passwords were tried: whoever tries more, is told to come again. Once a minute for each budget. */
  | {
      readonly event: "log-in-guessing";
      /** Of one client network, or of one name. */
      readonly budget: "network" | "name";
      readonly network: string;
      readonly user: string;
    }
  /** Somebody who has logged in handed in a message. `received` tells of each recipient. */
  | {
      readonly event: "submitted";
      readonly id: string;
      readonly session: string;
      readonly user: string;
      /** Who is told of failures. */
      readonly reversePath: string;
      readonly recipients: number;
      readonly octets: number;
    }
  /** An alarm: so many bounces come in. They are taken all the same. Once a minute for each domain, and in total. */
  | {
      readonly event: "many-bounces";
      readonly scope: "domain" | "total";
      /** Of the original senders. */
      readonly domain?: string;
      readonly perMinute: number;
    }
  | AuthenticationEvent
  /** A bug or a broken machine. */
  | { readonly event: "error"; readonly session: string; readonly message: string };

export type Report = (event: ForwarderEvent) => void;
