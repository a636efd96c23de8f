// What arrived at the built-in inbox, for the page that shows it: the newest of them. Called by commands/local.ts.
import type { InboxMail } from "@homing/http";
import { renderMailbox, renderReversePath } from "@homing/srs-core";
import type { Arrival } from "./inbox.ts";
import { readableText } from "./readable.ts";

const MAX_SHOWN = 200;
/** Of a message that is larger, its beginning. */
const MAX_OCTETS = 256 * 1024;

export interface ShownMails {
  add(arrival: Arrival): void;
  /** Newest last. */
  readonly list: () => readonly InboxMail[];
}

export function createShownMails(): ShownMails {
  const mails: InboxMail[] = [];
  let last = 0;
  return {
    add({ reversePath, recipient, subject, message }) {
      const text = message.toString("utf8", 0, MAX_OCTETS);
      last++;
      mails.push({
        id: last,
        reversePath: renderReversePath(reversePath),
        recipient: renderMailbox(recipient),
        subject,
        message: text,
        text: readableText(text),
      });
      if (mails.length > MAX_SHOWN) mails.shift();
    },
    list: () => mails,
  };
}
