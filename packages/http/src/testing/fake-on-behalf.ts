// A service with state and without mail, for tests of what HTTP makes of it. It counts the calls that may change something.
import {
  type Identity,
  type IdentityRequest,
  type MessageRequest,
  type Mine,
  type ProblemType,
  type Refused,
  refused,
  type SentMessage,
  SITE_LIMITS,
  type Site,
  type SiteEvent,
  type Suppression,
} from "@homing/on-behalf";
import { type Mailbox, parseMailbox } from "@homing/srs-core";
import type { PublishedOnBehalf } from "../app.ts";

export const KEY = "a-key-of-cards-0123456789";
export const PUBLIC_URL = "https://mail.site.example";
export const PUBLIC_KEY = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
export const AT = 1_790_000_000;
const DAY = 86_400;

export interface Fake extends PublishedOnBehalf {
  readonly identitiesByAddress: Map<string, Identity>;
  readonly messagesById: Map<string, SentMessage>;
  readonly suppressed: Map<string, Suppression>;
  readonly happened: SiteEvent[];
  /** Requests as they came in. */
  readonly sent: MessageRequest[];
  /** Names of the calls that may change something. */
  readonly changes: string[];
  /** What the links of people say. */
  readonly links: Map<string, Link>;
  readonly neverFor: Set<string>;
  /** Every call is refused with it. */
  refusal: Refused | undefined;
  /** Every call throws it. */
  bug: Error | undefined;
}

export interface Link {
  readonly purpose: "confirm" | "manage";
  readonly address: string;
  readonly returnUrl?: string;
  readonly from?: string;
  used?: boolean;
}

export function site(more: Partial<Site> = {}): Site {
  return {
    name: "cards",
    title: "Example Cards",
    from: mailbox("cards@site.example"),
    fromMode: "auto",
    bounceDomain: "bounce.site.example",
    returnTo: mailbox("bounces@site.example"),
    profiles: new Set(["on-behalf", "unimportant", "transactional"]),
    returnUrls: ["https://site.example/"],
    limits: SITE_LIMITS,
    keys: [KEY],
    ...more,
  };
}

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.mailbox;
}

interface FakeOptions {
  readonly site?: Site;
  /** Of identities and messages, in this order; then numbers. */
  readonly ids?: readonly string[];
}

export function createFake(options: FakeOptions = {}): Fake {
  const cards = options.site ?? site();
  const ids = [...(options.ids ?? [])];
  let number = 0;
  const newId = (kind: string): string => ids.shift() ?? `${kind}_${++number}`;
  const state = {
    identitiesByAddress: new Map<string, Identity>(),
    messagesById: new Map<string, SentMessage>(),
    suppressed: new Map<string, Suppression>(),
    happened: [] as SiteEvent[],
    sent: [] as MessageRequest[],
    changes: [] as string[],
    links: new Map<string, Link>(),
    neverFor: new Set<string>(),
  };
  const byKey = new Map<string, { readonly payload: string; readonly message: SentMessage }>();

  /** What every call begins with. */
  const call = <T>(name: string, changes: boolean, then: () => T | Refused): Promise<T | Refused> => {
    if (changes) state.changes.push(name);
    if (fake.bug) return Promise.reject(fake.bug);
    return Promise.resolve(fake.refusal ?? then());
  };
  const identityOf = (idOrAddress: string): Identity | undefined =>
    state.identitiesByAddress.get(idOrAddress) ??
    [...state.identitiesByAddress.values()].find(({ id }) => id === idOrAddress);
  const withIdentity = <T>(idOrAddress: string, then: (identity: Identity) => T): T | Refused => {
    const identity = identityOf(idOrAddress);
    return identity ? then(identity) : none();
  };
  const withLink = <T>(token: string, purpose: Link["purpose"], then: (link: Link) => T): T | Refused => {
    const link = state.links.get(token);
    if (!link) return refused("token-malformed", "No such token");
    return link.purpose === purpose ? then(link) : refused("token-wrong", "Another purpose");
  };
  const askedOf = ({ address, returnUrl }: Link) => ({
    site: cards,
    address,
    scope: "user" as const,
    ...(returnUrl === undefined ? {} : { returnUrl }),
  });

  function request({ address, scope }: IdentityRequest) {
    if (!address.includes("@"))
      return refused("invalid-field", "address is no address", { field: "address" });
    const known = identityOf(address);
    if (known?.status === "confirmed") return { ok: true as const, identity: known, mailed: false };
    if (known?.status === "pending")
      return refused("confirmation-pending", "It was mailed today", { retryAfter: DAY });
    const identity: Identity = {
      id: newId("idn"),
      site: cards.name,
      address,
      scope,
      status: "pending",
      requestedAt: AT,
      expires: AT + DAY,
    };
    state.identitiesByAddress.set(address, identity);
    return { ok: true as const, identity, mailed: true };
  }

  function send(message: MessageRequest, key: string | undefined) {
    if (key === "") return refused("idempotency-key-invalid", "It is empty");
    const payload = JSON.stringify(message);
    const before = key === undefined ? undefined : byKey.get(key);
    if (before && before.payload !== payload)
      return refused("idempotency-conflict", "The key was used with another request");
    if (before) return { ok: true as const, message: before.message, repeated: true };
    const user = message.onBehalfOf === undefined ? undefined : identityOf(message.onBehalfOf);
    if (message.profile === "on-behalf" && user?.status !== "confirmed")
      return refused("identity-not-confirmed", "It is not confirmed", { field: "onBehalfOf" });
    const suppressedAt = message.to.findIndex((to) => state.suppressed.has(to));
    if (suppressedAt >= 0)
      return refused("recipient-suppressed", "Suppressed", { field: `to[${suppressedAt}]` });
    const taken: SentMessage = {
      id: newId("msg"),
      profile: message.profile,
      createdAt: AT,
      from: {
        address: "cards@site.example",
        mode: "site",
        reason: user
          ? `The site's address is in From because _dmarc.${user.address.split("@")[1]} asks receivers for "reject"`
          : "The site itself writes",
      },
      subject: message.subject,
      ...(message.reference === undefined ? {} : { reference: message.reference }),
      recipients: message.to.map((address) => ({ address, status: "queued" })),
    };
    state.sent.push(message);
    state.messagesById.set(taken.id, taken);
    if (key !== undefined) byKey.set(key, { payload, message: taken });
    return { ok: true as const, message: taken, repeated: false };
  }

  function mineOf({ address, from }: Link): Mine {
    const titled = { name: cards.name, title: cards.title };
    const identity = state.identitiesByAddress.get(address);
    return {
      address,
      identities: identity ? [{ ...identity, title: cards.title }] : [],
      never: {
        all: state.neverFor.has("all"),
        sites: state.neverFor.has(cards.name) ? [titled] : [],
      },
      ...(from === undefined ? {} : { from: titled }),
    };
  }

  const fake: Fake = {
    ...state,
    refusal: undefined,
    bug: undefined,
    publicUrl: PUBLIC_URL,
    publicKeys: [PUBLIC_KEY],
    sites: {
      ofKey: (key) => (cards.keys.includes(key) ? cards : undefined),
      named: (name) => (name === cards.name ? cards : undefined),
      ofBounceDomain: () => cards,
    },
    identities: {
      request: (_, asked) => call("request", true, () => request(asked)),
      find: (_, id) =>
        call("find", false, () => withIdentity(id, (identity) => ({ ok: true as const, identity }))),
      revoke: (_, id) =>
        call("revoke", true, () =>
          withIdentity(id, ({ proof: _, ...before }) => {
            const identity: Identity = { ...before, status: "revoked", revokedAt: AT };
            state.identitiesByAddress.set(identity.address, identity);
            return { ok: true as const, identity };
          }),
        ),
      usable: () => Promise.resolve(none()),
    },
    people: {
      look: (token) =>
        call("look", false, () =>
          withLink(token, "confirm", (link) =>
            link.used ? refused("token-used", "Used") : { ok: true as const, asked: askedOf(link) },
          ),
        ),
      confirm: (token) =>
        call("confirm", true, () =>
          withLink(token, "confirm", (link) => {
            if (link.used) return refused("token-used", "Used");
            link.used = true;
            return { ok: true as const, asked: askedOf(link), manageToken: "manage-token" };
          }),
        ),
      mine: (token) =>
        call("mine", false, () =>
          withLink(token, "manage", (link) => ({ ok: true as const, mine: mineOf(link) })),
        ),
      revoke: (token, id) =>
        call("revoke", true, () =>
          withLink(token, "manage", () =>
            withIdentity(id, (identity) => {
              state.identitiesByAddress.set(identity.address, {
                ...identity,
                status: "revoked",
                revokedAt: AT,
              });
              return { ok: true as const };
            }),
          ),
        ),
      never: (token, name) =>
        call(`never ${name}`, true, () =>
          withLink(token, "manage", () => {
            state.neverFor.add(name);
            return { ok: true as const };
          }),
        ),
      again: (token, name) =>
        call(`again ${name}`, true, () =>
          withLink(token, "manage", () => {
            state.neverFor.delete(name);
            return { ok: true as const };
          }),
        ),
      mailLink: (address, client) =>
        call(["mailLink", address, client].filter(Boolean).join(" "), true, () =>
          address.includes("@") ? { ok: true as const } : refused("invalid-field", "No address"),
        ),
    },
    messages: {
      send: (_, message, key) => call("send", true, () => send(message, key)),
      find: (_, id) =>
        call("find", false, () => {
          const message = state.messagesById.get(id);
          return message ? { ok: true as const, message } : none();
        }),
    },
    suppressions: {
      list: (_, after = "", limit = 100) =>
        call("list", false, () => {
          const all = [...state.suppressed.values()].filter(({ address }) => address > after);
          const suppressions = all.slice(0, limit);
          const next = all.length > limit ? suppressions.at(-1)?.address : undefined;
          return { ok: true as const, suppressions, ...(next === undefined ? {} : { next }) };
        }),
      add: (_, address) =>
        call("add", true, () => {
          const suppression: Suppression = { address, reason: "manual", since: AT };
          state.suppressed.set(address, suppression);
          return { ok: true as const, suppression };
        }),
      remove: (_, address) =>
        call("remove", true, () => (state.suppressed.delete(address) ? { ok: true as const } : none())),
    },
    events: {
      list: (_, after = "", limit = 100) =>
        call("list", false, () => {
          const events = state.happened.filter(({ id }) => id > after).slice(0, limit);
          return { ok: true as const, events, next: events.at(-1)?.id ?? after };
        }),
      fact: () => {
        throw new Error("not asked for here");
      },
    },
  };
  return fake;
}

function none(): Refused {
  return refused("not-found", "There is no such thing of this site");
}

export function refusal(type: ProblemType): Refused {
  return refused(type, "It is refused in this test");
}
