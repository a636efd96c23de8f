// What of a bounce must not come out of us: the addresses and hosts that it names, apart from what the original sender knows.
// Called by reissue.ts.
import { domainToUnicode } from "node:url";
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import type { BounceReport, HeaderField } from "../read/report.ts";
import { unescapedForms } from "./disguises.ts";
import { namedIn, namesOfHost } from "./host-names.ts";
import { folded, type OracleOptions } from "./oracle.ts";

/** Fields in which servers note whom a message was for: the report itself may name the alias alone. */
const DELIVERY_FIELDS = new Set(
  "apparently-to delivered-to envelope-to x-delivered-to x-envelope-to x-original-to x-rcpt-to".split(" "),
);
/** Shorter ones stand in every text. */
const MIN_WORD = 3;

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
  const add = (word: string) => {
    if (word.length >= MIN_WORD && !isKnown(word)) secrets.add(word);
  };
  const addHost = (host: string) => {
    const [name = "", ...domains] = namesOfHost(host).map(folded);
    add(name);
    for (const domain of domains) if (!isKnownDomain(domain)) add(domain);
  };
  const named = namedBy(report);
  for (const address of named.addresses) {
    const at = address.lastIndexOf("@");
    add(folded(address));
    for (const localPart of localParts(at < 0 ? address : address.slice(0, at))) add(folded(localPart));
    if (at >= 0) addHost(address.slice(at + 1));
  }
  for (const host of named.hosts) addHost(host);
  return { secrets: [...secrets], known: known.mailboxes.map(renderMailbox) };
}

function knownWords({ mailboxes, hostname }: Known) {
  const domains = [hostname, ...mailboxes.map(({ domain }) => domain)];
  const words = [
    ...mailboxes.flatMap((mailbox) => [renderMailbox(mailbox), mailbox.localPart]),
    ...domains.flatMap((domain) => [domain, domainToUnicode(domain)]),
  ].map(folded);
  const parents = domains.flatMap(namesOfHost).map(folded);
  return {
    isKnown: (word: string) => words.includes(word),
    isKnownDomain: (domain: string) => parents.includes(domain),
  };
}

interface Named {
  readonly addresses: Set<string>;
  readonly hosts: Set<string>;
}

function namedBy({ reportingMta, recipients, returned = [] }: BounceReport): Named {
  const named: Named = { addresses: new Set(), hosts: new Set() };
  noteHost(named, reportingMta);
  for (const field of returned) noteDelivery(named, field);
  for (const { finalRecipient, originalRecipient, remoteMta, diagnostic, smtpReply } of recipients) {
    for (const address of [finalRecipient, originalRecipient]) if (address) named.addresses.add(address);
    noteHost(named, remoteMta);
    for (const text of new Set([diagnostic ?? "", smtpReply?.text ?? ""])) {
      for (const form of unescapedForms(text)) note(named, namedIn(form));
    }
  }
  return named;
}

/** One without a dot is a name, too. */
function noteHost(named: Named, text: string | undefined): void {
  if (text === undefined) return;
  const found = namedIn(text);
  note(named, found);
  if (found.hosts.length === 0) named.hosts.add(text.trim());
}

/** Hosts of a Received field are the sender's as often as not: his Message-ID has them, too. */
function noteDelivery(named: Named, { name, value }: HeaderField): void {
  const field = name.toLowerCase();
  const text =
    field === "received" ? value.split(" for ").slice(1).join(" ") : DELIVERY_FIELDS.has(field) ? value : "";
  for (const address of namedIn(text).addresses) named.addresses.add(address);
}

function note(named: Named, { addresses, hosts }: ReturnType<typeof namedIn>): void {
  for (const address of addresses) named.addresses.add(address);
  for (const host of hosts) named.hosts.add(host);
}

/** Itself, without its extension, and without what a server put before it: `to=bob+list` is `bob+list` and `bob`. */
function localParts(localPart: string): readonly string[] {
  const bare = localPart.slice(
    Math.max(...["=", ":", "/", "!"].map((mark) => localPart.lastIndexOf(mark))) + 1,
  );
  return [localPart, bare, bare.split("+", 1)[0] ?? ""].map((part) => part.replaceAll(/["\\]/g, ""));
}
