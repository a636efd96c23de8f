// Loop tokens: our Received field carries one, and a message that comes back to the same recipient with it goes in a
// circle. ADR 0016 says what a token covers and why nobody else can make one. Called by receive.ts.
import { timingSafeEqual } from "node:crypto";
import type { Trace } from "@homing/mail";
import {
  asciiLower,
  createKeyedHashes,
  type KeyedHash,
  labelledInput,
  type Mailbox,
  renderMailbox,
} from "@homing/srs-core";

export interface LoopTokens {
  /** For the Received field of a message that leaves, with the newest secret. */
  mint(recipient: Mailbox, messageId: string): string;
  /** Was this message here for this recipient before? */
  seen(recipient: Mailbox, trace: Trace): boolean;
}

/** Names purpose and version: no other keyed name of the same secret begins so. */
const LABEL = "homing-loop-v1";
/** 80 bits: a message has many guesses, one in each Received field, and no guess may ever hit. */
const TOKEN_OCTETS = 10;

const input = labelledInput(LABEL);

/** @param secrets newest first: the first signs, all verify */
export function createLoopTokens([newest, ...older]: readonly string[]): LoopTokens {
  if (newest === undefined || newest === "" || older.includes("")) {
    throw new RangeError("loop secrets: at least one is needed, and none may be empty");
  }
  const hashes = createKeyedHashes("sha256", [newest, ...older]);
  // The hash has one buffer for all of its results.
  const token = (hash: KeyedHash, recipient: Mailbox, messageId: string): Buffer =>
    Buffer.from(hash(input(covered(recipient, messageId))).subarray(0, TOKEN_OCTETS));
  return {
    mint: (recipient, messageId) => token(hashes[0], recipient, messageId).toString("hex"),

    seen(recipient, { tokens, messageId }) {
      const given = tokens
        .map((text) => Buffer.from(text, "hex"))
        .filter(({ length }) => length === TOKEN_OCTETS);
      // Most mail carries none: nothing is hashed for it.
      if (given.length === 0) return false;
      const ours = hashes.map((hash) => token(hash, recipient, messageId));
      return given.some((one) => ours.some((other) => timingSafeEqual(one, other)));
    },
  };
}

/** The recipient is folded to lower case, as the tables that hold it compare. */
function covered(recipient: Mailbox, messageId: string): [recipient: string, messageId: string] {
  return [asciiLower(renderMailbox(recipient)), messageId];
}
