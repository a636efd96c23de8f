// Look-ups whose refusals are told to the log, in the name of the adapter that they came through. Made where a protocol is put
// together.
import { printable } from "@homing/srs-core";
import type { AdapterName, AdapterReport } from "../adapter-events.ts";
import type { LookUp } from "./map-answer.ts";

/** An address has 254 octets. */
const MAX_TOLD = 300;

export interface TellingRefusals {
  readonly adapter: AdapterName;
  readonly report: AdapterReport;
}

/** Who asks through a map does not say which client it is for, nor the other half of the envelope. */
export function tellingRefusals(lookUp: LookUp, { adapter, report }: TellingRefusals): LookUp {
  return (map, key) => {
    const answer = lookUp(map, key);
    const isRecipient = map === "reject";
    if ((!isRecipient && map !== "reject-sender") || answer instanceof Promise) return answer;
    if (answer.kind !== "found") return answer;
    const address = printable(key, MAX_TOLD);
    report({
      event: "adapter-refused",
      adapter,
      client: "",
      reversePath: isRecipient ? "" : address,
      recipient: isRecipient ? address : "",
      reason: reasonOf(answer.value),
      reply: answer.value,
    });
    return answer;
  };
}

function reasonOf(reply: string): string {
  if (reply.startsWith("4")) return "too-many-guesses";
  return reply.startsWith("550 5.1.1 ") ? "unknown-address" : "bad-srs-address";
}
