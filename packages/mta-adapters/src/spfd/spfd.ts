// Mail::SPF's spfd, for ACLs and scripts that ask one: a question and an answer a connection, in its names of today and in those
// of Mail::SPF::Query. See docs/spfd.md. Listened for by the composition root.
import type { SpfAnswer, SpfQuestion } from "@homing/spf";
import { type Protocol, ProtocolFault } from "../wire/protocol.ts";
import { parseSpfRequest, type SpfRequest } from "./spf-request.ts";
import { spfWords } from "./spf-words.ts";
import { createSpfdReader } from "./spfd-reader.ts";

export interface SpfdOptions {
  /** No policy and no exceptions: whoever asks decides. Bounded in time; never rejects. */
  readonly check: (question: SpfQuestion) => Promise<SpfAnswer>;
  /** Our host name, for Received-SPF. */
  readonly receiver: string;
}

/** A check may take 20 s (RFC 7208 §4.6.4), and the client is silent meanwhile. */
const IDLE_SECONDS = 60;

export function spfdProtocol({ check, receiver }: SpfdOptions): Protocol<SpfRequest> {
  return {
    createReader: createSpfdReader,
    createSession: () => ({
      async answer(request) {
        const asked = parseSpfRequest(request);
        // spfd, too, then closes without a word.
        if (!asked.ok) throw new ProtocolFault(asked.problem);
        const { question } = asked;
        return { last: renderSpfdAnswer(await check(question), question, receiver) };
      },
    }),
    idleSeconds: IDLE_SECONDS,
  };
}

/** The order is spfd's; the last two are what the older one had. */
function renderSpfdAnswer(answer: SpfAnswer, question: SpfQuestion, receiver: string): string {
  const { reply, comment, field } = spfWords(answer, question, { receiver });
  const lines: readonly (readonly [name: string, value: string | undefined])[] = [
    ["result", answer.result],
    ["local_explanation", comment],
    ["authority_explanation", answer.result === "fail" ? reply : undefined],
    ["received_spf_header", field],
    ["spf_record", answer.record],
    ["smtp_comment", reply],
    ["header_comment", comment],
  ];
  return lines
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value?.replace(/\p{Cc}/gu, "?")}\n`)
    .join("");
}
