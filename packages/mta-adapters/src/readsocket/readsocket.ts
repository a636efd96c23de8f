// One question and one answer a connection, for Exim's ${readsocket}, `homing pipe` and plug-ins: see docs/spfd.md. Listened for
// by the composition root.
import { isIP } from "node:net";
import { renderReply } from "@homing/mail";
import { printable } from "@homing/srs-core";
import type { AdapterReport } from "../adapter-events.ts";
import type { MapAnswer } from "../maps/map-answer.ts";
import type { SrsMaps } from "../maps/srs-maps.ts";
import { tellingRefusals } from "../maps/told-look-up.ts";
import type { SenderChecks } from "../senders/sender-checks.ts";
import type { LastWords, Protocol } from "../wire/protocol.ts";
import { createLineReader } from "./line-reader.ts";
import { renderMapAnswer, verdictAnswer } from "./readsocket-reply.ts";
import { parseReadsocketRequest, type ReadsocketRequest } from "./readsocket-request.ts";

export interface ReadsocketOptions {
  readonly maps: Pick<SrsMaps, "lookUp">;
  readonly senders: SenderChecks;
  /** Refusals are told. */
  readonly report: AdapterReport;
}

/** A check of a sender may take 20 s (RFC 7208 §4.6.4), and the client is silent meanwhile. */
const IDLE_SECONDS = 60;

export function readsocketProtocol(options: ReadsocketOptions): Protocol<string> {
  const { maps, report } = options;
  const lookUp = tellingRefusals(maps.lookUp, { adapter: "readsocket", report });
  const session = {
    answer(line: string): LastWords | Promise<LastWords> {
      const request = parseReadsocketRequest(line);
      const answer =
        request.kind === "spf" ? senderAnswer(options, request) : lookUp(request.map, request.key);
      return answer instanceof Promise ? answer.then(lastWords) : lastWords(answer);
    },
  };
  return { createReader: createLineReader, createSession: () => session, idleSeconds: IDLE_SECONDS };
}

function lastWords(answer: MapAnswer): LastWords {
  return { last: renderMapAnswer(answer) };
}

async function senderAnswer(
  { senders, report }: ReadsocketOptions,
  { client, helo, sender }: Extract<ReadsocketRequest, { kind: "spf" }>,
): Promise<MapAnswer> {
  if (isIP(client) === 0) return { kind: "wrong", why: `${printable(client)} is no IP address` };
  const verdict = await senders.check({ client, helo, sender, recipient: undefined });
  if (verdict?.reply) {
    const reply = renderReply(verdict.reply);
    const told = { client, reversePath: sender, recipient: "", reason: verdict.fault ?? "", reply };
    report({ event: "adapter-refused", adapter: "readsocket", ...told });
  }
  return verdictAnswer(verdict);
}
