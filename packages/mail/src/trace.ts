// Trace fields: who had the message, from whom and when. RFC 5321 §4.4, RFC 5322 §3.6.7. Called by the forwarder;
// trace-reading.ts reads them.
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";

export interface Hop {
  /** The client; undefined where nobody is to learn who it was. */
  readonly from:
    | {
        /** What it called itself: hostile text. */
        readonly helo: string;
        /** Its IP address. */
        readonly address: string;
      }
    | undefined;
  /** The server that writes the field. */
  readonly by: string;
  /** `SMTP`, `ESMTP`, `ESMTPS`, `UTF8SMTP` (IANA "Mail Transmission Types"); undefined for mail of the server's own. */
  readonly protocol: string | undefined;
  readonly id: string;
  /** Tells us the message when it comes back; letters and digits alone. `readTrace` finds it. */
  readonly loopToken: string;
  /** Tells us the header of the message when a bounce returns it; letters and digits alone. None: "". */
  readonly headerMark: string;
  /** The recipient as the client gave it: the alias, never its target. */
  readonly recipient: Mailbox;
  readonly now: UnixSeconds;
}

const MAX_HELO = 255;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** One Received field, folded, with its CRLF. */
export function receivedField(hop: Hop): string {
  const from = hop.from ? `from ${heloName(hop.from.helo)} (${addressLiteral(hop.from.address)})\r\n\t` : "";
  const protocol = hop.protocol === undefined ? "" : ` with ${hop.protocol}`;
  return [
    `Received: ${from}by ${hop.by} (Homing)${protocol} id ${hop.id}`,
    // Before all that a client chose: of a field's comments, the first is taken for the token.
    `\t(loop ${hop.loopToken})`,
    ...(hop.headerMark === "" ? [] : [`\t(header ${hop.headerMark})`]),
    `\tfor <${renderMailbox(hop.recipient)}>; ${mailDate(hop.now)}`,
    "",
  ].join("\r\n");
}

/** RFC 5322 §3.3 date-time in UTC. */
export function mailDate(now: UnixSeconds): string {
  const date = new Date(now * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/** Only characters of host names and address literals: a client may not write comments or fields of its own. */
function heloName(helo: string): string {
  return helo.slice(0, MAX_HELO).replace(/[^A-Za-z0-9._:[\]-]/g, "?") || "unknown";
}

function addressLiteral(address: string): string {
  return address.includes(":") ? `[IPv6:${address}]` : `[${address}]`;
}
