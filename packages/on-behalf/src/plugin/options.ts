// What a site tells the plug-in, and what stands in a message. Public types: they import nothing, so that they can be read by
// ES modules and by CommonJS alike.

/** A moment as a database has it: a Date, ISO 8601 text, or Unix seconds. */
export type Moment = Date | string | number;

/** The user in whose name a message goes out. */
export type OnBehalfOf = UserAddress | ProvenUser | UserIdentity | string;

export interface UserAddress {
  readonly address: string;
  /** The user's display name. Without one the local part of the address stands there. */
  readonly name?: string | undefined;
  /**
   * When the site saw that the address is this user's, if it says so itself. Not in the future, and not 180 days ago or
   * more, unless `lastUsedAt` is younger. Given as null or undefined: not confirmed.
   */
  readonly confirmedAt?: Moment | null | undefined;
  /** When a message was last sent in this user's name. Says nothing without `confirmedAt`. */
  readonly lastUsedAt?: Moment | null | undefined;
  /** Of an identity, if the site has it: verified where `identityKeys` are given. */
  readonly proof?: string | null | undefined;
  readonly status?: undefined;
}

export interface ProvenUser {
  /** `proof` of an identity, as a Homing service gives it. */
  readonly proof: string;
  readonly name?: string | undefined;
  /** The same that the proof says. */
  readonly address?: string | null | undefined;
  readonly status?: undefined;
}

/** An identity as `GET /v1/identities/{id or address}` of a Homing service gives it, stored by the site, and a name. */
export interface UserIdentity {
  readonly id?: string | undefined;
  /** The same as the option `site`, where that is given. */
  readonly site?: string | null | undefined;
  readonly address: string;
  /** `user`; a visitor is refused. */
  readonly scope: string;
  /** `confirmed`; all else is refused. */
  readonly status: string;
  readonly requestedAt?: Moment | null | undefined;
  readonly confirmedAt?: Moment | null | undefined;
  /** In the future. */
  readonly expires: Moment;
  readonly lastUsedAt?: Moment | null | undefined;
  readonly revokedAt?: Moment | null | undefined;
  /** Verified where `identityKeys` are given, and then required. */
  readonly proof?: string | null | undefined;
  /** The user's display name, which the site adds. */
  readonly name?: string | undefined;
}

export interface OnBehalfPluginOptions {
  /** Secrets of the SRS addresses, one a line, newest first; no file of others. This or `secrets`. */
  readonly secretsFile?: string | undefined;
  /** The same as values; each 22 characters or more. */
  readonly secrets?: readonly string[] | undefined;
  /** Bounces go to addresses at this domain, whose mail a Homing service takes. */
  readonly bounceDomain: string;
  /** The site's own address, in From or in Sender. */
  readonly from: string | { readonly name?: string | undefined; readonly address: string };
  /** For people: `Example Cards`. Default: the name of `from`, or its domain. */
  readonly title?: string | undefined;
  /** Whose address stands in From. Default `auto`: the user's where a look-up shows that DMARC permits it, else the site's. */
  readonly fromMode?: "auto" | "site" | "user" | undefined;
  /** To, Cc and Bcc together. Default 5. */
  readonly maxRecipients?: number | undefined;
  /** The site's own records, asked about every user. True, and nothing else, means yes. */
  readonly isConfirmed?: ((address: string) => boolean | Promise<boolean>) | undefined;
  /** Public keys of a Homing service, newest first: proofs are verified without asking it. Needs `site`. */
  readonly identityKeys?: readonly string[] | undefined;
  /** The site's name at the Homing service. A proof for another site is none. */
  readonly site?: string | undefined;
  /** A Homing service is asked about every user, and knows who has revoked. */
  readonly homing?:
    | {
        /** https; http on this machine alone. */
        readonly url: string;
        /** Holds the site's key; no file of others. */
        readonly siteKeyFile: string;
      }
    | undefined;
  /** Clock, DNS, randomness and HTTP, for tests. */
  readonly world?: Partial<World> | undefined;
}

export interface World {
  /** Unix seconds. */
  now(): number;
  /** Strings of each TXT record, joined; none where there is no record. Rejects where DNS did not answer. */
  lookUpTxt(name: string): Promise<readonly string[]>;
  /** Never twice the same: letters, digits and hyphens. */
  newId(): string;
  /** GET, with a time limit. Rejects where there is no whole answer. */
  request(url: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; body: string }>;
}

/** What `transporter.use("compile", …)` of nodemailer 6.9 to 10 takes. */
export type OnBehalfPlugin = (
  mail: { readonly data: object },
  callback: (error?: Error | null) => void,
) => void;
