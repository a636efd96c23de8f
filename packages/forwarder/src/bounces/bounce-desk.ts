// What becomes of a bounce that came in whole: read, judged, and told to the original sender in our own words, so that nothing
// of the private address comes home with it. Called by receive.ts at the end of DATA; ADR 0020 has the reasons.
import { mayTell, type Remembered, reissue } from "@homing/bounce-handler";
import type { Reply } from "@homing/mail";
import { asciiLower, type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { Incoming, Lead } from "../hand-over/incoming.ts";
import type { HeaderMarks } from "../header-mark.ts";
import type { UnwrappedSrs0 } from "../routes.ts";
import { WorkRefused } from "../threads/work-refused.ts";
import type { AliasOfBounce } from "./alias-of-bounce.ts";
import { createBounceAlarms } from "./bounce-alarms.ts";
import { type GiveBackOptions, giveBack } from "./give-back.ts";
import type { Links } from "./links.ts";
import { needsSmtpUtf8 } from "./own-message.ts";
import type { ReadBounce } from "./read-content.ts";
import { senderKey } from "./return-keys.ts";
import { NO_NOTES, OVER_BUDGET, type ReturnPost } from "./return-post.ts";
import type { SentBounces } from "./sent-bounces.ts";
import { verdictOf } from "./verdict.ts";

export interface BounceDeskOptions extends GiveBackOptions {
  readonly read: ReadBounce;
  readonly aliasOf: AliasOfBounce;
  readonly headerMarks: Pick<HeaderMarks, "proven">;
  /** Undefined where nothing is remembered of mail that was forwarded. */
  readonly links: Pick<Links, "find"> | undefined;
  /** To mail that was sent from here; undefined where none is. */
  readonly sent: SentBounces | undefined;
  /** Budgets of automatic answers. */
  readonly answers: Pick<ReturnPost, "pass">;
  readonly newId: () => string;
}

export interface BounceDesk {
  /** The answer to the final dot. */
  take(mail: Incoming, unwrapped: UnwrappedSrs0): Promise<Reply>;
}

const NOT_READ_NOW: Reply = {
  code: 451,
  enhanced: "4.3.0",
  text: "the bounce could not be read, try again later",
};
const NOTHING_SAID: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "this address takes only bounces, and this one does not say what became of whom",
};
const NOT_KNOWN_NOW: Reply = {
  code: 451,
  enhanced: "4.3.0",
  text: "it is not known now which mail the bounce is about, try again later",
};
const ENOUGH_ANSWERS: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "this address takes no further automatic answers today",
};

export function createBounceDesk(options: BounceDeskOptions): BounceDesk {
  const refused = (mail: Incoming, { recipient }: Lead, reason: string, reply: Reply): Reply => {
    options.report({ event: "bounce-refused", id: mail.id, recipient: renderMailbox(recipient), reason });
    return reply;
  };
  const passAnswer = async (mail: Incoming, lead: Lead, unwrapped: UnwrappedSrs0, now: UnixSeconds) => {
    const failure = { key: `answer ${senderKey(unwrapped)}`, about: "", messageId: "" };
    const passing = { pass: () => options.passOn(mail), notes: NO_NOTES, beyond: "not-taken" } as const;
    const posted = await options.answers.pass(failure, now, passing);
    if (posted.kind === "not-told" && posted.reply === OVER_BUDGET)
      return refused(mail, lead, "too-many-answers", ENOUGH_ANSWERS);
    return posted.reply;
  };
  const alarms = createBounceAlarms((alarm) => options.report({ event: "many-bounces", ...alarm }));
  return {
    async take(mail, unwrapped) {
      const [lead] = mail.leads;
      if (!lead) throw new Error("a bounce has one recipient");
      const report = await readOrRefused(options, mail);
      if (report === undefined) return NOT_READ_NOW;
      const proven = options.headerMarks.proven(unwrapped.to, report.returned ?? []);
      const facts = await options.aliasOf(unwrapped, proven?.alias);
      const { settings } = facts;
      const { isAnswer, to } = unwrapped;
      const verdict = verdictOf({ report, octets: mail.content.octets, isAnswer, settings });
      if (verdict.kind === "refuse") return refused(mail, lead, verdict.reason, verdict.reply);
      const now = options.now();
      if (verdict.kind === "answer") return await passAnswer(mail, lead, unwrapped, now);
      const sent = await options.sent?.find(unwrapped, lead.recipient, now);
      if (sent === "away") return NOT_KNOWN_NOW;
      const alias = sent?.to?.recipient ?? facts.alias;
      alarms.count(to.domain, now);
      const { hostname } = options;
      const id = options.newId();
      const { diagnostic } = settings;
      const smtpUtf8 = needsSmtpUtf8(to);
      const link = sent ? undefined : await options.links?.find(unwrapped, report.returned ?? []);
      const dsn = reissue({
        ...{ report, hostname, id, now, to, alias, diagnostic, smtpUtf8 },
        foot: sent?.foot,
        // Of one message, or of none.
        proven: proven && isSame(proven.alias, alias) ? proven.header : undefined,
        // NOTIFY is the sender's: whether anybody else hears of the bounce, it does not say.
        remembered: link && withoutNotify(link),
      });
      if (dsn.kind === "nothing") return refused(mail, lead, dsn.why, NOTHING_SAID);
      const isAsked = !link || mayTell(link.notify, dsn.action);
      return await giveBack(options, {
        ...{ mail, lead, unwrapped, report, dsn, isAsked, id, now, alias, settings, sent },
        proven: proven?.alias,
      });
    },
  };
}

/** Undefined where the thread that read it is gone, whosever fault that was: the event that says why is told once of all it had. */
async function readOrRefused({ read }: BounceDeskOptions, { content }: Incoming) {
  try {
    return await read(content);
  } catch (error) {
    if (error instanceof WorkRefused && error.reason !== "failed") return undefined;
    throw error;
  }
}

/** The alias that is proven was folded for its mark. */
function isSame(proven: Mailbox, alias: Mailbox | undefined): boolean {
  return alias !== undefined && asciiLower(renderMailbox(proven)) === asciiLower(renderMailbox(alias));
}

function withoutNotify({ notify: _, ...remembered }: Remembered): Remembered {
  return remembered;
}
