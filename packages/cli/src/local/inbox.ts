// The built-in inbox of `homing local`: one small SMTP server that plays every other mail server in the world. It takes
// all mail; what loopback.ts has it bounce comes back in the form of a real server.
import { listenSmtp, type SmtpListener } from "@homing/forwarder";
import { type Content, type Reply, wholeContent } from "@homing/mail";
import { type Mailbox, printable, type ReversePath, renderMailbox } from "@homing/srs-core";

export interface Arrival {
  readonly reversePath: ReversePath;
  readonly recipient: Mailbox;
  readonly subject: string;
  readonly message: Buffer;
}

export interface InboxOptions {
  readonly host: string;
  readonly hostname: string;
  /** Called before the sender gets its 250. */
  readonly arrived: (arrival: Arrival) => void;
  /** A bug: the client was told 451. */
  readonly failed: (error: unknown) => void;
}

const OK: Reply = { code: 250, enhanced: "2.0.0", text: "ok" };
const HEADER_OCTETS = 64 * 1024;

export function startInbox(options: InboxOptions): Promise<SmtpListener> {
  return listenSmtp(
    {
      host: options.host,
      port: 0,
      hostname: options.hostname,
      maxMessageOctets: 64 * 1024 * 1024,
      maxClients: 100,
    },
    {
      mail({ reversePath }) {
        let recipient: Mailbox | undefined;
        const transaction = {
          rcpt(mailbox: Mailbox): Reply {
            recipient = mailbox;
            return OK;
          },
          async data(content: Content): Promise<Reply> {
            const message = await wholeContent(content);
            if (recipient) options.arrived({ reversePath, recipient, subject: subjectOf(message), message });
            return OK;
          },
        };
        return { kind: "open", transaction };
      },
      failed: options.failed,
    },
  );
}

/** What a server finds out after it has taken a message. */
export interface WhyBounced {
  /** RFC 3463. */
  readonly status: string;
  readonly summary: string;
  /** Behind "found". */
  readonly found: string;
}

export const MAILBOX_FULL: WhyBounced = {
  status: "5.2.2",
  summary: "mailbox full",
  found: "the mailbox full",
};
export const NO_SUCH_USER: WhyBounced = {
  status: "5.1.1",
  summary: "no such user",
  found: "no such user",
};

export interface BounceOptions {
  readonly returnTo: Mailbox;
  readonly why: WhyBounced;
  readonly hostname: string;
  readonly date: string;
}

/** The DSN (RFC 3464) that the recipient's server writes: to the envelope sender, from `<>`. */
export function composeBounce(arrival: Arrival, { returnTo, why, hostname, date }: BounceOptions): Buffer {
  const failed = renderMailbox(arrival.recipient);
  const to = renderMailbox(returnTo);
  const boundary = "=_bounce";
  const header = arrival.message.subarray(0, Math.max(arrival.message.indexOf("\r\n\r\n"), 0) + 2);
  return Buffer.concat([
    Buffer.from(
      [
        `From: Mail Delivery System <mailer-daemon@${hostname}>`,
        `To: <${to}>`,
        `Subject: Undelivered mail: ${why.summary}`,
        `Date: ${date}`,
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        `Content-Type: multipart/report; report-type=delivery-status; boundary="${boundary}"`,
        "",
        `--${boundary}`,
        "Content-Type: text/plain; charset=us-ascii",
        "",
        `The message was taken, and then this server found ${why.found}.`,
        "",
        `--${boundary}`,
        "Content-Type: message/delivery-status",
        "",
        `Reporting-MTA: dns; ${hostname}`,
        "",
        `Final-Recipient: rfc822; ${failed}`,
        "Action: failed",
        `Status: ${why.status}`,
        "",
        `--${boundary}`,
        "Content-Type: text/rfc822-headers",
        "",
        "",
      ].join("\r\n"),
    ),
    header.subarray(0, HEADER_OCTETS),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

function subjectOf(message: Buffer): string {
  const header = message.toString("utf8", 0, HEADER_OCTETS).split("\r\n\r\n", 1)[0] ?? "";
  const line = header.split("\r\n").find((text) => text.toLowerCase().startsWith("subject:"));
  return printable(line?.slice("subject:".length).trim() ?? "");
}
