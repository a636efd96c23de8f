// What becomes of a bounce, as settings: of all aliases, of those of one domain, of one alone. Made by the composition root;
// called by the files beside this one.
import type { DiagnosticPolicy } from "@homing/bounce-handler";
import { asciiLower, type Mailbox, renderMailbox } from "@homing/srs-core";

export type ReturnWay =
  /** A DSN of our own goes to the original sender: the default. */
  | "reissue"
  /** The bounce goes to the original sender as it came, the private address in it, while its client waits. */
  | "verbatim"
  /** The bounce goes to the alias's owner as it came, and the sender hears nothing. */
  | "owner"
  /** As `reissue` and as `owner`. */
  | "both"
  /** Taken, counted and thrown away. */
  | "silent";

/** The classes of BounceClass that a report about somebody's mail can have. */
export type ReturnClass = "hard" | "soft" | "policy" | "spam" | "delay" | "success";

export interface BounceSettings {
  readonly diagnostic: DiagnosticPolicy;
  readonly ways: Readonly<Record<ReturnClass, ReturnWay>>;
  /** Gets what goes to the owner where the tables name no owner of the alias; undefined: postmaster at its domain. */
  readonly owner?: Mailbox | undefined;
  /** Automatic answers with a sender of their own (RFC 3834), which SRS addresses get from vacation programs. */
  readonly autoReplies: "refuse" | "forward";
}

export const BOUNCE_SETTINGS: BounceSettings = {
  diagnostic: "code",
  ways: {
    hard: "reissue",
    soft: "reissue",
    policy: "reissue",
    spam: "reissue",
    delay: "reissue",
    success: "reissue",
  },
  autoReplies: "refuse",
};

export interface BouncePolicyOptions {
  readonly all: BounceSettings;
  /** By domain, in lower case. */
  readonly byDomain?: ReadonlyMap<string, BounceSettings>;
  /** By `bounceSettingsKey`. */
  readonly byAlias?: ReadonlyMap<string, BounceSettings>;
}

/**
 * @param alias at the main name of its domain; undefined where nobody knows which it was
 * @param base without its extension: settings of its own go before that one's
 */
export type BouncePolicy = (alias: Mailbox | undefined, base?: Mailbox) => BounceSettings;

export function createBouncePolicy({ all, byDomain, byAlias }: BouncePolicyOptions): BouncePolicy {
  return (alias, base = alias) => {
    if (!alias || !base) return all;
    const own = byAlias?.get(bounceSettingsKey(alias)) ?? byAlias?.get(bounceSettingsKey(base));
    return own ?? byDomain?.get(asciiLower(alias.domain)) ?? all;
  };
}

/** Aliases are looked up without regard to case. */
export function bounceSettingsKey(alias: Mailbox): string {
  return asciiLower(renderMailbox(alias));
}

/** Of an alias that the tables give no owner to. */
export function ownerOf({ owner }: BounceSettings, { domain }: Pick<Mailbox, "domain">): Mailbox {
  return owner ?? { localPart: "postmaster", domain };
}
