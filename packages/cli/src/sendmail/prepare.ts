// From the message of a program to one that can be submitted (RFC 6409 §8): recipients out of the header, Bcc left out, bare names
// with their domain, missing fields on top. No other octet changes. Called by `homing sendmail`.
import { mailDate } from "@homing/mail";
import {
  type Mailbox,
  parseMailbox,
  type ReversePath,
  renderMailbox,
  renderReversePath,
} from "@homing/srs-core";
import { type ListedAddress, parseAddressList } from "./address-list.ts";
import { fromField } from "./from-field.ts";
import { type Header, type HeaderField, readHeader } from "./header.ts";
import { BadMessage } from "./message-input.ts";

export interface Preparation {
  /** The beginning of the message, as of MessageInput. */
  readonly start: Buffer;
  readonly isAll: boolean;
  readonly sender: ReversePath;
  readonly fullName: string | undefined;
  /** Of bare names. */
  readonly domain: string;
  readonly fromHeader: boolean;
  readonly now: number;
  readonly newId: () => string;
}

export interface Prepared {
  /** The header with its empty line. */
  readonly header: Buffer;
  /** The body stands from there on. */
  readonly bodyStart: number;
  /** Of the header; none without `fromHeader`. */
  readonly recipients: readonly Mailbox[];
}

const LEFT_OUT = ["bcc", "resent-bcc"];
const RECIPIENTS = ["to", "cc", "bcc"];
const RESENT_RECIPIENTS = ["resent-to", "resent-cc", "resent-bcc"];
const ADDRESSES = ["from", "sender", "reply-to", "to", "cc"];
const WITH_DOMAINS = [...ADDRESSES, ...ADDRESSES.map((name) => `resent-${name}`)];

export function prepareMessage(preparation: Preparation): Prepared {
  const { start, isAll, domain } = preparation;
  const text = start.toString("latin1");
  const header = readHeader(text, isAll);
  if (!header) throw new BadMessage("has a header of over a megabyte: nobody takes such mail");
  const kept = header.fields.filter(({ name }) => !LEFT_OUT.includes(name));
  const lines = kept.map((field) => withDomains(text, field, domain));
  const whole = `${missingFields(header, preparation)}${lines.join("")}\r\n`;
  return {
    header: Buffer.from(whole, "latin1"),
    bodyStart: header.bodyStart,
    recipients: preparation.fromHeader ? recipientsOf(text, header, domain) : [],
  };
}

/** An address as programs write it: a list, with names, and bare ones for users of this machine. */
export function readRecipients(text: string, domain: string, what: string): Mailbox[] {
  const list = parseAddressList(text);
  if (!list.ok) throw new BadMessage(`${what}: ${list.problem}`);
  return list.addresses.map((address) => mailboxOf(address, domain, what));
}

function mailboxOf({ text, isBare }: ListedAddress, domain: string, what: string): Mailbox {
  const parsed = parseMailbox(isBare ? `${text}@${domain}` : text);
  if (!parsed.ok) throw new BadMessage(`${what}: ${parsed.message}`);
  return parsed.mailbox;
}

/** As Postfix: who sends a message on names new recipients, and those of old are not meant. */
function recipientsOf(text: string, { fields }: Header, domain: string): Mailbox[] {
  const isResent = fields.some(({ name }) => RESENT_RECIPIENTS.includes(name));
  const names = isResent ? RESENT_RECIPIENTS : RECIPIENTS;
  return fields
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, valueStart, end }) => {
      const value = Buffer.from(text.slice(valueStart, end), "latin1").toString("utf8");
      return readRecipients(value, domain, `has a ${shownName(name)} field that cannot be read`);
    });
}

function shownName(name: string): string {
  return name.replace(/(?:^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

/** `From: root (Cron Daemon)` is no address anywhere but on its own machine; Postfix and Sendmail complete it, too. */
function withDomains(text: string, { name, start, valueStart, end }: HeaderField, domain: string): string {
  const field = text.slice(start, end);
  if (!WITH_DOMAINS.includes(name)) return field;
  const list = parseAddressList(text.slice(valueStart, end));
  // What cannot be read stays: the recipients in it were refused before, and the rest is the writer's matter.
  if (!list.ok) return field;
  let whole = text.slice(start, valueStart);
  let at = valueStart;
  for (const { isBare, end: addressEnd } of list.addresses) {
    if (!isBare) continue;
    whole += `${text.slice(at, valueStart + addressEnd)}@${domain}`;
    at = valueStart + addressEnd;
  }
  return whole + text.slice(at, end);
}

function missingFields({ fields }: Header, preparation: Preparation): string {
  const { sender, fullName, domain, now, newId } = preparation;
  const has = (name: string): boolean => fields.some((field) => field.name === name);
  const author = renderReversePath(sender) || renderMailbox({ localPart: "postmaster", domain });
  return [
    has("from") ? "" : fromField(author, fullName),
    has("date") ? "" : `Date: ${mailDate(now)}\r\n`,
    has("message-id") ? "" : `Message-ID: <${newId()}@${domain}>\r\n`,
  ].join("");
}
