// Mails the link to the page `mine` to whoever gives an address there. The form is open to strangers: it answers the same for
// each address, known or not, and each gets one such mail a day. Also who wants no mail from any site: the link is the only way
// back for him, and he asks for it himself. Called by people.ts.
import { renderMailbox } from "@homing/srs-core";
import { personKey, readReachable } from "../address-key.ts";
import { away, signingAway } from "../away.ts";
import type { OnBehalfOptions } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import { visitorNetwork } from "../visitor-network.ts";
import { keyHash } from "./key-hash.ts";
import { manageUrl } from "./links.ts";
import { linkMail } from "./mail-words.ts";
import { ALL_CAUSES, type DayCounts, mailedFact } from "./once-a-day.ts";
import { composeOwnMail } from "./own-mail.ts";
import { secondsUntil } from "./refusals.ts";

/** In 24 hours, to all addresses together: whoever feeds the form lists of addresses from many networks is soon done. */
export const LINKS_PER_DAY = 1000;
/** In 24 hours, asked for from one network: so that nobody alone spends those of all. */
export const LINKS_PER_NETWORK = 10;

export interface LinkWorld {
  readonly options: OnBehalfOptions;
  readonly counts: DayCounts;
}

export async function mailLink(
  { options, counts }: LinkWorld,
  text: string,
  visitorIp?: string,
): Promise<{ readonly ok: true } | Refused> {
  const read = readReachable(text, "address");
  if (!read.ok) return read;
  const to = read.mailbox;
  const now = options.now();
  const cause = causeOf(visitorIp);
  const reserved = await counts.reserve(
    new Map([
      [cause, LINKS_PER_NETWORK],
      [ALL_CAUSES, LINKS_PER_DAY],
    ]),
    now,
  );
  if (reserved.kind === "none-left") return tooMany(reserved.cause, secondsUntil(reserved.until, now));
  if (reserved.kind === "away") return away();
  const address = renderMailbox(to);
  const words = linkMail({ to, manageUrl: manageUrl(options, address, ""), hostname: options.hostname });
  const mail = await composeOwnMail(options, words);
  if (!mail) {
    reserved.giveBack();
    return signingAway();
  }
  const mailed = mailedFact("link", personKey(to), cause, now);
  const outcome = await options.store.send([mail], { now, absent: [mailed], write: [mailed] });
  if (outcome === "conflict") reserved.giveBack();
  // A second one on the same day is not mailed, and not told either.
  return outcome === "away" ? away() : { ok: true };
}

/** Addresses of visitors are not kept: a hash is enough to count. One that is not known is counted among all alone. */
function causeOf(visitorIp: string | undefined): string {
  const network = visitorIp === undefined ? undefined : visitorNetwork(visitorIp);
  return network === undefined ? ALL_CAUSES : keyHash(`link ${network}`);
}

function tooMany(cause: string, retryAfter: number): Refused {
  const whose = cause === ALL_CAUSES ? "" : " to those who ask from your network";
  return refused("limit-links", `no more links can be mailed${whose} today`, {
    hint: "use the link at the foot of a mail that you got, or ask again later",
    retryAfter,
  });
}
