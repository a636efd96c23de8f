// Messages of sites: checked, counted, composed, and stored in one transaction with all that is known of them. Called by
// packages/http.
import { renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { away } from "../away.ts";
import type { Events, MessageRequest, Messages, OnBehalfOptions, SentMessage } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import { type ChosenFrom, chooseFrom } from "../sender/choose-from.ts";
import type { Site } from "../site.ts";
import type { Changes, Mail } from "../store.ts";
import type { Admissions, Admitted, TakenMessage } from "./admissions.ts";
import { type CheckedRequest, checkRequest, checkVisitor } from "./check-request.ts";
import { composeCopy, fromSiteItself } from "./compose-copy.ts";
import { type Begun, createIdempotency } from "./idempotency.ts";
import { findRecord, messageIdOf, queueIdOf } from "./message-record.ts";

export interface MessagesOptions
  extends Pick<OnBehalfOptions, "store" | "lookUpTxt" | "now" | "newId" | "newSecretId" | "sign"> {
  readonly admissions: Admissions;
  readonly events: Pick<Events, "fact">;
  /** The link at the foot, by the recipient's address and the site. */
  readonly manageUrl: (address: string, site: string) => string;
}

type Sent = { readonly ok: true; readonly message: SentMessage; readonly repeated: boolean };

/** Something changed between the look and the transaction: what was looked at is looked at again. */
const TRIES = 3;

export function createMessages(options: MessagesOptions): Messages {
  const { store, now } = options;
  const idempotency = createIdempotency(store);

  return {
    async send(site, request, idempotencyKey) {
      if (idempotencyKey === undefined) return await sendOnce(options, site, request, undefined);
      const begun = idempotency.begin(site.name, idempotencyKey, request);
      if (!begun.ok) return begun;
      try {
        return await sendOnce(options, site, request, begun);
      } finally {
        begun.end();
      }
    },

    async find(site, id) {
      const message = await findRecord(store, site.name, id, now());
      if (message === "away") return away();
      if (!message)
        return refused("not-found", "the site has no message with this id, or it is older than 30 days", {
          hint: "give the id that POST /v1/messages answered",
        });
      return { ok: true, message };
    },
  };
}

async function sendOnce(
  options: MessagesOptions,
  site: Site,
  request: MessageRequest,
  begun: Begun | undefined,
): Promise<Sent | Refused> {
  for (let tries = 0; tries < TRIES; tries++) {
    const earlier = await begun?.earlier(options.now());
    if (earlier && "ok" in earlier) return earlier;
    if (earlier) return { ok: true, message: earlier, repeated: true };
    const outcome = await attempt(options, site, request, begun);
    if (outcome !== "conflict") return outcome;
  }
  return away("others change the same things at the same time");
}

async function attempt(
  options: MessagesOptions,
  site: Site,
  request: MessageRequest,
  begun: Begun | undefined,
): Promise<Sent | Refused | "conflict"> {
  const now = options.now();
  const checked = checkRequest(site, request);
  if (!checked.ok) return checked;
  const { profile, onBehalfOf, visitorIp } = request;
  const wish = { profile, onBehalfOf, visitorIp, recipients: checked.recipients };
  const admitted = await options.admissions.check(site, wish, now);
  if (!admitted.ok) return admitted;
  const fault = admitted.user && checkVisitor(request, admitted.user.identity.scope);
  if (fault) return fault;
  const from = await fromOf(options, site, request, { checked, admitted });
  if (!from.ok) return from;
  const taken = await admitted.take();
  if (!taken.ok) return taken;
  return await post(options, { site, request, admitted, from, taken, begun, now });
}

interface Posting {
  readonly site: Site;
  readonly request: MessageRequest;
  readonly admitted: Admitted;
  readonly from: Extract<ChosenFrom, { ok: true }>;
  readonly taken: TakenMessage;
  readonly begun: Begun | undefined;
  readonly now: UnixSeconds;
}

async function post(options: MessagesOptions, posting: Posting): Promise<Sent | Refused | "conflict"> {
  const { taken, now } = posting;
  let outcome: "done" | "undone" | "unknown" = "undone";
  try {
    const id = options.newId();
    const mails = await composeAll(options, posting, id);
    if (!mails) return away("the message cannot be signed now");
    const message = sentMessage(posting, messageIdOf(queueIdOf(id, 0)));
    const changes = await changesOf(options, posting, message);
    if (changes === "away") return away();
    outcome = "unknown";
    const stored = await options.store.send(mails, { ...changes, now });
    if (stored === "away") return away();
    outcome = stored === "done" ? "done" : "undone";
    return stored === "done" ? { ok: true, message, repeated: false } : "conflict";
  } finally {
    taken.settle(outcome);
  }
}

/** Undefined where one cannot be signed now. */
async function composeAll(
  options: MessagesOptions,
  { site, request, admitted, from, now }: Posting,
  id: string,
): Promise<readonly Mail[] | undefined> {
  const user = admitted.user?.mailbox;
  const copies = admitted.paths.map((path, place) =>
    composeCopy({
      site,
      request,
      from,
      user,
      path,
      queueId: queueIdOf(id, place),
      manageUrl: options.manageUrl(renderMailbox(path.recipient), site.name),
      boundary: options.newSecretId(),
      now,
      sign: options.sign,
    }),
  );
  const mails = (await Promise.all(copies)).filter((mail) => mail !== undefined);
  return mails.length === copies.length ? mails : undefined;
}

async function changesOf(
  { events }: MessagesOptions,
  { site, taken, begun, now }: Posting,
  message: SentMessage,
): Promise<Omit<Changes, "now"> | "away"> {
  const changes = await taken.changes(message);
  if (changes === "away") return "away";
  const { id, profile, reference, recipients } = message;
  const data = {
    message: id,
    profile,
    recipients: recipients.length,
    ...(reference !== undefined && { reference }),
  };
  const event = events.fact(site.name, "message.queued", now, data);
  return {
    write: [...changes.write, event, ...(begun ? [begun.fact(message, now)] : [])],
    present: changes.present,
    absent: [...changes.absent, ...(begun ? [begun.name] : [])],
  };
}

function sentMessage({ request, admitted, from, now }: Posting, id: string): SentMessage {
  const { profile, subject, reference } = request;
  return {
    id,
    profile,
    createdAt: now,
    from: { address: from.from.address, mode: from.mode, reason: from.reason },
    subject,
    ...(reference !== undefined && { reference }),
    recipients: admitted.paths.map(({ recipient }) => ({
      address: renderMailbox(recipient),
      status: "queued",
    })),
  };
}

async function fromOf(
  { lookUpTxt }: MessagesOptions,
  site: Site,
  { fromMode, name }: MessageRequest,
  { checked, admitted }: { readonly checked: CheckedRequest; readonly admitted: Admitted },
): Promise<ChosenFrom> {
  if (!admitted.user) return fromSiteItself(site, checked.replyTo);
  return await chooseFrom({
    mode: fromMode ?? site.fromMode,
    site,
    user: admitted.user.mailbox,
    ...(name !== undefined && { name }),
    lookUpTxt,
  });
}
