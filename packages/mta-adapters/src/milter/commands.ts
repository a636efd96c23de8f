// What a mail server says to a milter, as values. Called by the protocol's session for each frame.
import { ProtocolFault } from "../wire/protocol.ts";
import { type Frame, shownLetter } from "./frames.ts";
import { type Offer, parseOffer } from "./negotiation.ts";

/** Frames without content that matters here, by their letters. */
const PLAIN = {
  T: "data",
  L: "header",
  N: "end-of-header",
  B: "body",
  E: "end-of-message",
  U: "unknown",
  A: "abort",
  Q: "quit",
  K: "quit-client",
} as const;

export type MilterCommand =
  | { readonly kind: "negotiate"; readonly offer: Offer }
  | { readonly kind: "macros"; readonly macros: ReadonlyMap<string, string> }
  /** The client's address; undefined where it has none, as a process of the same machine. */
  | { readonly kind: "connect"; readonly client: string | undefined }
  | { readonly kind: "helo"; readonly name: string }
  /** As the client wrote it, mostly with angle brackets. ESMTP parameters are left out. */
  | { readonly kind: "mail" | "rcpt"; readonly path: string }
  | { readonly kind: (typeof PLAIN)[keyof typeof PLAIN] };

/** libmilter passes over that prefix, too: some mail servers write an address as in a literal (RFC 5321 §4.1.3). */
const IPV6_PREFIX = /^ipv6:/i;
/** Family, and the port's two octets. */
const BEFORE_ADDRESS = 3;
const FAMILIES_OF_ADDRESSES = "46";

export function parseCommand({ letter, data }: Frame): MilterCommand {
  switch (letter) {
    case "O":
      return { kind: "negotiate", offer: parseOffer(data) };
    case "D":
      return { kind: "macros", macros: parseMacros(data) };
    case "C":
      return { kind: "connect", client: parseConnect(data) };
    case "H":
      return { kind: "helo", name: firstText(letter, data) };
    case "M":
      return { kind: "mail", path: firstText(letter, data) };
    case "R":
      return { kind: "rcpt", path: firstText(letter, data) };
    default:
      return { kind: parsePlain(letter) };
  }
}

function parsePlain(letter: string): (typeof PLAIN)[keyof typeof PLAIN] {
  if (isPlain(letter)) return PLAIN[letter];
  throw new ProtocolFault(`there is no command ${shownLetter(letter)}`);
}

function isPlain(letter: string): letter is keyof typeof PLAIN {
  return Object.hasOwn(PLAIN, letter);
}

function parseConnect(data: Buffer): string | undefined {
  const family = endOfText("C", data, 0) + 1;
  if (family >= data.length) throw new ProtocolFault('"C" without an address family');
  if (!FAMILIES_OF_ADDRESSES.includes(data.toString("latin1", family, family + 1))) return undefined;
  const start = family + BEFORE_ADDRESS;
  return textOf(data, start, endOfText("C", data, start)).replace(IPV6_PREFIX, "");
}

/** The letter of the command that they belong to, then names and values in turn. */
function parseMacros(data: Buffer): ReadonlyMap<string, string> {
  const macros = new Map<string, string>();
  for (let at = 1; at < data.length; ) {
    const endOfName = endOfText("D", data, at);
    const endOfValue = endOfText("D", data, endOfName + 1);
    macros.set(textOf(data, at, endOfName), textOf(data, endOfName + 1, endOfValue));
    at = endOfValue + 1;
  }
  return macros;
}

function firstText(letter: string, data: Buffer): string {
  return textOf(data, 0, endOfText(letter, data, 0));
}

function endOfText(letter: string, data: Buffer, from: number): number {
  const end = data.indexOf(0, from);
  if (end >= 0) return end;
  throw new ProtocolFault(`${shownLetter(letter)} has a text that does not end with NUL`);
}

function textOf(data: Buffer, start: number, end: number): string {
  return data.toString("utf8", start, end);
}
