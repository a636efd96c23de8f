// What a fault means, and what to do about it, in words for people who do not run mail servers. Called by why-page.ts, which
// escapes them: they hold texts of strangers.
import { isIPv6 } from "node:net";
import type { WhyFacts } from "@homing/forwarder";

/** A paragraph, or an item of a list, each. Empty where there is nothing to do. */
export interface Advice {
  readonly meaning: readonly string[];
  readonly author: readonly string[];
  /** Whose address was used by somebody else. */
  readonly stranger: readonly string[];
  readonly administrator: readonly string[];
  readonly recipient: readonly string[];
}

export function adviceOf(facts: WhyFacts, hostname: string): Advice {
  const names = namesOf(facts, hostname);
  const { meaning, ...advice } = words(facts, names);
  return { meaning: [...meaning, whatBecame(facts)], ...advice };
}

interface Names {
  readonly client: string;
  readonly domain: string;
  readonly postmaster: string;
  /** As an SPF record names it. */
  readonly term: string;
}

function namesOf({ client, domain, sender }: WhyFacts, hostname: string): Names {
  const ofSender = sender === undefined ? "" : sender.slice(sender.lastIndexOf("@") + 1);
  return {
    client,
    domain: [domain, ofSender].find(isName) ?? "the sender's domain",
    postmaster: `postmaster@${hostname}`,
    term: `${isIPv6(client) ? "ip6" : "ip4"}:${client}`,
  };
}

/** Only that stands in a sentence of ours: whoever chooses his domain must not go on with a sentence of his. */
function isName(text: string | undefined): boolean {
  return text !== undefined && /^[\p{L}\p{M}\p{N}._-]+$/u.test(text);
}

function whatBecame({ action }: WhyFacts): string {
  return action === "refuse"
    ? "The mail was not delivered. The server that sent it was told so at once."
    : "The mail is not lost: the server that sent it keeps it and tries again by itself, mostly for some days.";
}

function words({ fault }: WhyFacts, names: Names): Advice {
  switch (fault) {
    case "spf-fail":
    case "spf-softfail":
    case "spf-neutral":
      return notNamed(fault, names);
    case "spf-none":
      return noRecord(names);
    case "spf-permerror":
      return wrongRecord(names);
    case "spf-temperror":
    case "no-answer":
      return noAnswer(fault, names);
    case "dmarc-reject":
    case "dmarc-quarantine":
      return notAligned(names);
    case "dmarc-unclear":
      return noAuthor(names);
    case "header-too-long":
      return headerTooLong();
    case "own-domain":
      return ownDomain(names);
  }
}

type NotNamed = "spf-fail" | "spf-softfail" | "spf-neutral";

function notNamed(fault: NotNamed, names: Names): Advice {
  const { client, domain, term } = names;
  return {
    meaning: [`${SPF} ${saysRecord(fault, names)}`],
    author: [
      `Send through the server that your provider gives you for mail from ${domain} (“outgoing server”, “SMTP”), with ` +
        "your name and password there, and not through another one.",
      ...VIA_FORWARDER,
      `If you did all that, tell whoever looks after the mail of ${domain}, and show them this page.`,
    ],
    stranger: STRANGER,
    administrator: [
      `If ${client} is a server of yours, or of somebody who sends for you, name it in the SPF record, which is a TXT ` +
        `record of ${domain}: put ${term}, or the include that your provider tells you, before the term with “all”.`,
      `If ${client} is none of yours, the record does what it is for: leave it as it is.`,
    ],
    recipient: recipient(names),
  };
}

function saysRecord(fault: NotNamed, { client, domain }: Names): string {
  switch (fault) {
    case "spf-fail":
      return `By the record of ${domain}, ${client} is none of them, so the mail looks forged.`;
    case "spf-softfail":
      return `By the record of ${domain}, ${client} is probably none of them, so the mail may be forged.`;
    case "spf-neutral":
      return `The record of ${domain} does not say whether ${client} is one of them, and this server wants to know.`;
  }
}

function noRecord(names: Names): Advice {
  const { client, domain, term } = names;
  return {
    meaning: [`${SPF} This server takes mail only with one, and ${domain} has none.`],
    author: [`Tell whoever looks after the mail of ${domain}, and show them this page.`],
    stranger: STRANGER,
    administrator: [
      `Publish an SPF record: a TXT record of ${domain} that names the servers that send its mail. If ${client} is the ` +
        `only one, the record is “v=spf1 ${term} -all”.`,
    ],
    recipient: recipient(names),
  };
}

function wrongRecord(names: Names): Advice {
  const { domain } = names;
  return {
    meaning: [`${SPF} The one of ${domain} has a mistake, so nobody can tell whether the mail is forged.`],
    author: [`Tell whoever looks after the mail of ${domain}, and show them this page.`],
    stranger: STRANGER,
    administrator: [
      `Check the SPF record, which is a TXT record of ${domain}, and the records that it includes. Frequent mistakes ` +
        "are two records beginning with “v=spf1”, more than ten terms that ask DNS (include, a, mx, ptr, exists, " +
        "redirect), an include of a domain without a record, and a slip of the pen.",
    ],
    recipient: recipient(names),
  };
}

function noAnswer(fault: "spf-temperror" | "no-answer", names: Names): Advice {
  const { client, domain } = names;
  const asked =
    fault === "spf-temperror"
      ? `the DNS of ${domain} which servers send its mail`
      : `DNS for what proves mail of ${domain}: keys of its signatures, its DMARC record, the name of ${client}`;
  return {
    meaning: [
      `This server asked ${asked}. It got no answer, or one that says “not now”. ` +
        "Without it nobody can tell whether the mail is forged.",
    ],
    author: [`If it does not go away within a day, tell whoever looks after the mail of ${domain}.`],
    stranger: [],
    administrator: [
      `See that every name server of ${domain} answers queries for TXT records, and those of the domains that the ` +
        "records name. Time-outs, SERVFAIL and broken DNSSEC signatures all count as no answer.",
    ],
    recipient: [],
  };
}

function notAligned(names: Names): Advice {
  const { client, domain } = names;
  return {
    meaning: [
      `The mail says that its author is at ${domain}. That domain asks receivers, with its DMARC record, to accept its ` +
        "mail only if it can be proven: by a DKIM signature of the domain that is still good, or by coming from one of " +
        "its servers under its own name (SPF). Neither was so here.",
    ],
    author: [
      `Send through the server that your provider gives you for mail from ${domain}: it signs your mail.`,
      ...VIA_FORWARDER,
      "If it went through a mailing list, the list has changed it, and its signature is no longer good: its manager can " +
        "have the list write its own address as From.",
    ],
    stranger: STRANGER,
    administrator: [
      `If ${client} is a server of yours, or of somebody who sends for you, have it sign with DKIM, with d=${domain}, ` +
        "and publish the key. SPF alone is lost whenever somebody forwards the mail.",
      `If ${client} is none of yours, the DMARC record does what it is for: leave it as it is.`,
    ],
    recipient: recipient(names),
  };
}

function noAuthor(names: Names): Advice {
  return {
    meaning: [
      "The mail does not say who wrote it: its header has no From field, more than one, or one that cannot be read. So " +
        "no domain could be asked whether it is genuine.",
    ],
    author: [
      "Send it with a mail program, or have yours corrected: a mail has one From field, with one address.",
    ],
    stranger: STRANGER,
    administrator: ["Correct whatever writes the mail: RFC 5322 asks for one From field."],
    recipient: recipient(names),
  };
}

function headerTooLong(): Advice {
  return {
    meaning: [
      "The header of the mail, the lines about sender, recipient and way that mail programs do not show, is so long that " +
        "this server does not look for its author in it. Mail that people write has a header of some dozen lines.",
    ],
    author: [
      "Send it again with another mail program, and as a new mail: not as a reply, and not forwarded.",
    ],
    stranger: STRANGER,
    administrator: ["Look for the program that adds fields to the header, perhaps in a loop."],
    recipient: ["The sender has to change something: send him the link to this page."],
  };
}

function ownDomain({ domain, postmaster }: Names): Advice {
  return {
    meaning: [
      `The mail says that its author is at ${domain}, which is at home on this server. It came from outside, without a ` +
        "signature of the domain: so anybody may have written it.",
    ],
    author: [
      `Send your mail from ${domain} through the server that its postmaster named for that, with your name and password.`,
    ],
    stranger: STRANGER,
    administrator: [
      `Services that send in the name of ${domain} must sign with DKIM, with d=${domain}. Ask ${postmaster} for the rest.`,
    ],
    recipient: [`Ask ${postmaster}, and show this page.`],
  };
}

const SPF = "A domain can publish which servers send its mail. That is its SPF record.";

const VIA_FORWARDER = [
  "If the mail was forwarded by another server on its way here, that one has to put an address of its own in place of " +
    "the sender's. It is called SRS, the Sender Rewriting Scheme: tell its postmaster.",
];

const STRANGER = [
  "Somebody used your address. That needs no password of yours, only your address. You need not do anything: the mail " +
    "was stopped here.",
];

function recipient({ client, postmaster }: Names): readonly string[] {
  return [
    `If it came from a server that forwards mail to you, ask ${postmaster} to enter ${client} among the trusted ` +
      "forwarders, and say why the mail comes from there.",
    "Otherwise the sender has to change something: send him the link to this page.",
  ];
}
