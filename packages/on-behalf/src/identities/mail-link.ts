// Mails the link to the page `mine` to whoever gives an address there. The form is open to strangers: it answers the same for
// each address, known or not, and each gets one such mail a day. Called by people.ts.
import { asciiLower, renderMailbox } from "@homing/srs-core";
import { addressKey, readAddress } from "../address-key.ts";
import type { OnBehalfOptions } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import { manageUrl } from "./links.ts";
import { linkMail } from "./mail-words.ts";
import type { NeverList } from "./never-list.ts";
import { type DayCounts, mailedFact } from "./once-a-day.ts";
import { composeOwnMail } from "./own-mail.ts";
import { secondsUntil, signingAway, storageAway } from "./refusals.ts";

/** In 24 hours, to all addresses together: whoever feeds the form a list of addresses is soon done. */
export const LINKS_PER_DAY = 200;
/** All are counted together. */
const CAUSE = "";

export interface LinkWorld {
  readonly options: OnBehalfOptions;
  readonly never: NeverList;
  readonly counts: DayCounts;
}

export async function mailLink(
  { options, never, counts }: LinkWorld,
  text: string,
): Promise<{ readonly ok: true } | Refused> {
  const read = readAddress(text, "address");
  if (!read.ok) return read;
  const to = { ...read.mailbox, domain: asciiLower(read.mailbox.domain) };
  if (to.domain.startsWith("[")) return noDomain();
  const now = options.now();
  const key = addressKey(to);
  // Whoever wants no mail at all gets none; and the rest is done for him, too, so that the time it takes does not tell.
  const [refuses, reserved] = await Promise.all([
    never.refuses(key, CAUSE, now),
    counts.reserve(CAUSE, LINKS_PER_DAY, now),
  ]);
  if (reserved.kind === "none-left") return tooMany(secondsUntil(reserved.until, now));
  if (reserved.kind === "away") return storageAway();
  const address = renderMailbox(to);
  const words = linkMail({ to, manageUrl: manageUrl(options, address, ""), hostname: options.hostname });
  const mail = refuses === "away" ? undefined : await composeOwnMail(options, words);
  if (!mail) {
    reserved.giveBack();
    return refuses === "away" ? storageAway() : signingAway();
  }
  const mailed = mailedFact("link", key, CAUSE, now);
  const outcome = await options.store.send(refuses ? [] : [mail], { now, absent: [mailed], write: [mailed] });
  if (outcome === "conflict") reserved.giveBack();
  // A second one on the same day is not mailed, and not told either.
  return outcome === "away" ? storageAway() : { ok: true };
}

function noDomain(): Refused {
  return refused("invalid-field", "address has an IP address in the place of a domain.", {
    field: "address",
    hint: "write it as alice@example.org",
  });
}

function tooMany(retryAfter: number): Refused {
  return refused("unavailable", "No more links can be mailed today.", {
    hint: "use the link at the foot of a mail that you got, or ask again later",
    retryAfter,
  });
}
