// Header marks: our Received field carries one, and a bounce that returns it proves which header the message had, and which alias
// it was sent to. What is proven is the sender's own and goes back to him whole; nothing else of a returned header can be
// trusted to be his. ADR 0020. Called by receive.ts, and at the end of a bounce's DATA.
import { timingSafeEqual } from "node:crypto";
import type { HeaderField, ReturnedHeader } from "@homing/bounce-handler";
import { bareField, type Identity } from "@homing/mail";
import {
  asciiLower,
  createKeyedHashes,
  labelledInput,
  type Mailbox,
  parseMailbox,
  renderMailbox,
} from "@homing/srs-core";

export interface HeaderMarks {
  /** With the newest secret. */
  mint(sender: Mailbox, recipient: Mailbox, identity: Identity): string;
  /** Undefined where no field of ours proves it. */
  proven(sender: Mailbox, returned: ReturnedHeader): Proven | undefined;
}

export interface Proven {
  /** The recipient of the message, as it was folded for the mark. */
  readonly alias: Mailbox;
  /** The fields that are proven to be the sender's. */
  readonly header: ReturnedHeader;
}

const LABEL = "homing-header-v1";
const MARK_OCTETS = 10;
/** In the order of an identity. */
const NAMES = ["message-id", "date", "subject", "from", "to"];
/** Of Received fields that were returned. */
const MAX_HOPS = 100;
const MARK = "(header ";
const FOR = "for <";

const input = labelledInput(LABEL);

/** @param secrets newest first: the first signs, all verify */
export function createHeaderMarks([newest, ...older]: readonly string[]): HeaderMarks {
  if (newest === undefined) throw new RangeError("header marks: at least one secret is needed");
  const hashes = createKeyedHashes("sha256", [newest, ...older]);
  const covered = (sender: Mailbox, recipient: Mailbox, identity: Identity) =>
    input([asciiLower(renderMailbox(sender)), asciiLower(renderMailbox(recipient)), ...identity]);

  return {
    mint(sender, recipient, identity) {
      const octets = hashes[0](covered(sender, recipient, identity));
      return Buffer.from(octets.subarray(0, MARK_OCTETS)).toString("hex");
    },

    proven(sender, returned) {
      const { marks, firsts } = sorted(returned);
      if (marks.length === 0) return undefined;
      const isOurs = ({ mark, alias }: Marked, identity: Identity): boolean => {
        const message = covered(sender, alias, identity);
        return hashes.some((hash) => timingSafeEqual(hash(message).subarray(0, MARK_OCTETS), mark));
      };
      const inUtf8 = identityOf(firsts, utf8Octets);
      let inLatin1: Identity | undefined;
      // A reader takes octets for UTF-8 where they are, and for latin1 where they are not: of ASCII, both are the same.
      const isOursInLatin1 = (marked: Marked): boolean => {
        if (inUtf8.every(isAscii)) return false;
        inLatin1 ??= identityOf(firsts, (value) => value);
        return isOurs(marked, inLatin1);
      };
      const proven = marks.find((marked) => isOurs(marked, inUtf8) || isOursInLatin1(marked));
      return proven && { alias: proven.alias, header: firsts.filter((field) => field !== undefined) };
    },
  };
}

interface Sorted {
  /** Of our Received fields, or of others that look like them. */
  readonly marks: readonly Marked[];
  /** The first field of each of `NAMES`. */
  readonly firsts: readonly (HeaderField | undefined)[];
}

/** In one pass: each name is folded once. */
function sorted(returned: ReturnedHeader): Sorted {
  const marks: Marked[] = [];
  const firsts: (HeaderField | undefined)[] = NAMES.map(() => undefined);
  let hops = 0;
  for (const field of returned) {
    const name = asciiLower(field.name);
    if (name === "received") {
      const marked = hops++ < MAX_HOPS ? markIn(field) : undefined;
      if (marked) marks.push(marked);
      continue;
    }
    const place = NAMES.indexOf(name);
    if (place >= 0) firsts[place] ??= field;
  }
  return { marks, firsts };
}

interface Marked {
  readonly mark: Buffer;
  readonly alias: Mailbox;
}

function markIn({ value }: HeaderField): Marked | undefined {
  const start = value.indexOf(MARK);
  if (start < 0) return undefined;
  const end = value.indexOf(")", start);
  const mark = Buffer.from(value.slice(start + MARK.length, Math.max(start, end)), "hex");
  const name = value.indexOf(FOR, Math.max(start, end));
  const close = value.indexOf(">", name);
  if (mark.length !== MARK_OCTETS || name < 0 || close < 0) return undefined;
  const parsed = parseMailbox(value.slice(name + FOR.length, close));
  return parsed.ok ? { mark, alias: parsed.mailbox } : undefined;
}

function utf8Octets(value: string): string {
  return isAscii(value) ? value : Buffer.from(value, "utf8").toString("latin1");
}

function isAscii(text: string): boolean {
  // Linear: one class.
  return !/[^\0-\x7f]/.test(text);
}

function identityOf(firsts: Sorted["firsts"], octetsOf: (value: string) => string): Identity {
  const bare = (place: number): string => bareField(octetsOf(firsts[place]?.value ?? ""));
  return [bare(0), bare(1), bare(2), bare(3), bare(4)];
}
