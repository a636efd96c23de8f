// Whose address stands in From of mail on behalf of a user, and what else says who he is. Called by messages/ and by the
// plug-in. RFC 5322 §3.6.2: with the user in From, Sender is the site.
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import type { LookUpTxt } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import type { FromMode } from "../site.ts";
import { checkName } from "./check-name.ts";
import { askDmarc } from "./dmarc-policy.ts";

/** What a header writes as `"Alice" <alice@example.org>`; the name may be "". */
export interface Named {
  readonly name: string;
  readonly address: string;
}

export interface FromChoice {
  readonly mode: FromMode;
  readonly site: { readonly title: string; readonly from: Mailbox };
  readonly user: Mailbox;
  /** The user's display name. Without one his local part stands there. */
  readonly name?: string;
  readonly lookUpTxt: LookUpTxt;
}

export type ChosenFrom =
  | {
      readonly ok: true;
      readonly mode: "site" | "user";
      /** For the site's developer: one sentence, without a full stop. */
      readonly reason: string;
      readonly from: Named;
      readonly sender?: Named;
      readonly replyTo?: Named;
    }
  | Refused;

/** Looks DMARC up, unless the mode is `site`. Never rejects: where DNS does not answer, nothing permits the user's address. */
export async function chooseFrom(choice: FromChoice): Promise<ChosenFrom> {
  const fault = checkName(choice.name ?? "", "name");
  if (fault) return fault;
  if (choice.mode === "site") return fromSite(choice, "The site writes its own address into From");
  const dmarc = await askDmarc(choice.lookUpTxt, choice.user.domain);
  const because = `because ${dmarc.reason}`;
  if (dmarc.kind === "permits") return fromUser(choice, `The user's own address is in From ${because}`);
  if (choice.mode === "auto") return fromSite(choice, `The site's address is in From ${because}`);
  return refused("from-not-permitted", `The user's address cannot stand in From ${because}`, {
    field: "fromMode",
    hint:
      dmarc.kind === "unknown"
        ? "try again later, or use the mode site, which takes the site's address"
        : "use the mode site, which takes the site's address",
  });
}

function fromSite(choice: FromChoice, reason: string): ChosenFrom {
  const { site, user } = choice;
  const who = shownName(choice);
  return {
    ok: true,
    mode: "site",
    reason,
    from: { name: who === "" ? site.title : `${who} via ${site.title}`, address: renderMailbox(site.from) },
    replyTo: { name: nameOf(choice), address: renderMailbox(user) },
  };
}

function fromUser(choice: FromChoice, reason: string): ChosenFrom {
  const { site, user } = choice;
  return {
    ok: true,
    mode: "user",
    reason,
    from: { name: nameOf(choice), address: renderMailbox(user) },
    sender: { name: site.title, address: renderMailbox(site.from) },
  };
}

function nameOf({ name = "" }: FromChoice): string {
  return name.trim();
}

/** The whole address would look like a forgery: filters compare an address in the name with the one behind it. */
function shownName(choice: FromChoice): string {
  const name = nameOf(choice);
  if (name !== "") return name;
  const { localPart } = choice.user;
  return checkName(localPart, "name") ? "" : localPart;
}
