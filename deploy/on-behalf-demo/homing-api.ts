// The part of Homing's HTTP API that this site uses. Copy this file; all else of the sample is a site like any other.
// Every answer is a value: what was asked for, or the problem (RFC 9457) in `problem`.

export interface Problem {
  /** The last part of its URL, such as `limit-user`; `unreachable` is of our own making. */
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  /** Of the request, such as `to[0]`. */
  readonly field?: string;
  /** Seconds until it can be tried again. */
  readonly retryAfter?: number;
}

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

export interface Identity {
  readonly address: string;
  readonly status: "pending" | "confirmed" | "revoked" | "expired";
}

export interface SentMessage {
  readonly id: string;
  /** Unix seconds. */
  readonly createdAt: number;
  readonly recipients: readonly {
    readonly address: string;
    readonly status: "queued" | "delivered" | "failed" | "bounced";
  }[];
}

export interface SiteEvent {
  readonly id: string;
  readonly type: string;
  /** Unix seconds. */
  readonly at: number;
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

export interface Letter {
  /** The user's address, which he confirmed. */
  readonly onBehalfOf: string;
  readonly name: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface Homing {
  /** Mails the user a link that confirms his address for this site. */
  askForConfirmation(address: string, returnUrl: string): Promise<Answer<unknown>>;
  identity(address: string): Promise<Answer<Identity>>;
  /** @param idempotencyKey of the form: sent twice, it is one message */
  send(letter: Letter, idempotencyKey: string): Promise<Answer<SentMessage>>;
  message(id: string): Promise<Answer<SentMessage>>;
  /** Oldest first; `next` is `after` of the next call. */
  events(
    after: string | undefined,
  ): Promise<Answer<{ readonly events: readonly SiteEvent[]; readonly next: string }>>;
}

const TIMEOUT_MS = 10_000;

/** @param url such as `https://mail.site.example`, without a slash at the end */
export function createHoming(url: string, siteKey: string): Homing {
  async function call<T>(
    method: string,
    path: string,
    body?: object,
    more: Readonly<Record<string, string>> = {},
  ) {
    try {
      const response = await fetch(`${url}/v1/${path}`, {
        method,
        headers: { Authorization: `Bearer ${siteKey}`, "Content-Type": "application/json", ...more },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const value: unknown = await response.json();
      return response.ok ? ({ ok: true, value: value as T } as const) : failed(response, value);
    } catch (error) {
      return unreachable(error);
    }
  }

  return {
    askForConfirmation: (address, returnUrl) => call("POST", "identities", { address, returnUrl }),
    identity: (address) => call("GET", `identities/${encodeURIComponent(address)}`),
    send: (letter, key) =>
      call("POST", "messages", { profile: "on-behalf", ...letter }, { "Idempotency-Key": key }),
    message: (id) => call("GET", `messages/${encodeURIComponent(id)}`),
    events: (after) => call("GET", `events${after ? `?after=${encodeURIComponent(after)}` : ""}`),
  };
}

function failed(response: Response, body: unknown): Answer<never> {
  const { type = "", title = "", detail = "", field } = body as Partial<Problem>;
  // `detail` and `hint` are for the developer. Of a user who was never asked, 404 is what is expected.
  if (response.status !== 404) console.error("Homing:", JSON.stringify(body));
  const retryAfter = Number(response.headers.get("Retry-After") ?? 0);
  return {
    ok: false,
    problem: {
      type: type.slice(type.lastIndexOf("/") + 1),
      title,
      detail,
      ...(field === undefined ? {} : { field }),
      ...(retryAfter > 0 ? { retryAfter } : {}),
    },
  };
}

function unreachable(error: unknown): Answer<never> {
  console.error("Homing:", error);
  return { ok: false, problem: { type: "unreachable", title: "Homing does not answer", detail: "" } };
}
