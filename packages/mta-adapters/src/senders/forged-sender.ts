// A sender at an SRS domain of ours, from outside: forged, or our own address that another forwarder sends back as it is. Its
// tag tells. Called by policy, milter and the map `reject-sender`, as receive.ts of the SMTP service does it.
import { type Asked, type BounceGate, type GateRefusal, TOO_MANY_GUESSES } from "@homing/bounce-handler/gate";
import type { Reply } from "@homing/mail";
import { NULL_PATH, type ReversePath, renderMailbox } from "@homing/srs-core";

export interface ForgedSender {
  /** For the log alone. */
  readonly reason: GateRefusal | "unknown-address";
  readonly reply: Reply;
}

/** One text for every reason, as for recipients. */
const NOT_OURS: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "the sender is at a domain of this server, which did not make that address, or long ago",
};

export interface SrsJudges {
  /** Counts wrong tags of senders, too. */
  readonly gate: Pick<BounceGate, "judges" | "reverse">;
  /** Of a text that is no SRS address: is it at a domain that has only those? */
  readonly isNobody: (address: string) => boolean;
}

/** Undefined where there is nothing to say against the sender. */
export function forgedSender(
  { gate, isNobody }: SrsJudges,
  sender: ReversePath,
  asked: Asked,
): ForgedSender | undefined {
  if (sender === NULL_PATH) return undefined;
  if (!gate.judges(sender))
    return isNobody(renderMailbox(sender)) ? { reason: "unknown-address", reply: NOT_OURS } : undefined;
  const reversed = gate.reverse(sender, asked);
  if (reversed === "too-many-guesses") return { reason: reversed, reply: TOO_MANY_GUESSES };
  return reversed.ok ? undefined : { reason: reversed.reason, reply: NOT_OURS };
}
