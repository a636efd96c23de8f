// Asks a Homing service about one user. Called by confirm-user.ts. docs/http-api.md describes the answers.
import type { World } from "./options.ts";
import { type Stopped, stopped } from "./plugin-problem.ts";
import type { PrivateLines } from "./private-lines.ts";

export interface HomingService {
  /** What the service knows of an address at the site whose key we have. */
  identity(address: string): Promise<{ readonly ok: true; readonly identity: KnownIdentity } | Stopped>;
  /** Newest first. */
  publicKeys(): Promise<{ readonly ok: true; readonly keys: readonly string[] } | Stopped>;
}

export interface KnownIdentity {
  /** `none` where there is no identity. */
  readonly status: "none" | "pending" | "confirmed" | "revoked" | "expired";
  readonly address: string;
  readonly site: string;
  readonly scope: string;
}

export interface ServicePlace {
  /** Without a slash at the end. */
  readonly base: string;
  readonly siteKey: () => Promise<PrivateLines>;
  readonly world: Pick<World, "request">;
}

const STATUSES = ["pending", "confirmed", "revoked", "expired"] as const;
const NOBODY: KnownIdentity = { status: "none", address: "", site: "", scope: "" };

export function createHomingService({ base, siteKey, world }: ServicePlace): HomingService {
  async function get(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    try {
      return {
        ok: true,
        ...(await world.request(`${base}${path}`, { accept: "application/json", ...headers })),
      };
    } catch (cause) {
      return away(base, "did not answer", cause);
    }
  }

  return {
    async identity(address) {
      const key = await siteKey();
      if (!key.ok) return key;
      const answer = await get(`/v1/identities/${encodeURIComponent(address)}`, {
        authorization: `Bearer ${key.lines[0]}`,
      });
      if (!answer.ok) return answer;
      if (answer.status === 404) return { ok: true, identity: NOBODY };
      if (answer.status === 401 || answer.status === 403) {
        return stopped("unauthorized", `the Homing service at ${base} does not know the site's key`, {
          field: "homing.siteKeyFile",
          hint: "put the key there that its configuration has for this site",
        });
      }
      const identity = answer.status === 200 ? identityIn(answer.body) : undefined;
      return identity
        ? { ok: true, identity }
        : away(base, `answered with ${answer.status}, and no identity`);
    },

    async publicKeys() {
      const answer = await get("/v1/keys", {});
      if (!answer.ok) return answer;
      const keys = answer.status === 200 ? keysIn(answer.body) : undefined;
      return keys ? { ok: true, keys } : away(base, `answered with ${answer.status}, and no keys`);
    },
  };
}

type Answer = { readonly ok: true; readonly status: number; readonly body: string } | Stopped;

function identityIn(body: string): KnownIdentity | undefined {
  const { status, address, site, scope } = membersOf(body);
  const known = STATUSES.find((one) => one === status);
  if (!known || typeof address !== "string" || typeof site !== "string" || typeof scope !== "string")
    return undefined;
  return { status: known, address, site, scope };
}

/** A JWK Set, RFC 7517. */
function keysIn(body: string): readonly string[] | undefined {
  const { keys } = membersOf(body);
  if (!Array.isArray(keys) || keys.length === 0) return undefined;
  const texts = keys.map((key: unknown) =>
    typeof key === "object" && key !== null && "x" in key ? key.x : undefined,
  );
  return texts.every((text) => typeof text === "string") ? texts : undefined;
}

function membersOf(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function away(base: string, what: string, cause?: unknown): Stopped {
  return stopped("unavailable", `the Homing service at ${base} ${what}`, {
    field: "homing.url",
    hint: "nothing was sent: try again later, and look whether the service runs",
    cause,
  });
}
