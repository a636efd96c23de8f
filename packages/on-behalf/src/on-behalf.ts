// The service for web sites, as packages/http, the submission for sites and the forwarder use it. `createOnBehalf` puts it
// together; the composition root calls it.
import type { Mailbox, Rewriter, UnixSeconds } from "@homing/srs-core";
import type { Problem, Refused } from "./problem.ts";
import type { FromMode, Profile, Site } from "./site.ts";
import type { Changes, Fact, OnBehalfStore } from "./store.ts";
import type { Submissions } from "./submissions/submissions.ts";
import type { Tokens } from "./tokens/tokens.ts";

export interface OnBehalfOptions {
  readonly sites: readonly Site[];
  readonly store: OnBehalfStore;
  readonly tokens: Tokens;
  /** Of links in mail, without a slash at the end: `https://mail.site.example`. */
  readonly publicUrl: string;
  /** Confirmations come from here: `no-reply@` our hostname. */
  readonly hostname: string;
  /** By bounce domain: makes SRS addresses of every sender, also of our own domains. */
  readonly rewriterOf: (bounceDomain: string) => Rewriter;
  /** DKIM, for mail with this domain in From. Rejects where it cannot be done now. */
  readonly sign: (message: Buffer, fromDomain: string) => Promise<Buffer>;
  readonly lookUpTxt: LookUpTxt;
  readonly now: () => UnixSeconds;
  /** Unguessable: 128 bits and more, in letters, digits, `-` and `_`. */
  readonly newSecretId: () => string;
  /** A queue id. */
  readonly newId: () => string;
}

/** Strings of each TXT record, joined; `[]` where the name or the type is not there. Rejects where DNS did not answer. */
export type LookUpTxt = (name: string) => Promise<readonly string[]>;

export interface OnBehalf {
  readonly sites: Sites;
  readonly identities: Identities;
  readonly people: People;
  readonly messages: Messages;
  readonly suppressions: Suppressions;
  readonly events: Events;
  readonly returns: Returns;
  /** Mail that sites hand in by SMTP. */
  readonly submissions: Submissions;
  /** To the page where somebody sees and ends what is sent in his name and to him; `site` is whose mail it stands in. */
  manageUrl(address: string, site: string): string;
  /** That verify our tokens: base64url of 32 octets each, newest first. */
  readonly publicKeys: readonly string[];
}

export interface Sites {
  /** Whose key it is; all keys of all sites are compared, each in the same time. */
  ofKey(key: string): Site | undefined;
  named(name: string): Site | undefined;
  ofBounceDomain(domain: string): Site | undefined;
}

// --- identities -------------------------------------------------------------------------------------------------------------

/** A visitor, who is not logged in, may only send short notes. */
export type Scope = "user" | "visitor";
export type IdentityStatus = "pending" | "confirmed" | "revoked" | "expired";

/** A user's address, confirmed for one site. */
export interface Identity {
  /** `idn_…` */
  readonly id: string;
  readonly site: string;
  /** As the site gave it, domain in lower case. */
  readonly address: string;
  readonly scope: Scope;
  readonly status: IdentityStatus;
  readonly requestedAt: UnixSeconds;
  readonly confirmedAt?: UnixSeconds;
  /** 180 days behind the confirmation or the last use. */
  readonly expires: UnixSeconds;
  readonly lastUsedAt?: UnixSeconds;
  readonly revokedAt?: UnixSeconds;
  /** Of a confirmed user: a token (purpose `identity`) that says so to whoever has our public key, for the plug-in. */
  readonly proof?: string;
}

export interface IdentityRequest {
  readonly address: string;
  readonly scope: Scope;
  /** Where the user goes from the page, once he has confirmed; it begins with one of the site's `returnUrls`. */
  readonly returnUrl?: string;
}

export interface Identities {
  /** Mails a link to the address, unless it is confirmed already (`mailed: false`). */
  request(
    site: Site,
    request: IdentityRequest,
  ): Promise<{ readonly ok: true; readonly identity: Identity; readonly mailed: boolean } | Refused>;
  /** By its id, or by its address. */
  find(
    site: Site,
    idOrAddress: string,
  ): Promise<{ readonly ok: true; readonly identity: Identity } | Refused>;
  /** The site lets go of it. */
  revoke(
    site: Site,
    idOrAddress: string,
  ): Promise<{ readonly ok: true; readonly identity: Identity } | Refused>;
  /** One that may be used now, for a message. `used` is to be written with the message: it was used, and lives on. */
  usable(
    site: Site,
    idOrAddress: string,
    now: UnixSeconds,
  ): Promise<
    | { readonly ok: true; readonly identity: Identity; readonly used: Pick<Changes, "write" | "present"> }
    | Refused
  >;
}

// --- pages for people, who have a link and no account -----------------------------------------------------------------------

export interface Asked {
  readonly site: Site;
  readonly address: string;
  readonly scope: Scope;
  readonly returnUrl?: string;
}

/** What a person sees of himself. */
export interface Mine {
  readonly address: string;
  readonly identities: readonly (Identity & { readonly title: string })[];
  /** Of all sites, or of these (names and titles). */
  readonly never: {
    readonly all: boolean;
    readonly sites: readonly { readonly name: string; readonly title: string }[];
  };
  /** The site whose message the link stood in, if it was one; also one that is not there any more, with its name as title. */
  readonly from?: { readonly name: string; readonly title: string };
}

export interface People {
  /** Changes nothing: link scanners follow links. */
  look(token: string): Promise<{ readonly ok: true; readonly asked: Asked } | Refused>;
  /** The button. */
  confirm(
    token: string,
  ): Promise<{ readonly ok: true; readonly asked: Asked; readonly manageToken: string } | Refused>;
  mine(token: string): Promise<{ readonly ok: true; readonly mine: Mine } | Refused>;
  revoke(token: string, identityId: string): Promise<{ readonly ok: true } | Refused>;
  /** No more mail from this site (by name), or from any. */
  never(token: string, site: string | "all"): Promise<{ readonly ok: true } | Refused>;
  again(token: string, site: string | "all"): Promise<{ readonly ok: true } | Refused>;
  /**
   * Mails the link to `mine` to an address that wants it: once a day, and the answer tells nothing of whether we know it.
   * @param visitorIp of whoever asks: his network may ask for some a day
   */
  mailLink(address: string, visitorIp?: string): Promise<{ readonly ok: true } | Refused>;
}

// --- messages ---------------------------------------------------------------------------------------------------------------

export interface MessageRequest {
  readonly profile: Profile;
  /** Identity id or address; of `on-behalf` alone, and there required. */
  readonly onBehalfOf?: string;
  /** The user's display name. */
  readonly name?: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** Of `transactional` and `unimportant`; of `on-behalf` it is the user. */
  readonly replyTo?: string;
  /** In place of the site's. */
  readonly fromMode?: FromMode;
  /** IP address of the browser; required of a `visitor`. */
  readonly visitorIp?: string;
  /** The site's own name for it, given back in events; up to 200 characters. */
  readonly reference?: string;
}

export type RecipientStatus = "queued" | "delivered" | "failed" | "bounced";

export interface SentMessage {
  /** `msg_…` */
  readonly id: string;
  readonly profile: Profile;
  readonly createdAt: UnixSeconds;
  /** In From, and why it is that one. */
  readonly from: { readonly address: string; readonly mode: "site" | "user"; readonly reason: string };
  readonly subject: string;
  readonly reference?: string;
  readonly recipients: readonly {
    readonly address: string;
    readonly status: RecipientStatus;
    readonly enhanced?: string;
    readonly at?: UnixSeconds;
  }[];
}

export interface Messages {
  /** @param idempotencyKey 1 to 256 printable characters, kept for 24 hours with the message, in one transaction */
  send(
    site: Site,
    request: MessageRequest,
    idempotencyKey?: string,
  ): Promise<{ readonly ok: true; readonly message: SentMessage; readonly repeated: boolean } | Refused>;
  find(site: Site, id: string): Promise<{ readonly ok: true; readonly message: SentMessage } | Refused>;
}

// --- suppressions and events ------------------------------------------------------------------------------------------------

export interface Suppression {
  readonly address: string;
  readonly reason: "bounce" | "manual" | "recipient";
  readonly since: UnixSeconds;
  /** Of a bounce: RFC 3463. */
  readonly enhanced?: string;
}

export interface Suppressions {
  list(
    site: Site,
    after?: string,
    limit?: number,
  ): Promise<
    { readonly ok: true; readonly suppressions: readonly Suppression[]; readonly next?: string } | Refused
  >;
  add(
    site: Site,
    address: string,
  ): Promise<{ readonly ok: true; readonly suppression: Suppression } | Refused>;
  /** What the recipient himself wants cannot be taken away by a site. */
  remove(site: Site, address: string): Promise<{ readonly ok: true } | Refused>;
}

export type EventType =
  | "identity.pending"
  | "identity.confirmed"
  | "identity.revoked"
  | "message.queued"
  | "message.delivered"
  | "message.failed"
  | "bounce.returned"
  | "bounce.eaten"
  | "recipient.suppressed"
  | "recipient.never";

export interface SiteEvent {
  /** Give it to the next call, to go on behind it. In the order of time. */
  readonly id: string;
  readonly type: EventType;
  readonly at: UnixSeconds;
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

export interface Events {
  /** Oldest first; kept for 30 days. */
  list(
    site: Site,
    after?: string,
    limit?: number,
  ): Promise<{ readonly ok: true; readonly events: readonly SiteEvent[]; readonly next: string } | Refused>;
  /** The fact to be written with whatever happened. */
  fact(site: string, type: EventType, at: UnixSeconds, data: SiteEvent["data"]): Fact;
}

// --- what comes back: called by the forwarder -------------------------------------------------------------------------------

/** What an SRS address at a bounce domain was made for. */
export interface SentFor {
  readonly site: string;
  /** Undefined where mail to several recipients has this return path: the user's address has no room for a mark of each. */
  readonly recipient: Mailbox | undefined;
  /** One of each recipient, as far as they are known. */
  readonly copies: readonly SentCopyFacts[];
}

export interface SentCopyFacts {
  readonly recipient: Mailbox;
  /** `msg_…`, of the newest message, where several were sent to the recipient in one day. */
  readonly messageId: string;
  readonly reference?: string;
}

export interface Returns {
  /** `nobody@` a bounce domain. */
  isNobody(recipient: Mailbox): boolean;
  /** Undefined where nothing is known of it. */
  sentFor(srs: Mailbox, now: UnixSeconds): Promise<SentFor | undefined | "away">;
  /** Facts to be written with the DSN that goes to the user. `sent` undefined: made by the plug-in alone. */
  returned(returned: Returned): readonly Fact[];
  /** A bounce to nobody was thrown away. */
  eaten(recipient: Mailbox, now: UnixSeconds): Promise<void>;
  /** Our own attempts have come to an end for one recipient. */
  settled(
    mail: { readonly queueId: string; readonly reversePath: Mailbox; readonly recipient: Mailbox },
    outcome: Settled,
    now: UnixSeconds,
  ): readonly Fact[];
}

export interface Returned {
  readonly srs: Mailbox;
  readonly sent: SentFor | undefined;
  /** Of the mail that came back, where its header proves it: counts where the return path does not say it. */
  readonly recipient?: Mailbox | undefined;
  readonly user: Mailbox;
  readonly action: "failed" | "delayed" | "delivered" | "relayed" | "expanded";
  readonly enhanced: string;
  readonly class: string;
  readonly now: UnixSeconds;
}

export type Settled =
  | { readonly kind: "delivered" }
  | { readonly kind: "failed"; readonly enhanced: string; readonly class: string };

export type { Problem };
