// What our own mails say. Of what others chose there is in them: the address, the name of the site as the operator wrote it, and
// its domain. Called by request-identity.ts and mail-link.ts.
import { printable, renderMailbox } from "@homing/srs-core";
import type { Scope } from "../on-behalf.ts";
import type { Site } from "../site.ts";
import { type OwnMail, wrapped } from "./own-mail.ts";

export interface ConfirmationWords {
  readonly site: Pick<Site, "title" | "from">;
  readonly to: OwnMail["to"];
  readonly scope: Scope;
  readonly confirmUrl: string;
  readonly manageUrl: string;
  readonly hostname: string;
}

export function confirmationMail(words: ConfirmationWords): OwnMail {
  const { to, site, scope, hostname } = words;
  const title = titleOf(site);
  return {
    to,
    subject: `Confirm your address for ${title}`,
    lines: [
      ...wrapped(`Somebody gave this address to ${title} (${site.from.domain}), and said that it is theirs:`),
      "",
      `    ${renderMailbox(to)}`,
      "",
      "If that was you, open this page and press the button there:",
      "",
      words.confirmUrl,
      "",
      ...wrapped(`What it means: ${WHAT_IT_MEANS[scope](title)} ${UNTIL}`),
      "",
      ...wrapped(
        "If it was not you, do nothing. Opening the link changes nothing; without the button no mail is sent in your " +
          "name, and the link is dead after 24 hours. Such a mail comes once a day at most.",
      ),
      "",
      ...foot(words.manageUrl, hostname),
    ],
  };
}

export interface LinkWords {
  readonly to: OwnMail["to"];
  readonly manageUrl: string;
  readonly hostname: string;
}

export function linkMail({ to, manageUrl, hostname }: LinkWords): OwnMail {
  return {
    to,
    subject: `Your mail at ${hostname}`,
    lines: [
      ...wrapped(
        `Somebody asked ${hostname} for a link to what is sent in the name of this address, and to it:`,
      ),
      "",
      `    ${renderMailbox(to)}`,
      "",
      ...wrapped(
        "If it was not you, do nothing: nobody but you has the link. Such a mail comes once a day at most. Whoever has " +
          "the link can do what you can do with it, so do not pass it on.",
      ),
      "",
      ...foot(manageUrl, hostname),
    ],
  };
}

const WHAT_IT_MEANS: Readonly<Record<Scope, (title: string) => string>> = {
  user: (title) =>
    `when you are logged in and ask it to, ${title} sends mail on your behalf, which names you as its author. Where it ` +
    "cannot be delivered, you are told.",
  visitor: (title) =>
    `when you ask it to, ${title} sends short notes on your behalf, which name you as their author. Where one cannot be ` +
    "delivered, you are told.",
};

const UNTIL = "It ends when you say so, or when nothing was sent for 180 days.";

function foot(manageUrl: string, hostname: string): readonly string[] {
  return [
    "See and stop what is sent in your name or to you, without an account:",
    "",
    manageUrl,
    "",
    "-- ",
    `${hostname} wrote this by itself. Answers are not read.`,
  ];
}

/** Of the configuration; and yet no line of a header or of the text ends where it does. */
function titleOf({ title }: Pick<Site, "title">): string {
  return printable(title.toWellFormed(), MAX_TITLE).replace(BIDI, "?");
}

const MAX_TITLE = 80;
/** Signs that turn the order of what follows. */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
