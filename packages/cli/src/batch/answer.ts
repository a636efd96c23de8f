// One line in, one line out: what `homing batch` answers. The contract: docs/cli.md.
import { NULL_PATH, renderMailbox } from "@homing/srs-core";
import { parseAddressArgument } from "../address-argument.ts";
import { inspectAddress } from "../inspect/inspect.ts";
import { reverseWords } from "../reverse-words.ts";
import { type Line, TOO_LONG } from "./line-splitter.ts";
import { type BatchRequest, parseRequest } from "./request.ts";
import { createRewriters, type GoodOptions, type Rewriters } from "./rewriters.ts";

/** An inspection of 64 KiB of secrets is no use to anybody; an address has 254 octets. */
export const MAX_LINE_OCTETS = 64 * 1024;

export interface Answerer {
  /** The answer as JSON without a line end; undefined for an empty line. */
  answer(line: Line): string | undefined;
}

type Answer =
  | { readonly ok: true; readonly [field: string]: unknown }
  | { readonly ok: false; readonly reason: string; readonly message: string };

/** @param clock Unix seconds, for requests that say no time */
export function createAnswerer(clock: () => number): Answerer {
  const rewriters = createRewriters();
  return {
    answer(line) {
      if (line === TOO_LONG) {
        return JSON.stringify(
          badRequest(`this line has more than ${MAX_LINE_OCTETS} octets: it was skipped`),
        );
      }
      if (line === "" || line.trim() === "") return undefined;
      const parsed = parseRequest(line);
      const answer = parsed.ok ? answerRequest(parsed.request, rewriters, clock) : badRequest(parsed.message);
      return JSON.stringify(parsed.id === undefined ? answer : { id: parsed.id, ...answer });
    },
  };
}

function answerRequest(request: BatchRequest, rewriters: Rewriters, clock: () => number): Answer {
  const { now = clock() } = request;
  const kept = rewriters.find(request);
  if (!kept.ok) return badRequest(kept.message);
  if (request.op === "inspect") return inspected(request, kept, now);
  const address = parseAddressArgument(request.address);
  if (!address.ok) return negative(address.reason, address.message);
  if (request.op === "reverse") {
    const outcome = kept.rewriter.reverse(address.mailbox, now);
    if (!outcome.ok) return negative(outcome.reason, reverseWords(outcome.reason, address.mailbox));
    return { ok: true, address: renderMailbox(outcome.address) };
  }
  const outcome = kept.rewriter.forward(address.mailbox, now);
  if (!outcome.ok) return negative(outcome.reason, outcome.message);
  if (outcome.sender === NULL_PATH) throw new Error("a mailbox became the null path");
  return { ok: true, address: renderMailbox(outcome.sender), rewritten: outcome.rewritten };
}

function inspected(request: BatchRequest, kept: GoodOptions, now: number): Answer {
  const address = parseAddressArgument(request.address);
  if (!address.ok) return negative(address.reason, address.message);
  const outcome = inspectAddress(address.mailbox, {
    rewriter: request.secrets && kept.rewriter,
    maxAgeDays: kept.maxAgeDays,
    ...(kept.ownDomains.length > 0 ? { ownDomains: kept.ownDomains } : {}),
    now,
  });
  if (!outcome.ok) return negative(outcome.reason, outcome.message);
  return { ok: true, now, ...outcome.inspection };
}

function negative(reason: string, message: string): Answer {
  return { ok: false, reason, message };
}

function badRequest(message: string): Answer {
  return negative("bad-request", message);
}
