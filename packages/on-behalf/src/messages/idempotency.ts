// A request that is sent again, because its answer was lost, is done once. The row is written in the transaction that queues the
// message: also when the service is killed in between, there are both or neither. Refusals are not remembered: the same request
// may be right a moment later. Called by messages.ts.
import { createHash } from "node:crypto";
import type { UnixSeconds } from "@homing/srs-core";
import { away } from "../away.ts";
import type { MessageRequest, SentMessage } from "../on-behalf.ts";
import { type Refused, refused } from "../problem.ts";
import type { Fact, FactName, OnBehalfStore } from "../store.ts";

const KEPT_SECONDS = 86_400;
const PRINTABLE = /^[\x20-\x7e]{1,256}$/;
/** Of the request that is under way: it takes milliseconds, or as long as DNS does. */
const UNDER_WAY_SECONDS = 1;

export interface Idempotency {
  /** Of two requests at the same time, one begins; the other is refused, and may ask again. */
  begin(site: string, key: string, request: MessageRequest): Begun | Refused;
}

export interface Begun {
  readonly ok: true;
  /** To be absent in the transaction that writes `fact`. */
  readonly name: FactName;
  fact(message: SentMessage, now: UnixSeconds): Fact;
  /** What was answered to the same request; undefined: it is to be done. */
  earlier(now: UnixSeconds): Promise<SentMessage | Refused | undefined>;
  end(): void;
}

interface Row {
  readonly payload: string;
  readonly message: SentMessage;
}

export function createIdempotency(store: Pick<OnBehalfStore, "find">): Idempotency {
  const underWay = new Map<string, string>();

  return {
    begin(site, key, request) {
      if (!PRINTABLE.test(key)) {
        return refused(
          "idempotency-key-invalid",
          "the Idempotency-Key has not 1 to 256 printable characters",
          {
            hint: "a random UUID is a good one",
          },
        );
      }
      const name: FactName = { of: "ob-idempotency", key: `${site} ${hashOf(key)}` };
      const payload = hashOf(canonical(request));
      const other = underWay.get(name.key);
      if (other !== undefined) return other === payload ? isUnderWay() : conflict();
      underWay.set(name.key, payload);
      return {
        ok: true,
        name,
        fact: (message, now) => ({
          ...name,
          value: JSON.stringify({ payload, message } satisfies Row),
          expires: now + KEPT_SECONDS,
        }),
        async earlier(now) {
          const fact = await store.find(name, now);
          if (fact === undefined) return undefined;
          if (fact === "away") return away();
          const row = JSON.parse(fact.value) as Row;
          return row.payload === payload ? row.message : conflict();
        },
        end: () => void underWay.delete(name.key),
      };
    },
  };
}

/** The same for the same request, in whatever order its members came. */
function canonical(request: MessageRequest): string {
  const members = Object.entries(request).filter(([, value]) => value !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(members);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("base64url");
}

function conflict(): Refused {
  return refused("idempotency-conflict", "another request was sent with this Idempotency-Key", {
    hint: "use a new key for each message, and the same one only to repeat a request",
  });
}

function isUnderWay(): Refused {
  return refused("idempotency-under-way", "the same request has not been answered yet", {
    hint: "send it again in a moment: it is done once",
    retryAfter: UNDER_WAY_SECONDS,
  });
}
