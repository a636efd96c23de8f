// One copy of a message for one recipient: composed, signed, in its envelope. Called by messages.ts.
import { type Mailbox, renderMailbox, renderReversePath, type UnixSeconds } from "@homing/srs-core";
import type { MessageRequest, OnBehalfOptions } from "../on-behalf.ts";
import type { ChosenFrom, Named } from "../sender/choose-from.ts";
import type { Site } from "../site.ts";
import type { Mail } from "../store.ts";
import { withHtmlFoot, withTextFoot } from "./foot.ts";
import type { ReturnPath } from "./return-paths.ts";

export interface CopyWish {
  readonly site: Site;
  readonly request: MessageRequest;
  readonly from: Extract<ChosenFrom, { ok: true }>;
  readonly user: Mailbox | undefined;
  readonly path: ReturnPath;
  readonly queueId: string;
  readonly manageUrl: string;
  readonly boundary: string;
  readonly now: UnixSeconds;
  readonly sign: OnBehalfOptions["sign"];
}

/** Undefined where it cannot be signed now. */
export async function composeCopy(wish: CopyWish): Promise<Mail | undefined> {
  const { site, request, from, user, path, queueId, manageUrl, now } = wish;
  const foot = { site, user, manageUrl };
  // With the library, which a process that only reads a configuration does without.
  const { composeMail } = await import("./compose-mail.ts");
  const composed = await composeMail({
    from: from.from,
    sender: from.sender,
    replyTo: from.replyTo,
    to: renderMailbox(path.recipient),
    subject: request.subject,
    // Of the site, which answers for it, and not of the bounce domain.
    messageId: `${queueId}@${site.from.domain}`,
    now,
    text: withTextFoot(request.text, foot),
    html: request.html === undefined ? undefined : withHtmlFoot(request.html, foot),
    manageUrl,
    feedbackId: `${request.profile}:${site.name}`,
    boundary: wish.boundary,
  });
  // Also where the user is in From: his domain's key is not ours.
  const message = await wish.sign(composed, site.from.domain).catch(() => undefined);
  if (!message) return undefined;
  return {
    id: queueId,
    sender: path.sender,
    reversePath: path.reversePath,
    recipient: path.recipient,
    message,
    eightBit: hasUtf8(message),
    smtpUtf8: needsSmtpUtf8(message, path),
  };
}

/** Of mail of the site itself. */
export function fromSiteItself(site: Site, replyTo: Mailbox | undefined): Extract<ChosenFrom, { ok: true }> {
  const reply: Named | undefined = replyTo && { name: "", address: renderMailbox(replyTo) };
  return {
    ok: true,
    mode: "site",
    reason: "The site itself writes",
    from: { name: site.title, address: renderMailbox(site.from) },
    ...(reply && { replyTo: reply }),
  };
}

/** RFC 6531 §3.2: UTF-8 in the envelope or in the header. */
function needsSmtpUtf8(message: Buffer, { recipient, reversePath }: ReturnPath): boolean {
  const envelope = renderReversePath(reversePath) + renderMailbox(recipient);
  const headerEnd = message.indexOf("\r\n\r\n");
  const header = headerEnd < 0 ? message : message.subarray(0, headerEnd);
  return hasUtf8(Buffer.from(envelope)) || hasUtf8(header);
}

function hasUtf8(octets: Buffer): boolean {
  return octets.some((octet) => octet > 0x7f);
}
