// Bounces that say it in free text, one rule for each manner of saying: data, and each with an example that is run as a test.
// The first rule that finds a recipient wins, so the exact ones stand first. Called by text-bounce.ts.
import type { Finder } from "./finders.ts";
import type { BounceClass } from "./report.ts";

export interface Example {
  /** Of the outer header, beside Subject and From where they matter. */
  readonly header: readonly string[];
  readonly text: readonly string[];
  readonly expect: readonly {
    readonly recipient: string;
    readonly status: string;
    readonly class: BounceClass;
    readonly final?: boolean;
  }[];
}

export interface TextRule {
  readonly name: string;
  /** Who writes so. */
  readonly software: string;
  /** All must be in the text; lower case, one blank for all white space. */
  readonly markers: readonly string[];
  /** One of these, too. */
  readonly oneOf?: readonly string[];
  readonly find: Finder;
  /** Default: failed. */
  readonly action?: "failed" | "delayed";
  /** Where neither a reply nor words tell one. */
  readonly status?: string;
  readonly example: Example;
}

const DAEMON = "From: MAILER-DAEMON@mx.example.org";
const COPY = [
  "",
  "--- Below this line is a copy of the message.",
  "",
  "Subject: Hello",
  "To: other@example.org",
  "",
  "Hello",
];

export const TEXT_RULES: readonly TextRule[] = [
  {
    name: "qmail",
    software: "qmail, netqmail",
    markers: ["this is the qmail-send program"],
    find: { by: "list", after: ["this is the qmail-send program"] },
    example: {
      header: [DAEMON, "Subject: failure notice"],
      text: [
        "Hi. This is the qmail-send program at mx.example.org.",
        "No luck with your message to these addresses.",
        "This is a permanent error; I gave up.",
        "",
        "<bob@example.org>:",
        "Sorry, no mailbox here by that name. (#5.1.1)",
        "",
        "<carol@example.net>:",
        "192.0.2.25 does not like recipient.",
        "Remote host said: 552 5.2.2 mailbox is full",
        ...COPY,
      ],
      expect: [
        { recipient: "bob@example.org", status: "5.1.1", class: "hard" },
        { recipient: "carol@example.net", status: "5.2.2", class: "soft" },
      ],
    },
  },
  {
    name: "qmail manner",
    software: "relatives of qmail, of other program names and of older Yahoo",
    markers: ["wasn't able to deliver your message to the following addresses"],
    find: { by: "list", after: ["wasn't able to deliver your message to the following addresses"] },
    example: {
      header: [DAEMON, "Subject: failure notice"],
      text: [
        "Hi. This is the delivery program at mx.example.org.",
        "I wasn't able to deliver your message to the following addresses.",
        "",
        "<bob@example.org>:",
        "This user doesn't have an account here (bob@example.org) [0]",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "Exim",
    software: "Exim before 4.82, without a report",
    markers: ["a message that you sent could not be delivered to", "the following address(es) failed:"],
    find: { by: "list", after: ["the following address(es) failed:"] },
    example: {
      header: [
        "From: Mail Delivery System <Mailer-Daemon@mx.example.org>",
        "X-Failed-Recipients: bob@example.org",
      ],
      text: [
        "This message was created automatically by mail delivery software.",
        "",
        "A message that you sent could not be delivered to one or more of its",
        "recipients. This is a permanent error. The following address(es) failed:",
        "",
        "  bob@example.org",
        "    SMTP error from remote mail server after RCPT TO:<bob@example.org>:",
        "    host mx.example.org [192.0.2.25]: 550 5.7.1 <bob@example.org>: not by our policy",
        "",
        "------ This is a copy of the message, including all the headers. ------",
        "",
        "Subject: Hello",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.7.1", class: "policy" }],
    },
  },
  {
    name: "1&1",
    software: "GMX, web.de, 1&1, mail.com",
    markers: ["a message that you sent could not be delivered to"],
    find: { by: "list", after: ["the following address failed:", "the following addresses failed:"] },
    example: {
      header: ["From: GMX Mailer Daemon <mailer-daemon@example.net>", "Subject: Mail delivery failed"],
      text: [
        "This message was created automatically by mail delivery software.",
        "A message that you sent could not be delivered to one or more of",
        "its recipients. The following address failed:",
        "",
        "bob@example.org:",
        "SMTP error from remote server for RCPT TO command, host: mx.example.org reason: 550 5.1.1 no such user",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "Exim warning",
    software: "Exim",
    action: "delayed",
    markers: ["a message that you sent has not yet been delivered"],
    find: {
      by: "list",
      after: [
        "has not yet been delivered is:",
        "has not yet been delivered are:",
        "has not yet been delivered to the following address",
      ],
    },
    example: {
      header: [
        "From: Mail Delivery System <Mailer-Daemon@mx.example.org>",
        "Subject: Warning: message delayed 24 hours",
      ],
      text: [
        "This message was created automatically by mail delivery software.",
        "A message that you sent has not yet been delivered to one or more of its",
        "recipients after more than 24 hours on the queue on mx.example.org.",
        "",
        "The address to which the message has not yet been delivered is:",
        "",
        "  bob@example.org",
        "    Delay reason: host mx.example.org [192.0.2.25]: 451 4.3.0 try again",
        "",
        "You need do nothing. The software will give up at some time.",
      ],
      expect: [{ recipient: "bob@example.org", status: "4.3.0", class: "delay", final: false }],
    },
  },
  {
    name: "Zoho",
    software: "Zoho Mail",
    markers: ["error code :"],
    find: { by: "list", after: ["this is a permanent error", "could not be delivered"] },
    example: {
      header: ["From: mailer-daemon@mail.example.com", "Subject: Undelivered Mail Returned to Sender"],
      text: [
        "This message was created automatically by mail delivery software.",
        "A message that you sent could not be delivered to one or more of its recipients. This is a permanent error.",
        "",
        "bob@example.org, ERROR CODE :550 - 5.1.1 No such user here",
        "",
        "Received:from mail.example.com by mx.example.com",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "Gmail, one recipient",
    software: "Gmail until about 2016",
    markers: ["delivery to the following recipient"],
    find: {
      by: "list",
      after: [
        "delivery to the following recipient failed permanently",
        "delivery to the following recipients failed permanently",
      ],
    },
    example: {
      header: [
        "From: Mail Delivery Subsystem <mailer-daemon@mail.example.com>",
        "X-Failed-Recipients: bob@example.org",
      ],
      text: [
        "Delivery to the following recipient failed permanently:",
        "",
        "     bob@example.org",
        "",
        "Technical details of permanent failure:",
        "The server mx.example.org gave this answer: 550 550 5.1.1 <bob@example.org>: User unknown (state 13).",
        "",
        "----- Original message -----",
        "",
        "Subject: Hello",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "Gmail delay",
    software: "Gmail",
    action: "delayed",
    markers: ["there was a temporary problem"],
    find: {
      by: "phrase",
      before: ["there was a temporary problem delivering your message to", "your message to"],
    },
    example: {
      header: [
        "From: Mail Delivery Subsystem <mailer-daemon@mail.example.com>",
        "Subject: Delivery Status Notification (Delay)",
      ],
      text: [
        "** Delivery incomplete **",
        "",
        "There was a temporary problem delivering your message to bob@example.org. We try for 46 more hours.",
        "",
        "The answer of the remote server was: 451 4.7.0 please come back",
      ],
      expect: [{ recipient: "bob@example.org", status: "4.7.0", class: "delay", final: false }],
    },
  },
  {
    name: "Gmail old delay",
    software: "Gmail until about 2016",
    action: "delayed",
    markers: ["delivery to the following recipient has been delayed"],
    find: { by: "list", after: ["delivery to the following recipient has been delayed"] },
    example: {
      header: [
        "From: Mail Delivery Subsystem <mailer-daemon@mail.example.com>",
        "Subject: Delivery Status Notification (Delay)",
      ],
      text: [
        "Delivery to the following recipient has been delayed:",
        "",
        "     bob@example.org",
        "",
        "It will be tried for 2 more days.",
      ],
      expect: [{ recipient: "bob@example.org", status: "4.0.0", class: "delay", final: false }],
    },
  },
  {
    name: "Gmail",
    software: "Gmail",
    markers: ["your message wasn't delivered to"],
    find: { by: "phrase", before: ["your message wasn't delivered to"] },
    example: {
      header: [
        "From: Mail Delivery Subsystem <mailer-daemon@mail.example.com>",
        "Subject: Delivery Status Notification (Failure)",
      ],
      text: [
        "** Address not found **",
        "",
        "Your message wasn't delivered to bob@example.org because the address couldn't be found, or takes no mail.",
        "",
        "The response was: 550 5.1.1 There is no such account. Learn more at https://help.example/?p=NoSuchUser",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "Gmail block",
    software: "Gmail",
    markers: ["message blocked", "your message to"],
    find: { by: "phrase", before: ["your message to"] },
    status: "5.7.1",
    example: {
      header: [
        "From: Mail Delivery Subsystem <mailer-daemon@mail.example.com>",
        "Subject: Delivery Status Notification (Failure)",
      ],
      text: [
        "** Message blocked **",
        "",
        "Your message to bob@example.org has been blocked. More is told below.",
        "",
        "The response was: 550 5.7.26 This mail has been blocked because the sender is unauthenticated (DMARC).",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.7.26", class: "policy" }],
    },
  },
  {
    name: "Yahoo",
    software: "Yahoo Mail",
    markers: ["unable to deliver", "to the following address"],
    find: {
      by: "list",
      after: ["your message to the following address", "message to the following address"],
    },
    example: {
      header: ["From: MAILER-DAEMON@mail.example.com", "Subject: Failure Notice"],
      text: [
        "Sorry, we were unable to deliver your message to the following address.",
        "",
        "<bob@example.org>:",
        "554: delivery error: dd This user doesn't have an account here (bob@example.org) [0] - mta1.mail.example.com",
        "",
        "--- Below this line is a copy of the message.",
        "",
        "Subject: Hello",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "Exchange",
    software: "Exchange 2007 to 2019, Exchange Online: the part for administrators",
    markers: ["diagnostic information for administrators:"],
    find: { by: "list", after: ["diagnostic information for administrators:"] },
    example: {
      header: ["From: Microsoft Outlook <postmaster@example.org>", "Subject: Undeliverable: Hello"],
      text: [
        "Delivery has failed to these recipients or groups:",
        "",
        "Bob Example (bob@example.org)",
        "The address you entered couldn't be found.",
        "",
        "Diagnostic information for administrators:",
        "",
        "Generating server: ex1.example.org",
        "",
        "bob@example.org",
        "#550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by lookup ##",
        "",
        "Original message headers:",
        "",
        "Subject: Hello",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.10", class: "hard" }],
    },
  },
  {
    name: "Exchange Online",
    software: "Office 365, without the part for administrators",
    markers: ["your message to", "couldn't be delivered"],
    find: { by: "phrase", before: ["your message to"] },
    example: {
      header: ["From: Microsoft Outlook <postmaster@example.org>", "Subject: Undeliverable: Hello"],
      text: [
        "Your message to bob@example.org couldn't be delivered.",
        "",
        "bob wasn't found at example.org.",
        "Unknown To address",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "Outlook",
    software: "Exchange 2007 to 2019, the part for people",
    markers: ["delivery has failed to these recipients"],
    find: { by: "list", after: ["delivery has failed to these recipients"], loose: true },
    example: {
      header: ["From: Microsoft Exchange <postmaster@example.org>", "Subject: Undeliverable: Hello"],
      text: [
        "Delivery has failed to these recipients or distribution lists:",
        "",
        "Bob Example (bob@example.org)",
        "The recipient's mailbox is full and can't take messages now.",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.2.2", class: "soft" }],
    },
  },
  {
    name: "Exchange 2003",
    software: "Exchange 5.5 to 2003, Outlook",
    markers: ["did not reach some or all of the intended recipients"],
    find: {
      by: "list",
      after: [
        "the following recipient(s) could not be reached",
        "the following recipient(s) cannot be reached",
      ],
      loose: true,
    },
    example: {
      header: ["From: System Administrator <postmaster@example.org>", "Subject: Undeliverable: Hello"],
      text: [
        "Your message did not reach some or all of the intended recipients.",
        "",
        "      Subject:  Hello",
        "      Sent:     11/20/2026 8:00 PM",
        "",
        "The following recipient(s) could not be reached:",
        "",
        "      bob@example.org on 11/20/2026 8:01 PM",
        "            There is no such account at the organization.",
        "            <ex.example.org #5.1.1 smtp;550 5.1.1 unknown>",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "Windows SMTP",
    software: "the SMTP service of Windows, Exchange 2000",
    markers: ["automatically generated delivery status notification", "delivery to the following recipients"],
    find: {
      by: "list",
      after: ["delivery to the following recipients failed", "delivery to the following recipients has"],
    },
    example: {
      header: ["From: postmaster@example.org", "Subject: Delivery Status Notification (Failure)"],
      text: [
        "This is an automatically generated Delivery Status Notification.",
        "",
        "Delivery to the following recipients failed.",
        "",
        "       bob@example.org",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.0.0", class: "hard" }],
    },
  },
  {
    name: "iCloud",
    software: "iCloud Mail",
    markers: ["system-generated message", "could not be delivered"],
    find: { by: "list", after: ["could not be delivered"] },
    example: {
      header: [
        "From: Mail Delivery System <MAILER-DAEMON@mail.example.com>",
        "Subject: Undelivered Mail Returned to Sender",
      ],
      text: [
        "This is a system-generated message: your email could not be delivered to one or more recipients.",
        "The email and the error are as follows:",
        "",
        "<bob@example.org>: host mx.example.org[192.0.2.25] said: 552 5.2.2 over quota",
        "    (in reply to RCPT TO command)",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.2.2", class: "soft" }],
    },
  },
  {
    name: "Postfix",
    software: "Postfix, where the report was taken off",
    markers: ["this is the mail system at host"],
    find: { by: "list", after: ["this is the mail system at host"] },
    example: {
      header: [
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>",
        "Subject: Undelivered Mail Returned to Sender",
      ],
      text: [
        "This is the mail system at host mx.example.org.",
        "",
        "Your message could not be delivered to one or more recipients.",
        "",
        "                   The mail system",
        "",
        "<bob@example.org>: host mx.example.org[192.0.2.25] said: 550 5.1.1",
        "    <bob@example.org>: Recipient address rejected: User unknown (in reply to",
        "    RCPT TO command)",
        "",
        "<carol@example.net>: connect to mx.example.net[192.0.2.26]:25: Connection timed out",
      ],
      expect: [
        { recipient: "bob@example.org", status: "5.1.1", class: "hard" },
        { recipient: "carol@example.net", status: "5.4.7", class: "soft" },
      ],
    },
  },
  {
    name: "Sendmail",
    software: "Sendmail, and AOL of old",
    markers: ["the following addresses had permanent"],
    find: { by: "list", after: ["the following addresses had permanent"] },
    example: {
      header: [
        "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>",
        "Subject: Returned mail: see transcript for details",
      ],
      text: [
        "The original message was received at Fri, 20 Nov 2026 20:47:16 GMT",
        "",
        "   ----- The following addresses had permanent fatal errors -----",
        "<bob@example.org>",
        "",
        "   ----- Transcript of session follows -----",
        "... while talking to mx.example.org.:",
        ">>> RCPT To:<bob@example.org>",
        "<<< 550 5.1.1 <bob@example.org>: unknown",
        "550 5.1.1 <bob@example.org>... User unknown",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "Sendmail warning",
    software: "Sendmail",
    action: "delayed",
    markers: ["the following addresses had transient"],
    find: { by: "list", after: ["the following addresses had transient"] },
    example: {
      header: [
        "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.org>",
        "Subject: Warning: could not send message for past 4 hours",
      ],
      text: [
        "   ----- The following addresses had transient non-fatal errors -----",
        "<bob@example.org>",
        "",
        "   ----- Transcript of session follows -----",
        "<bob@example.org>... Deferred: 451 4.3.0 lookup failure",
      ],
      expect: [{ recipient: "bob@example.org", status: "4.3.0", class: "delay", final: false }],
    },
  },
  {
    name: "Courier",
    software: "Courier",
    markers: ["your message to the following recipients cannot be delivered"],
    find: { by: "list", after: ["your message to the following recipients cannot be delivered"] },
    example: {
      header: [
        'From: "Courier mail server at mx.example.org" <@mx.example.org>',
        "Subject: NOTICE: mail delivery status.",
      ],
      text: [
        "This is a delivery status notification from mx.example.org,",
        "",
        "                           UNDELIVERABLE MAIL",
        "",
        "Your message to the following recipients cannot be delivered:",
        "",
        "<bob@example.org>:",
        "    mx.example.org [192.0.2.25]:",
        ">>> RCPT TO:<bob@example.org>",
        "<<< 550 5.1.1 unknown",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "AOL",
    software: "AOL",
    markers: ["your mail to the following recipients could not be delivered"],
    find: { by: "list", after: ["your mail to the following recipients could not be delivered"] },
    status: "5.7.1",
    example: {
      header: [
        "From: Mail Delivery Subsystem <MAILER-DAEMON@mail.example.com>",
        "Subject: Mail Delivery Problem",
      ],
      text: [
        "Your mail to the following recipients could not be delivered because they take no mail from you:",
        "    bob@mail.example.com",
      ],
      expect: [{ recipient: "bob@mail.example.com", status: "5.7.1", class: "policy" }],
    },
  },
  {
    name: "Amazon",
    software: "Amazon SES and WorkMail",
    markers: ["an error occurred while trying to deliver the mail to the following recipients"],
    find: {
      by: "list",
      after: ["an error occurred while trying to deliver the mail to the following recipients"],
    },
    example: {
      header: ["From: MAILER-DAEMON@mail.example.com", "Subject: Delivery Status Notification (Failure)"],
      text: [
        "An error occurred while trying to deliver the mail to the following recipients:",
        "bob@example.org",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.0.0", class: "hard" }],
    },
  },
  {
    name: "MailEnable",
    software: "MailEnable",
    markers: ["recipient: [smtp:"],
    find: { by: "phrase", before: ["recipient: [smtp:"] },
    example: {
      header: ["From: Postmaster <postmaster@example.org>", "Subject: Message Delivery Failure"],
      text: [
        "The following recipient(s) could not be delivered to:",
        "",
        "Recipient: [SMTP:bob@example.org]",
        "Reason: The mailbox is full",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.2.2", class: "soft" }],
    },
  },
  {
    name: "IMail",
    software: "IMail",
    markers: ["user mailbox exceeds allowed size:"],
    find: { by: "phrase", before: ["user mailbox exceeds allowed size:"] },
    status: "5.2.2",
    example: {
      header: ["From: Postmaster <postmaster@example.org>", "Subject: Undeliverable Mail"],
      text: ["User mailbox exceeds allowed size: bob@example.org", "", "Original message follows."],
      expect: [{ recipient: "bob@example.org", status: "5.2.2", class: "soft" }],
    },
  },
  {
    name: "unknown user",
    software: "IMail and other servers of Windows",
    markers: ["unknown user:"],
    find: { by: "phrase", before: ["unknown user:"], every: true },
    status: "5.1.1",
    example: {
      header: ["From: Postmaster <postmaster@example.org>", "Subject: Undeliverable Mail"],
      text: [
        "Unknown user: bob@example.org",
        "",
        "Unknown user: carol@example.org",
        "",
        "Original message follows.",
      ],
      expect: [
        { recipient: "bob@example.org", status: "5.1.1", class: "hard" },
        { recipient: "carol@example.org", status: "5.1.1", class: "hard" },
      ],
    },
  },
  {
    name: "Domino",
    software: "Lotus Notes, HCL Domino; gateways of X.400",
    markers: ["was not delivered to:"],
    find: { by: "phrase", before: ["was not delivered to:"] },
    example: {
      header: [
        "From: Postmaster@example.org",
        "Subject: DELIVERY FAILURE: User bob not listed in Domino Directory",
      ],
      text: [
        "Your message",
        "",
        "  Subject: Hello",
        "",
        "was not delivered to:",
        "",
        "  bob@example.org",
        "",
        "because:",
        "",
        "  User bob (bob@example.org) not listed in Domino Directory",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "not delivered to",
    software: "several",
    markers: ["could not be delivered to"],
    find: {
      by: "phrase",
      before: [
        "could not be delivered to:",
        "could not be delivered to the following recipient:",
        "could not be delivered to",
      ],
    },
    example: {
      header: [DAEMON, "Subject: Undeliverable mail"],
      text: ["Your message could not be delivered to bob@example.org.", "Reason: host not found"],
      expect: [{ recipient: "bob@example.org", status: "5.1.2", class: "hard" }],
    },
  },
  {
    name: "mailbox full",
    software: "several: the mailbox speaks for itself",
    markers: ["full"],
    find: {
      by: "phrase",
      before: [
        "the mailbox of",
        "the mailbox for",
        "the inbox of",
        "the user's mailbox",
        "the following mailbox",
        "mailbox full:",
      ],
    },
    status: "5.2.2",
    example: {
      header: [DAEMON, "Subject: Mail could not be delivered"],
      text: ["The mailbox of bob@example.org is full. Please send your message again later."],
      expect: [{ recipient: "bob@example.org", status: "5.2.2", class: "soft" }],
    },
  },
  {
    name: "over quota",
    software: "several",
    markers: ["quota"],
    find: {
      by: "phrase",
      before: ["quota exceeded for", "over quota:", "is over quota:", "quota exceeded:", "quota for"],
    },
    status: "5.2.2",
    example: {
      header: [DAEMON, "Subject: Delivery failed"],
      text: ["Your message was refused. Quota exceeded for <bob@example.org>."],
      expect: [{ recipient: "bob@example.org", status: "5.2.2", class: "soft" }],
    },
  },
  {
    name: "failed recipients field",
    software: "Exim and Gmail, in any language",
    markers: [],
    find: { by: "header" },
    example: {
      header: [DAEMON, "X-Failed-Recipients: bob@example.org, carol@example.net", "Subject: Unzustellbar"],
      text: ["Ihre Nachricht ist nicht angekommen.", "", "bob@example.org", "550 5.1.1 unbekannt"],
      expect: [
        { recipient: "bob@example.org", status: "5.1.1", class: "hard" },
        { recipient: "carol@example.net", status: "5.0.0", class: "hard" },
      ],
    },
  },
  {
    name: "Exchange 5.5",
    software: "Exchange 5.5, GroupWise",
    markers: ["did not reach the following recipient"],
    find: { by: "list", after: ["did not reach the following recipient"], loose: true },
    example: {
      header: ["From: System Administrator <postmaster@example.org>", "Subject: Undeliverable: Hello"],
      text: [
        "Your message",
        "",
        "  To:      list@example.net",
        "  Subject: Hello",
        "",
        "did not reach the following recipient(s):",
        "",
        "bob@example.org on Fri, 20 Nov 2026 20:00:00 +0000",
        "    The recipient name is not recognized",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "headings",
    software: "relatives of qmail that say it in words of their own",
    markers: [],
    find: { by: "headings" },
    example: {
      header: [DAEMON, "Subject: failure notice"],
      text: [
        "We are sorry. There is trouble with your message.",
        "",
        "<bob@example.org>:",
        "The user's mailfolder is full.",
        "",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.2.2", class: "soft" }],
    },
  },
  {
    name: "list behind a phrase",
    software: "several",
    markers: [],
    find: {
      by: "list",
      after: [
        "failed addresses follow:",
        "message not delivered to the following",
        "your message to:",
        "the following recipients was aborted",
        "to the following recipient",
        "to the following address",
        "delivery of email to this address",
      ],
    },
    example: {
      header: [DAEMON, "Subject: mail failed, returning to sender"],
      text: [
        "|---- Failed addresses follow: ----|",
        " bob@example.org ... unknown host",
        "|---- Message text follows: ----|",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.2", class: "hard" }],
    },
  },
  {
    name: "address behind a phrase",
    software: "IMail, MDaemon, LSMTP and others",
    markers: [],
    find: {
      by: "phrase",
      before: [
        "attempts:",
        "invalid final delivery userid:",
        "undeliverable address:",
        "undeliverable to",
        "mailbox is full:",
        "intended recipient:",
        "error-for:",
        "originally addressed to",
        "unable to deliver your message to",
        "your message to",
        "addressed to",
        "local mailbox",
        "failed recipient:",
        "failed address:",
      ],
    },
    example: {
      header: ["From: Postmaster <postmaster@example.org>", "Subject: Undeliverable Mail"],
      text: ["Delivery failed 20 attempts: bob@example.org", "", "Original message follows."],
      expect: [{ recipient: "bob@example.org", status: "5.0.0", class: "hard" }],
    },
  },
  {
    name: "near a reply",
    software: "any",
    markers: [],
    find: { by: "reply" },
    example: {
      header: [DAEMON, "Subject: Delivery failure"],
      text: [
        "Thy letter came not through.",
        "",
        "RCPT TO:<bob@example.org>",
        "550 5.1.1 no such person",
        "",
        "Fare well.",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.1.1", class: "hard" }],
    },
  },
  {
    name: "only address",
    software: "any",
    markers: [],
    oneOf: [
      "not delivered",
      "not be delivered",
      "undeliver",
      "unable to deliver",
      "not able to deliver",
      "wasn't able to deliver",
      "delivery error",
      "delivery problem",
      "delivery failed",
      "no such user",
      "user unknown",
      "unknown user",
      "address(es) failed",
    ],
    find: { by: "only" },
    example: {
      header: ["From: MDaemon@mx.example.org", "Subject: Permanent Delivery Failure"],
      text: [
        "YOUR MESSAGE WAS NOT DELIVERED!",
        "",
        "The host of bob@example.org is unknown.",
        "Ask postmaster@mx.example.org.",
      ],
      expect: [{ recipient: "bob@example.org", status: "5.0.0", class: "hard" }],
    },
  },
];
