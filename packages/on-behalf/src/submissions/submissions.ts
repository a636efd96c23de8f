// Mail that a site has composed itself and hands in by SMTP: in whose name it is, whether it may go, with which return paths. The
// same admissions as for HTTP decide. Called by the submission policy of the composition root.
import {
  asciiLower,
  type Mailbox,
  NULL_PATH,
  type ReversePath,
  type Rewriter,
  renderMailbox,
  type UnixSeconds,
} from "@homing/srs-core";
import { addressKey } from "../address-key.ts";
import { away } from "../away.ts";
import type { NeverList } from "../identities/never-list.ts";
import type { Admissions, Admitted, TakenMessage } from "../messages/admissions.ts";
import type { EventLog } from "../messages/events.ts";
import { messageIdOf } from "../messages/message-record.ts";
import { allowsFrom, checkProfile } from "../messages/site-rules.ts";
import { whyNot } from "../messages/suppressions.ts";
import type { Identities, LookUpTxt, Returns, SentMessage, Sites } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import { chooseFrom } from "../sender/choose-from.ts";
import type { Profile, Site } from "../site.ts";
import type { Changes, OnBehalfStore } from "../store.ts";

/** What a return path says: the user, the site itself, or nobody. */
export type SiteSender =
  | { readonly profile: "on-behalf"; readonly user: Mailbox }
  | { readonly profile: Exclude<Profile, "on-behalf"> };

export interface SubmittedMessage {
  readonly queueId: string;
  /** Each once. */
  readonly recipients: readonly Mailbox[];
  /** The only author in From. */
  readonly author: Mailbox;
  /** For the record: as it stands in the header, cut. */
  readonly subject: string;
}

export interface AdmittedMessage {
  readonly ok: true;
  /** Who is told of failures. */
  readonly sender: ReversePath;
  /** In the order of the recipients: envelope senders, and fields on top, each with its CRLF. */
  readonly copies: readonly {
    readonly recipient: Mailbox;
    readonly reversePath: ReversePath;
    readonly fields: string;
  }[];
  /** For the transaction that queues it. */
  readonly changes: Changes;
  /** Call it once, whatever became of that. */
  settle(outcome: "done" | "undone" | "unknown"): void;
}

export interface Submissions {
  sender(
    site: Site,
    reversePath: ReversePath,
  ): Promise<{ readonly ok: true; readonly sender: SiteSender } | Refused>;
  /** Undefined where nothing is against it. */
  recipient(site: Site, recipient: Mailbox): Promise<Refused | undefined>;
  message(site: Site, sender: SiteSender, message: SubmittedMessage): Promise<AdmittedMessage | Refused>;
}

export interface SubmissionsOptions {
  readonly store: OnBehalfStore;
  readonly admissions: Admissions;
  readonly identities: Pick<Identities, "usable">;
  readonly never: Pick<NeverList, "refuses">;
  readonly sites: Pick<Sites, "ofBounceDomain">;
  readonly events: Pick<EventLog, "fact" | "underWay">;
  readonly returns: Pick<Returns, "isNobody">;
  readonly rewriterOf: (bounceDomain: string) => Rewriter;
  readonly lookUpTxt: LookUpTxt;
  readonly manageUrl: (address: string, site: string) => string;
  readonly now: () => UnixSeconds;
}

export function createSubmissions(options: SubmissionsOptions): Submissions {
  return {
    async sender(site, reversePath) {
      const named = senderOf(options, site, reversePath);
      if (!named.ok) return named;
      const { sender } = named;
      const user = sender.profile === "on-behalf" ? renderMailbox(sender.user) : undefined;
      const fault = checkProfile(site, sender.profile, user);
      if (fault) return fault;
      if (user === undefined) return named;
      const identity = await options.identities.usable(site, user, options.now());
      if (!identity.ok) return identity;
      return identity.identity.scope === "visitor" ? NO_VISITORS : named;
    },

    recipient: (site, recipient) =>
      whyNot(options, { site, recipient, field: "recipient", now: options.now() }),

    async message(site, sender, message) {
      const now = options.now();
      const wrongFrom = await checkAuthor(options, site, sender, message.author);
      if (wrongFrom) return wrongFrom;
      const onBehalfOf = sender.profile === "on-behalf" ? renderMailbox(sender.user) : undefined;
      const wish = { profile: sender.profile, onBehalfOf, recipients: message.recipients };
      const admitted = await options.admissions.check(site, wish, now);
      if (!admitted.ok) return admitted;
      const taken = await admitted.take();
      if (!taken.ok) return taken;
      return await ready(options, { site, sender, message, admitted, taken, now });
    },
  };
}

/** A return path that the plug-in made, or the address that shall be wrapped. */
function senderOf(
  { returns, rewriterOf, now }: SubmissionsOptions,
  site: Site,
  reversePath: ReversePath,
): { readonly ok: true; readonly sender: SiteSender } | Refused {
  if (reversePath === NULL_PATH || isNobodyOf(returns, site, reversePath))
    return { ok: true, sender: { profile: "unimportant" } };
  if (asciiLower(reversePath.domain) !== site.bounceDomain)
    return { ok: true, sender: senderNamed(site, reversePath) };
  const reversed = rewriterOf(site.bounceDomain).reverse(reversePath, now());
  if (reversed.ok) return { ok: true, sender: senderNamed(site, reversed.address) };
  return refused("identity-not-confirmed", "the return path is no SRS address of this site", {
    hint: "give the user's own address as sender, or make the return path with the site's secrets",
  });
}

function isNobodyOf(returns: Pick<Returns, "isNobody">, site: Site, address: Mailbox): boolean {
  return returns.isNobody(address) && addressKey(address).endsWith(`@${site.bounceDomain}`);
}

function senderNamed(site: Site, address: Mailbox): SiteSender {
  const key = addressKey(address);
  const isSite = key === addressKey(site.from) || key === addressKey(site.returnTo);
  return isSite ? { profile: "transactional" } : { profile: "on-behalf", user: address };
}

const NO_VISITORS = refused("visitor-rules", "a visitor's mail cannot be handed in by SMTP", {
  hint: "use POST /v1/messages, which checks what a visitor may write",
});

/** From is the site's; or the user's, where DMARC of his domain permits it. */
async function checkAuthor(
  { lookUpTxt }: SubmissionsOptions,
  site: Site,
  sender: SiteSender,
  author: Mailbox,
): Promise<Refused | undefined> {
  const key = addressKey(author);
  if (key === addressKey(site.from)) return undefined;
  // Of the site itself any name at its domain writes.
  const isOwnDomain = asciiLower(author.domain) === asciiLower(site.from.domain);
  if (isOwnDomain && sender.profile !== "on-behalf") return undefined;
  if (sender.profile !== "on-behalf" || key !== addressKey(sender.user) || !allowsFrom(site, "user"))
    return refused("from-not-permitted", "From holds an address that is not the site's", {
      field: "From",
      hint: `write ${renderMailbox(site.from)} there, and the user into Reply-To`,
    });
  const chosen = await chooseFrom({ mode: "user", site, user: sender.user, lookUpTxt });
  return chosen.ok ? undefined : chosen;
}

interface Taking {
  readonly site: Site;
  readonly sender: SiteSender;
  readonly message: SubmittedMessage;
  readonly admitted: Admitted;
  readonly taken: TakenMessage;
  readonly now: UnixSeconds;
}

async function ready(options: SubmissionsOptions, taking: Taking): Promise<AdmittedMessage | Refused> {
  const { site, sender, admitted, taken, now } = taking;
  const record = recordOf(taking);
  const changes = await taken.changes(record);
  if (changes === "away") {
    taken.settle("undone");
    return away();
  }
  const { id, profile, recipients } = record;
  const data = { message: id, profile, recipients: recipients.length };
  const event = options.events.fact(site.name, "message.queued", now, data);
  const over = options.events.underWay([event]);
  return {
    ok: true,
    sender: admitted.paths[0]?.sender ?? NULL_PATH,
    copies: admitted.paths.map(({ recipient, reversePath }) => ({
      recipient,
      reversePath,
      fields:
        sender.profile === "on-behalf"
          ? unsubscribeFields(options.manageUrl(renderMailbox(recipient), site.name))
          : "",
    })),
    changes: { ...changes, now, write: [...changes.write, event] },
    settle(outcome) {
      taken.settle(outcome);
      over(outcome === "unknown" ? "unknown" : "known");
    },
  };
}

/** RFC 2369, RFC 8058: its content is the site's, so the way out stands in the header. */
function unsubscribeFields(url: string): string {
  return `List-Unsubscribe: <${url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n`;
}

function recordOf({ sender, message, now }: Taking): SentMessage {
  const isUser = sender.profile === "on-behalf" && addressKey(message.author) === addressKey(sender.user);
  return {
    id: messageIdOf(message.queueId),
    profile: sender.profile,
    createdAt: now,
    from: {
      address: renderMailbox(message.author),
      mode: isUser ? "user" : "site",
      reason: "The site composed the message",
    },
    subject: message.subject,
    recipients: message.recipients.map((recipient) => ({
      address: renderMailbox(recipient),
      status: "queued",
    })),
  };
}
