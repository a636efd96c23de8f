// May a site send this, in whose name, to whom, how much of it, and with which return paths: asked for every message, whether it
// came over HTTP or over SMTP. Called by messages.ts, and by the submission for sites.
import { type Mailbox, parseMailbox, type Rewriter, type UnixSeconds } from "@homing/srs-core";
import { away } from "../away.ts";
import type { NeverList } from "../identities/never-list.ts";
import type { Identities, Identity, SentMessage, Sites } from "../on-behalf.ts";
import type { Refused } from "../problem.ts";
import type { Profile, Site } from "../site.ts";
import type { Changes, OnBehalfStore } from "../store.ts";
import { visitorNetwork } from "../visitor-network.ts";
import type { Counters } from "./counters.ts";
import { countsOf } from "./limits.ts";
import { recordFact } from "./message-record.ts";
import { type ReturnPath, returnPaths } from "./return-paths.ts";
import { type SentCopy, sentChanges } from "./sent-facts.ts";
import { checkCount, checkProfile } from "./site-rules.ts";
import { whyNot } from "./suppressions.ts";

export interface Wish {
  readonly profile: Profile;
  /** Identity id or address; of `on-behalf`. */
  readonly onBehalfOf?: string | undefined;
  /** Each once. */
  readonly recipients: readonly Mailbox[];
  /** Of the browser; counted where it is given. */
  readonly visitorIp?: string | undefined;
}

export interface Admissions {
  /** Changes and counts nothing. */
  check(site: Site, wish: Wish, now: UnixSeconds): Promise<Admitted | Refused>;
}

export interface Admitted {
  readonly ok: true;
  /** Of `on-behalf`. */
  readonly user?: { readonly identity: Identity; readonly mailbox: Mailbox };
  /** In the order of the recipients. */
  readonly paths: readonly ReturnPath[];
  /** Counts it: from here on it is in all limits, unless it is settled otherwise. */
  take(): Promise<TakenMessage | Refused>;
}

export interface TakenMessage {
  readonly ok: true;
  /** For the transaction that queues the message. Ask at once before it: others count meanwhile. */
  changes(message: SentMessage): Promise<MessageChanges | "away">;
  /** Call it once, whatever happens. `unknown`: the storage went away in the middle of it. */
  settle(outcome: "done" | "undone" | "unknown"): void;
}

export type MessageChanges = Required<Pick<Changes, "write" | "present" | "absent">>;

export interface AdmissionsOptions {
  readonly store: OnBehalfStore;
  readonly identities: Pick<Identities, "usable">;
  readonly never: Pick<NeverList, "refuses">;
  readonly sites: Pick<Sites, "ofBounceDomain">;
  readonly counters: Counters;
  readonly rewriterOf: (bounceDomain: string) => Rewriter;
}

type Used = Pick<Changes, "write" | "present">;

export function createAdmissions(options: AdmissionsOptions): Admissions {
  return {
    async check(site, wish, now) {
      const { profile, onBehalfOf, recipients } = wish;
      const fault = checkProfile(site, profile, onBehalfOf) ?? checkCount(site, recipients.length);
      if (fault) return fault;
      const user = await findUser(options, site, wish, now);
      if (user && !user.ok) return user;
      for (const [place, recipient] of wish.recipients.entries()) {
        const against = await whyNot(options, { site, recipient, field: `to[${place}]`, now });
        if (against) return against;
      }
      const paths = returnPaths({
        site,
        profile: wish.profile,
        user: user?.mailbox,
        recipients: wish.recipients,
        rewriter: options.rewriterOf(site.bounceDomain),
        now,
      });
      if (!paths.ok) return paths;
      return {
        ok: true,
        ...(user && { user: { identity: user.identity, mailbox: user.mailbox } }),
        paths: paths.list,
        take: () => take(options, { site, wish, user, paths: paths.list, now }),
      };
    },
  };
}

interface Checked {
  readonly site: Site;
  readonly wish: Wish;
  readonly user: FoundUser | undefined;
  readonly paths: readonly ReturnPath[];
  readonly now: UnixSeconds;
}

async function take(
  { store, counters }: AdmissionsOptions,
  { site, wish, user, paths, now }: Checked,
): Promise<TakenMessage | Refused> {
  const network = wish.visitorIp === undefined ? undefined : visitorNetwork(wish.visitorIp);
  const counts = countsOf({ site, user: user?.mailbox, recipients: wish.recipients, network });
  const taken = await counters.take(counts, now);
  if (!taken.ok) return taken;
  return {
    ok: true,
    settle: taken.settle,
    async changes(message) {
      const { id: messageId, reference } = message;
      const sent = await sentChanges(store, copiesOf(paths), { site: site.name, messageId, reference }, now);
      if (sent === "away") return "away";
      const used = user?.used ?? {};
      return {
        write: [...(used.write ?? []), recordFact(site.name, message), ...sent.write, ...taken.facts()],
        present: used.present ?? [],
        absent: sent.absent,
      };
    },
  };
}

interface FoundUser {
  readonly ok: true;
  readonly identity: Identity;
  readonly mailbox: Mailbox;
  readonly used: Used;
}

async function findUser(
  { identities }: AdmissionsOptions,
  site: Site,
  { profile, onBehalfOf = "" }: Wish,
  now: UnixSeconds,
): Promise<FoundUser | Refused | undefined> {
  if (profile !== "on-behalf") return undefined;
  const found = await identities.usable(site, onBehalfOf, now);
  if (!found.ok) return found;
  const parsed = parseMailbox(found.identity.address);
  // It was read when the identity was asked for.
  if (!parsed.ok) return away("the identity cannot be read");
  return { ok: true, identity: found.identity, mailbox: parsed.mailbox, used: found.used };
}

function copiesOf(paths: readonly ReturnPath[]): readonly SentCopy[] {
  return paths.flatMap(({ reversePath, recipient, isMarked }) =>
    isMarked === undefined ? [] : [{ srs: reversePath, recipient, isMarked }],
  );
}
