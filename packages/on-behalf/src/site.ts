// A web site that sends mail for its users, as the configuration describes it. Made by the composition root.
import type { Mailbox } from "@homing/srs-core";

/** docs/on-behalf.md says when which. */
export type Profile =
  /** For a user who confirmed his address: bounces find him. */
  | "on-behalf"
  /** Bounces are eaten and counted. */
  | "unimportant"
  /** The site itself writes: bounces go to `returnTo`. */
  | "transactional";

/**
 * Whose address stands in From: the site's, the user's, or the user's where a look-up shows that DMARC of his domain permits
 * it, and else the site's.
 */
export type FromMode = "auto" | "site" | "user";

export interface SiteLimits {
  /** Messages of one user in 24 hours, of the profile `on-behalf`: others have no user. */
  readonly userPerDay: number;
  /** Of one message. */
  readonly recipients: number;
  /** Messages to one recipient in 24 hours, from this site. */
  readonly recipientPerDay: number;
  /** Messages from one visitor's IP address (IPv6: /64) in 24 hours. */
  readonly visitorPerDay: number;
  /** Messages in 24 hours. */
  readonly sitePerDay: number;
}

export const SITE_LIMITS: SiteLimits = {
  userPerDay: 20,
  recipients: 5,
  recipientPerDay: 3,
  visitorPerDay: 20,
  sitePerDay: 10_000,
};

export interface Site {
  /** In tokens, keys of the store, and as login of SMTP AUTH: `cards`. Letters, digits and hyphens, in lower case. */
  readonly name: string;
  /** For people: `Example Cards`. */
  readonly title: string;
  /** In From. */
  readonly from: Mailbox;
  readonly fromMode: FromMode;
  /** SRS addresses of this site are at this domain, and of no other site. Lower case. */
  readonly bounceDomain: string;
  /** Bounces to mail of the site itself. */
  readonly returnTo: Mailbox;
  readonly profiles: ReadonlySet<Profile>;
  /** Beginnings of URLs to which a user may be sent back. */
  readonly returnUrls: readonly string[];
  readonly limits: SiteLimits;
  /** Newest first; each at least 128 bits. */
  readonly keys: readonly string[];
}
