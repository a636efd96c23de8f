// Links: what a sender gave with a message that is forwarded. A bounce that names the message finds it, and comes home with his
// own identifiers and header. Asked for with `bounces.remember: headers`. Written by forwarder.ts before the message is handed
// over, found by bounce-desk.ts.
import { createHash } from "node:crypto";
import { headerToRemember, type Remembered, type ReturnedHeader } from "@homing/bounce-handler";
import { bareField } from "@homing/mail";
import {
  asciiLower,
  type Mailbox,
  NULL_PATH,
  parseSrs,
  renderMailbox,
  type UnixSeconds,
} from "@homing/srs-core";
import type { Incoming, Lead } from "../hand-over/incoming.ts";
import { createCappedNotes } from "../spool/capped-notes.ts";
import { createKeyedTurns } from "../spool/keyed-turns.ts";
import type { Notes } from "../spool/notes.ts";
import type { SrsDomains } from "../srs-domains.ts";
import { type KeyFacts, senderKey } from "./return-keys.ts";

export interface Links {
  /**
   * Of each recipient whose mail leaves with a rewritten sender. Nobody waits for it: what the disk does not take is not
   * remembered, and the mail goes on.
   */
  remember(mail: Incoming): void;
  /**
   * Only among the links of this very SRS address. Whoever holds that can forge a bounce and name a message in it: what the
   * link gives goes to its sender, who wrote it, and to nobody else.
   */
  find(unwrapped: KeyFacts, returned: ReturnedHeader): Promise<Remembered | undefined>;
  /** Resolves when what was to be remembered is on the disk, or will not be. */
  settled(): Promise<void>;
}

export interface LinkOptions {
  readonly notes: Notes;
  readonly srsDomains: SrsDomains;
  readonly now: () => UnixSeconds;
  /** Told of bugs. */
  readonly failed: (error: unknown) => void;
  readonly maxOctets?: number;
}

const SORT = "link";
/** Mail is tried for four or five days, and its bounce for a while more. */
const LIFE_SECONDS = 7 * 86_400;
/** Some 200,000 messages. */
const MAX_OCTETS = 256 * 1024 * 1024;
/** Links that wait for the disk: 5 MB. While it hangs, further ones are not remembered. */
const MAX_WAITING = 1000;

export function createLinks(options: LinkOptions): Links {
  const { notes, srsDomains, now, failed, maxOctets = MAX_OCTETS } = options;
  const kept = createCappedNotes(notes, { sort: SORT, maxOctets, lifeSeconds: LIFE_SECONDS });
  // A bounce that is quicker than the disk waits for it.
  const inTurn = createKeyedTurns();
  const waiting = new Set<Promise<void>>();

  const store = async (key: string, link: Remembered, at: UnixSeconds): Promise<void> => {
    const found = await kept.find(key, at);
    if (found === "away") return;
    if (!found) {
      await kept.add(key, JSON.stringify(link), at);
      return;
    }
    const value = JSON.stringify(ofBoth(readLink(found.value), link));
    if (value !== found.value) await kept.replace(found, value, at);
  };

  return {
    remember(mail) {
      const { command, content, leads } = mail;
      const given = command.reversePath;
      if (given === NULL_PATH) return;
      const srs = leads.map((lead) => rewritten(lead, given));
      if (srs.every((one) => one === undefined)) return;
      const header = headerToRemember(content.start);
      const messageId = onlyMessageId(header);
      if (messageId === undefined) return;
      const arrived = now();
      for (const [at, lead] of leads.entries()) {
        const address = srs[at];
        const unwrapped = address && unwrappedBy(srsDomains, address, arrived);
        if (!unwrapped || waiting.size >= MAX_WAITING) continue;
        const key = linkKey(unwrapped, messageId);
        const link = linkOf(mail, lead, header, arrived);
        const stored: Promise<void> = inTurn(key, () => store(key, link, arrived))
          .catch(failed)
          .finally(() => waiting.delete(stored));
        waiting.add(stored);
      }
    },

    async find(unwrapped, returned) {
      const messageId = onlyMessageId(returned);
      if (messageId === undefined) return undefined;
      const key = linkKey(unwrapped, messageId);
      const found = await inTurn(key, () => kept.find(key, now()));
      // Without a disk nothing is told of the bounce either.
      return found && found !== "away" ? readLink(found.value) : undefined;
    },

    async settled() {
      await Promise.all(waiting);
    },
  };
}

/** The SRS address that this recipient's mail leaves with. Whoever comes with one of ours keeps it: it is another's. */
function rewritten({ copies }: Lead, given: Mailbox): Mailbox | undefined {
  const before = asciiLower(renderMailbox(given));
  for (const { reversePath } of copies) {
    if (reversePath === NULL_PATH || asciiLower(renderMailbox(reversePath)) === before) continue;
    if (parseSrs(reversePath.localPart).kind === "srs0") return reversePath;
  }
  return undefined;
}

/** As the gate will unwrap it. */
function unwrappedBy(domains: SrsDomains, srs: Mailbox, now: UnixSeconds): KeyFacts | undefined {
  const rewriter = domains.at(srs.domain);
  const parsed = parseSrs(srs.localPart);
  const reversed = rewriter?.reverse(srs, now);
  if (!rewriter || parsed.kind !== "srs0" || !reversed?.ok || reversed.kind !== "srs0") return undefined;
  return { to: reversed.address, facts: { rewriter, selector: reversed.selector, stamp: parsed.stamp } };
}

/** Of two, neither is the message's. */
function onlyMessageId(header: ReturnedHeader): string | undefined {
  const [field, ...others] = header.filter(({ name }) => asciiLower(name) === "message-id");
  const value = field && others.length === 0 ? bareField(field.value) : "";
  return value === "" ? undefined : value;
}

function linkKey(unwrapped: KeyFacts, messageId: string): string {
  const text = JSON.stringify([senderKey(unwrapped), messageId]);
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}

/** RET is not kept: the message is not, and the header comes back either way (RFC 3461 §4.3). */
function linkOf(
  { command }: Incoming,
  { dsn }: Lead,
  header: ReturnedHeader,
  arrived: UnixSeconds,
): Remembered {
  return { envid: command.dsn?.envid, orcpt: dsn?.orcpt, notify: dsn?.notify, arrived, header };
}

/**
 * The same message again: its client tried again; or, of an SRS address without a selector, it came to another alias; or
 * somebody who knows its Message-ID forges its sender. What differs belongs to neither: nobody silences another's bounces.
 */
function ofBoth(first: Remembered, again: Remembered): Remembered {
  const isSame = JSON.stringify(first.notify) === JSON.stringify(again.notify);
  return {
    envid: first.envid === again.envid ? first.envid : undefined,
    orcpt: first.orcpt === again.orcpt ? first.orcpt : undefined,
    notify: isSame ? first.notify : undefined,
    arrived: first.arrived,
    header: first.header,
  };
}

function readLink(value: string): Remembered {
  return JSON.parse(value) as Remembered;
}
