// The Received-SPF field (RFC 7208 §9.1), with its keys in the order of Mail::SPF. Nearly all of it is hostile text.
// Called by the forwarder and the MTA adapters, which put it on top of the message.
import { parseClient, readable } from "./ip.ts";
import { printable } from "./printable.ts";
import type { SpfAnswer, SpfQuestion, SpfResult } from "./spf.ts";

const MAX_COLUMNS = 77;
/** A whole mailbox fits (RFC 5321 §4.5.3.1.3), and a line of one value stays far below 998 octets. */
const MAX_VALUE = 320;
/** RFC 5322 §3.2.3. */
const DOT_ATOM = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;

/** With its CRLF. @param receiver our host name */
export function receivedSpfField(answer: SpfAnswer, question: SpfQuestion, receiver: string): string {
  // §2.4: of a null sender, this is the MAIL FROM identity, even where HELO was checked.
  const sender = question.sender === "" ? `postmaster@${question.helo}` : question.sender;
  const mechanism = answer.mechanism;
  const pairs = [
    pair("receiver", receiver),
    pair("identity", answer.identity),
    `envelope-from=${quoted(sender)};`,
    pair("helo", question.helo),
    pair("client-ip", clientOf(question)),
    ...(mechanism === undefined ? [] : [pair("mechanism", mechanism)]),
    ...(answer.problem === undefined ? [] : [pair("problem", answer.problem)]),
  ];
  const comment = `(${inComment(receiver)}: ${SAYS[answer.result](who(answer), inComment(clientOf(question)))})`;
  return `${fold(`Received-SPF: ${answer.result} ${comment} ${pairs.join(" ")}`)}\r\n`;
}

const SAYS: Readonly<Record<SpfResult, (domain: string, client: string) => string>> = {
  pass: (domain, client) => `${client} may send for ${domain}`,
  fail: (domain, client) => `${client} must not send for ${domain}`,
  softfail: (domain, client) => `${client} should not send for ${domain}`,
  neutral: (domain, client) => `${domain} does not say whether ${client} may send for it`,
  none: (domain) => `${domain} says nothing about its senders`,
  temperror: (domain) => `what ${domain} says could not be found out for now`,
  permerror: (domain) => `what ${domain} says cannot be understood`,
};

function who(answer: SpfAnswer): string {
  return answer.domain === "" ? "the sender" : inComment(answer.domain);
}

/** The address that was compared: IPv4 where it came in IPv6 clothes. */
function clientOf({ client }: SpfQuestion): string {
  const octets = parseClient(client);
  return octets === undefined ? client : readable(octets);
}

function pair(key: string, value: string): string {
  return `${key}=${DOT_ATOM.test(value) && value.length <= MAX_VALUE ? value : quoted(value)};`;
}

function quoted(value: string): string {
  return `"${oneLine(value).replace(/["\\]/g, "\\$&")}"`;
}

function inComment(text: string): string {
  return oneLine(text).replace(/[()\\]/g, "\\$&");
}

/** Single spaces: so no line of folded text is empty. */
function oneLine(text: string): string {
  return printable(text, MAX_VALUE).replace(/ {2,}/g, " ");
}

/** At spaces, also those in quoted strings: unfolding takes the line ends away again (RFC 5322 §2.2.3). */
function fold(field: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of field.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > MAX_COLUMNS) {
      lines.push(line);
      line = "";
    }
    line += line === "" && lines.length === 0 ? word : ` ${word}`;
  }
  return [...lines, line].join("\r\n");
}
