// Reads the client in one Received field, in the forms of the usual servers. In doubt it says nothing: a client may have put
// words of the grammar into its HELO. Called by relayed-from.ts.
import { isIP } from "node:net";

export type ReceivedFrom =
  | {
      readonly kind: "client";
      readonly address: string;
      readonly helo: string;
    }
  /** The server tells itself that it took the message: the field below has the client. */
  | { readonly kind: "same-server" }
  | { readonly kind: "unknown" };

const UNKNOWN: ReceivedFrom = { kind: "unknown" };
const MAX_HELO = 255;

/** @param value behind the field's name and colon, folded or not */
export function receivedFrom(value: string): ReceivedFrom {
  const [first, name, ...others] = itemsOf(value);
  // qmail: one field for its network side, and one with the client below it.
  if (first?.isComment) return isNote(first) ? { kind: "same-server" } : UNKNOWN;
  if (!isWord(first, "from") || !name || name.isComment) return UNKNOWN;
  const end = others.findIndex((item) => !item.isComment);
  if (!isWord(others[end], "by")) return UNKNOWN;
  const comments = others.slice(0, end).map(({ text }) => text);
  const behind = others.slice(end + 1);
  // A second one behind the server's name: the first was perhaps the client's.
  const next = behind.slice(1).find((item) => !item.isComment);
  if (isWord(next, "by")) return UNKNOWN;
  return clientOf(name.text, comments, behind);
}

interface Item {
  readonly isComment: boolean;
  readonly text: string;
}

function isWord(item: Item | undefined, word: string): boolean {
  return item !== undefined && !item.isComment && item.text.toLowerCase() === word;
}

/** `(qmail 123 invoked from network)`; what a user of the machine sent has another. */
function isNote({ text }: Item): boolean {
  return /^qmail \d+ invoked (?:from network|by alias)$/.test(text);
}

/** Words, and comments without their parentheses: up to where these do not match, as in a quoted address far behind. */
function itemsOf(value: string): readonly Item[] {
  const items: Item[] = [];
  let depth = 0;
  let begin = 0;
  const take = (end: number, isComment: boolean) => {
    const text = value
      .slice(begin, end)
      .replace(/[ \t\r\n]+/g, " ")
      .trim();
    if (isComment || text !== "") items.push({ isComment, text });
    begin = end + 1;
  };
  for (let at = 0; at < value.length && depth >= 0; at++) {
    const char = value.charAt(at);
    if (char === "(") {
      if (depth === 0) take(at, false);
      depth++;
    } else if (char === ")") {
      if (depth === 1) take(at, true);
      depth--;
    } else if (depth === 0 && " \t\r\n;".includes(char)) take(at, false);
  }
  if (depth === 0) take(value.length, false);
  return items;
}

function clientOf(name: string, comments: readonly string[], behind: readonly Item[]): ReceivedFrom {
  const [first] = comments;
  // Exim, of a client whose name it does not know: `[192.0.2.1] (helo=x)`, or the address alone where that is the HELO.
  const literal = bracketed(name);
  const isExims = behind.some(({ isComment, text }) => isComment && text.startsWith("Exim "));
  if (literal !== undefined && isExims && (first === undefined || isAttributes(first)))
    return comments.some(hasAddress) ? UNKNOWN : client(literal, heloIn(first ?? "") ?? name);
  // qmail: `unknown (HELO x) (192.0.2.1)`.
  const greeting = first === undefined ? undefined : /^(?:HELO|EHLO)(?: (.*))?$/.exec(first);
  const [told = "", ...more] = greeting ? comments.slice(1) : comments;
  const [address, ...others] = addressesIn(told);
  // Two of them: one was perhaps in the client's HELO, in its name in DNS, or in what its ident server says.
  if (address === undefined || others.length > 0 || more.some(hasAddress)) return UNKNOWN;
  return client(address, greeting ? (greeting[1] ?? "") : ((isExims ? heloIn(told) : undefined) ?? name));
}

function client(address: string, helo: string): ReceivedFrom {
  return { kind: "client", address, helo: helo.slice(0, MAX_HELO) };
}

/** `name [address]`, `[address] helo=x`, `[address]:25`, `address`, `user@address`, `name [address] (may be forged)`. */
function addressesIn(comment: string): readonly string[] {
  const words = comment.split(" ").map((word) => word.slice(word.lastIndexOf("@") + 1));
  const [only = "", ...others] = words;
  const bare = others.length === 0 ? addressOf(only) : undefined;
  return bare === undefined ? words.flatMap((word) => bracketed(word) ?? []) : [bare];
}

function hasAddress(comment: string): boolean {
  return addressesIn(comment).length > 0;
}

/** With a port behind it, where Exim is asked to write one. */
function bracketed(word: string): string | undefined {
  const inner = /^\[([^[\]]*)\](?::\d{1,5})?$/.exec(word)?.[1];
  return inner === undefined ? undefined : addressOf(inner);
}

/** An IPv4 address in IPv6 clothes is IPv4, as Courier writes it; a zone is the server's own affair. */
function addressOf(text: string): string | undefined {
  const [plain = ""] = text.replace(/^ipv6:/i, "").split("%");
  if (isIP(plain) === 0) return undefined;
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain.toLowerCase();
}

/** Exim's `helo=x ident=y`. */
function isAttributes(comment: string): boolean {
  return /^(?:helo|ident|port)=/.test(comment);
}

function heloIn(comment: string): string | undefined {
  const attribute = comment.split(" ").find((word) => word.startsWith("helo="));
  return attribute?.slice("helo=".length);
}
