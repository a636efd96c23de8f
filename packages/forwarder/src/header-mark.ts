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
      const marked = returned.filter(isReceived).slice(0, MAX_HOPS).flatMap(markIn);
      if (marked.length === 0) return undefined;
      const identities = identitiesOf(returned);
      for (const { mark, alias } of marked) {
        for (const identity of identities) {
          const message = covered(sender, alias, identity);
          const isOurs = hashes.some((hash) => timingSafeEqual(hash(message).subarray(0, MARK_OCTETS), mark));
          if (isOurs) return { alias, header: NAMES.flatMap((name) => firstOf(returned, name) ?? []) };
        }
      }
      return undefined;
    },
  };
}

function isReceived({ name }: HeaderField): boolean {
  return asciiLower(name) === "received";
}

interface Marked {
  readonly mark: Buffer;
  readonly alias: Mailbox;
}

function markIn({ value }: HeaderField): readonly Marked[] {
  const start = value.indexOf(MARK);
  if (start < 0) return [];
  const end = value.indexOf(")", start);
  const mark = Buffer.from(value.slice(start + MARK.length, Math.max(start, end)), "hex");
  const name = value.indexOf(FOR, Math.max(start, end));
  const close = value.indexOf(">", name);
  if (mark.length !== MARK_OCTETS || name < 0 || close < 0) return [];
  const parsed = parseMailbox(value.slice(name + FOR.length, close));
  return parsed.ok ? [{ mark, alias: parsed.mailbox }] : [];
}

function firstOf(returned: ReturnedHeader, name: string): HeaderField | undefined {
  return returned.find((field) => asciiLower(field.name) === name);
}

/** A reader takes octets for UTF-8 where they are, and for latin1 where they are not: of ASCII, both are the same. */
function identitiesOf(returned: ReturnedHeader): readonly Identity[] {
  const inUtf8 = identityOf(returned, utf8Octets);
  return inUtf8.every(isAscii) ? [inUtf8] : [inUtf8, identityOf(returned, (value) => value)];
}

function isAscii(text: string): boolean {
  // Linear: one class.
  return !/[^\0-\x7f]/.test(text);
}

function identityOf(returned: ReturnedHeader, octetsOf: (value: string) => string): Identity {
  const bare = (name: string): string => bareField(octetsOf(firstOf(returned, name)?.value ?? ""));
  return [bare("message-id"), bare("date"), bare("subject"), bare("from"), bare("to")];
}

function utf8Octets(value: string): string {
  return Buffer.from(value, "utf8").toString("latin1");
}
