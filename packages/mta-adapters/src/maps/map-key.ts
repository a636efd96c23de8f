// Keys of the maps `forward` and `forward-alias`. Called by srs-maps.ts.
import { type Mailbox, parseMailbox } from "@homing/srs-core";
import { withoutRootDot } from "./root-dot.ts";

export type MapSender =
  | { readonly kind: "null" }
  /** A bare name: the mail server puts its own domain behind it. */
  | { readonly kind: "user" }
  | { readonly kind: "mailbox"; readonly mailbox: Mailbox }
  | { readonly kind: "malformed"; readonly message: string };

export interface AliasKey {
  /** Undefined where the first word is no address. */
  readonly alias: Mailbox | undefined;
  readonly sender: string;
}

/** Postfix asks for the null sender so (canonical(5)). */
const NULL_SENDERS = ["", "<>", '""'];
/** Without `%` and `!`, of which mail servers make an @: such a name may be an address anywhere. */
const USER = /^[A-Za-z0-9#$&'*+/=?^_`{|}~.-]+$/;

export function parseMapSender(text: string): MapSender {
  if (NULL_SENDERS.includes(text)) return { kind: "null" };
  const parsed = parseMailbox(withoutRootDot(text));
  if (parsed.ok) return { kind: "mailbox", mailbox: parsed.mailbox };
  return USER.test(text) ? { kind: "user" } : { kind: "malformed", message: parsed.message };
}

/** `ALIAS SENDER`. Undefined where nobody can tell which is which: to guess would be to sign somebody else. */
export function parseAliasKey(key: string): AliasKey | undefined {
  const blank = firstBlank(key);
  if (blank === undefined) return undefined;
  const sender = key.slice(blank + 1);
  const alias = parseMailbox(withoutRootDot(key.slice(0, blank)));
  if (alias.ok) return { alias: alias.mailbox, sender };
  return parseMapSender(sender).kind === "malformed" ? undefined : { alias: undefined, sender };
}

/** The first that is in no quotes: a local part in quotes may hold blanks. */
function firstBlank(key: string): number | undefined {
  let isQuoted = false;
  for (let at = 0; at < key.length; at++) {
    const character = key[at];
    if (isQuoted && character === "\\") at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === " ") return at;
  }
  return undefined;
}
