// What of a bounce must not come out of us: the addresses and hosts that it names, apart from what the original sender knows.
// Called by reissue.ts.
import { domainToUnicode } from "node:url";
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import type { BounceReport, HeaderField, ReturnedHeader } from "../read/report.ts";
import { unescapedForms } from "./disguises.ts";
import { labelOf, type Named, namedIn, namesOfHost } from "./host-names.ts";
import { folded, MAX_SECRETS, type OracleOptions } from "./oracle.ts";

/** Fields in which servers note whom a message was for: the report itself may name the alias alone. */
export const DELIVERY_FIELDS: ReadonlySet<string> = new Set(
  (
    "apparently-to delivered-to envelope-to resent-bcc resent-cc resent-to x-actual-recipient x-apparently-to x-delivered-to " +
    "x-envelope-to x-forwarded-for x-forwarded-to x-original-recipient x-original-to x-rcpt-to x-resolved-to"
  ).split(" "),
);
/** Shorter ones stand in every text. */
const MIN_WORD = 3;
/** One letter is an article, or a part of a date. */
const MIN_LOCAL_PART = 2;
/** Names of everybody's. */
const ROLES = ["mailer-daemon", "postmaster"];

export interface Known {
  /** The original sender, and the alias that he used. */
  readonly mailboxes: readonly Mailbox[];
  /** Ours. */
  readonly hostname: string;
}

/**
 * Words of the sender's own address and of the alias are no secrets, wherever they stand: where the private address has the
 * same local part or domain, that text says nothing to him.
 */
export function secretsOf(report: BounceReport, known: Known): OracleOptions {
  const { isKnown, isKnownDomain } = knownWords(known);
  const secrets = new Set<string>();
  const add = (word: string, minLength = MIN_WORD) => {
    if (word.length >= minLength && !isKnown(word)) secrets.add(word);
  };
  const addHost = (host: string) => {
    const [name = "", ...domains] = namesOfHost(host).map(folded);
    add(name);
    for (const domain of domains) if (!isKnownDomain(domain)) add(domain);
    add(folded(labelOf(host) ?? ""));
  };
  const addAddress = (address: string) => {
    const at = address.lastIndexOf("@");
    add(folded(address));
    const { words, hosts } = piecesOf(at < 0 ? address : address.slice(0, at));
    for (const word of words) add(folded(word), MIN_LOCAL_PART);
    for (const host of [...hosts, ...(at < 0 ? [] : address.slice(at + 1).split(DOMAIN_MARKS))])
      addHost(host);
  };
  const named = namedBy(report, known);
  // One more than can be looked for is enough to know that.
  const isEnough = () => secrets.size > MAX_SECRETS;
  for (const address of named.addresses) if (!isEnough()) addAddress(address);
  for (const host of named.hosts) if (!isEnough()) addHost(host);
  return { secrets: [...secrets], known: known.mailboxes.map(renderMailbox) };
}

function knownWords({ mailboxes, hostname }: Known) {
  const domains = [hostname, ...mailboxes.map(({ domain }) => domain)];
  const parents = domains.flatMap(namesOfHost).map(folded);
  const own = mailboxes.flatMap(({ domain }) => namesOfHost(domain));
  const words = [
    ...mailboxes.flatMap((mailbox) => [renderMailbox(mailbox), mailbox.localPart]),
    ...domains.flatMap((domain) => [domain, domainToUnicode(domain), labelOf(domain) ?? ""]),
    // Whoever has a mailbox below a domain knows the domain.
    ...own,
    ...ROLES,
  ].map(folded);
  return {
    isKnown: (word: string) => words.includes(word),
    isKnownDomain: (domain: string) => parents.includes(domain),
  };
}

interface Noted {
  readonly addresses: Set<string>;
  readonly hosts: Set<string>;
}

function namedBy(report: BounceReport, { hostname }: Known): Noted {
  const { reportingMta, recipients, named, returned = [] } = report;
  const noted: Noted = { addresses: new Set(), hosts: new Set() };
  noteHost(noted, reportingMta);
  noteReturned(noted, returned, hostname);
  for (const { finalRecipient, originalRecipient, remoteMta, diagnostic, smtpReply } of recipients) {
    for (const address of [finalRecipient ?? "", originalRecipient ?? ""])
      for (const form of unescapedForms(address)) if (form !== "") noted.addresses.add(form);
    noteHost(noted, remoteMta);
    for (const text of new Set([diagnostic ?? "", smtpReply?.text ?? ""])) noteText(noted, text);
  }
  if (named !== "too-many") noteText(noted, named.join(" "));
  return noted;
}

function noteText(noted: Noted, text: string): void {
  for (const form of unescapedForms(text)) note(noted, namedIn(form));
}

/** One without a dot is a name, too. */
function noteHost(noted: Noted, text: string | undefined): void {
  if (text === undefined) return;
  const found = namedIn(text);
  note(noted, found);
  if (found.hosts.length === 0) noted.hosts.add(text.trim());
}

/**
 * Of the Received fields those above ours name the servers behind us. Hosts of the others are the sender's, whose Message-ID has
 * them, too.
 */
function noteReturned(noted: Noted, returned: ReturnedHeader, hostname: string): void {
  const ours = returned.findIndex((field) => isReceived(field) && field.value.includes(`by ${hostname}`));
  for (const [at, field] of returned.entries()) {
    const { name, value } = field;
    if (at < ours && isReceived(field)) note(noted, namedIn(value));
    const text = isReceived(field) ? value.split(" for ").slice(1).join(" ") : value;
    if (!isReceived(field) && !DELIVERY_FIELDS.has(name.toLowerCase())) continue;
    for (const address of namedIn(text).addresses) noted.addresses.add(address);
  }
}

function isReceived({ name }: HeaderField): boolean {
  return name.toLowerCase() === "received";
}

function note(noted: Noted, { addresses, hosts }: Named): void {
  for (const address of addresses) noted.addresses.add(address);
  for (const host of hosts) noted.hosts.add(host);
}

/** Between the mailbox and what a server put around it: `to=bob`, `bob+list`, `list-bob=home.example`, `host!bob%home.example`. */
const LOCAL_MARKS = /[=+/!%:@]/;
/** In a word of the remote's text, more may follow: `bob@home.example:mx.home.example`. */
const DOMAIN_MARKS = /[=/!%:]/;

/** Of an SRS address the rest is a tag, a date, and the sender; the tag may have been taken for an escape. */
const SRS = /^srs[01]/i;

/** Itself, and all that stands between marks; what has a dot may be a host. A hyphen parts mailboxes, and belongs to hosts. */
function piecesOf(localPart: string): {
  readonly words: readonly string[];
  readonly hosts: readonly string[];
} {
  const bare = localPart.replaceAll(/["\\]/g, "");
  const pieces = bare.split(LOCAL_MARKS);
  const hosts = pieces.filter((piece) => piece.includes("."));
  if (SRS.test(bare) || ROLES.includes(bare.toLowerCase())) return { words: [bare], hosts };
  return { words: [bare, ...pieces, ...pieces.flatMap((piece) => piece.split("-"))], hosts };
}
