// Envelopes: the return path of each copy, and who is told where we cannot deliver it. SRS on itself: the bounce comes here, is
// verified, and goes to the user. Called by admissions.ts.
import {
  asciiLower,
  type Mailbox,
  NULL_PATH,
  type ReversePath,
  type Rewriter,
  type UnixSeconds,
} from "@homing/srs-core";
import { NOBODY } from "../own-return-paths.ts";
import { type Refused, refused } from "../problem.ts";
import type { Profile, Site } from "../site.ts";

export interface ReturnPath {
  readonly recipient: Mailbox;
  /** Who is told of failures: the user or the site; nobody of mail that does not matter. */
  readonly sender: ReversePath;
  readonly reversePath: Mailbox;
  /** It is an SRS address with a mark of the recipient in its tag; undefined: it is none. */
  readonly isMarked: boolean | undefined;
}

export interface ReturnPathsWish {
  readonly site: Site;
  readonly profile: Profile;
  /** Of `on-behalf`. */
  readonly user: Mailbox | undefined;
  readonly recipients: readonly Mailbox[];
  readonly rewriter: Rewriter;
  readonly now: UnixSeconds;
}

export function returnPaths(
  wish: ReturnPathsWish,
): { readonly ok: true; readonly list: readonly ReturnPath[] } | Refused {
  const { site, profile, user, recipients } = wish;
  if (profile === "unimportant") {
    const reversePath = { localPart: NOBODY, domain: site.bounceDomain };
    return {
      ok: true,
      list: recipients.map((recipient) => ({
        recipient,
        sender: NULL_PATH,
        reversePath,
        isMarked: undefined,
      })),
    };
  }
  const sender = user ?? site.returnTo;
  const list: ReturnPath[] = [];
  for (const recipient of recipients) {
    const forged = wish.rewriter.forward(sender, wish.now, { alias: recipient });
    if (!forged.ok) return notCarried(forged, "onBehalfOf");
    // Only an SRS address of our own is left as it is: no mailbox has one.
    if (!forged.rewritten) return notCarried(OWN, "onBehalfOf");
    const reversePath = forged.sender;
    list.push({ recipient, sender, reversePath, isMarked: isMarked(wish.rewriter, reversePath, recipient) });
  }
  return { ok: true, list };
}

/** Where 64 octets do not suffice the mark is left out, and classic tags have none. */
function isMarked(rewriter: Rewriter, { localPart }: Mailbox, recipient: Mailbox): boolean {
  const [mark] = rewriter.selectorsOf(recipient);
  const tag = asciiLower(localPart.slice("SRS0=".length)).split("=")[0] ?? "";
  // Of a classic tag, four characters, no six can be the end.
  return mark !== undefined && tag.endsWith(mark);
}

interface Unfit {
  readonly reason: "too-long" | "bad-address";
  readonly message: string;
}

const OWN: Unfit = { reason: "bad-address", message: "the address is a return path of ours" };

/** Undefined where return paths can be made of the address. */
export function checkSender(
  rewriter: Pick<Rewriter, "forward">,
  sender: Mailbox,
  { now, field }: { readonly now: UnixSeconds; readonly field: string },
): Refused | undefined {
  const forged = rewriter.forward(sender, now);
  return forged.ok ? undefined : notCarried(forged, field);
}

function notCarried({ reason, message }: Unfit, field: string): Refused {
  if (reason === "too-long") {
    return refused("sender-too-long", message, { field, hint: "the user needs a shorter address" });
  }
  return refused("invalid-field", message, { field, hint: "the user needs another address" });
}
