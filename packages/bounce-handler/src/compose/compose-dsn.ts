// Writes a DSN of our own: a multipart/report (RFC 6522) with a delivery status (RFC 3464) and the header of what came.
// Nothing is copied from the next hop's words, and the target is not even an argument: what is not known here cannot be
// given away (ADR 0013). Pure. Called by the forwarder's queue, and by reissue/.
import { deliveryStatus } from "./delivery-status.ts";
import type { Dsn } from "./dsn.ts";
import { dsnWords, subjectWords } from "./dsn-words.ts";
import { messageIdOf } from "./header-fields.ts";
import { reportMail } from "./own-mail.ts";
import { headerOf, returnedPart } from "./returned-part.ts";

export function composeDsn(dsn: Dsn): Buffer {
  return reportMail(
    dsn,
    {
      subject: subjectWords(dsn),
      messageId: messageIdOf(headerOf(dsn.original)),
      automatic: "auto-replied",
    },
    { words: dsnWords(dsn), status: deliveryStatus(dsn), returned: returnedPart(dsn) },
  );
}
