// Who is signed in: one random cookie for each browser, and one random token that every form of it carries, so that no other
// site can send one in the user's name. Kept in memory: a restart signs everybody out. Called by site.ts.
import { randomBytes } from "node:crypto";
import type { User } from "./users.ts";

export interface Session {
  readonly user: User;
  /** In a hidden field of each form. */
  readonly csrf: string;
  readonly until: number;
}

export interface Sessions {
  /** @returns the value for Set-Cookie */
  begin(user: User): string;
  /** @param cookies the request's Cookie field */
  of(cookies: string | undefined): Session | undefined;
  /** @returns the value for Set-Cookie */
  end(cookies: string | undefined): string;
}

const COOKIE = "demo-session";
const HOURS = 12;
const MAX_SESSIONS = 10_000;

/** @param secure the site is reached by https: every site but this sample on 127.0.0.1 */
export function createSessions(secure: boolean): Sessions {
  const sessions = new Map<string, Session>();
  const attributes = `Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;

  return {
    begin(user) {
      const id = randomToken();
      const [oldest] = sessions.keys();
      if (sessions.size >= MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
      sessions.set(id, { user, csrf: randomToken(), until: Date.now() + HOURS * 3_600_000 });
      return `${COOKIE}=${id}; Max-Age=${HOURS * 3600}; ${attributes}`;
    },
    of(cookies) {
      const session = sessions.get(cookieOf(cookies));
      return session && session.until > Date.now() ? session : undefined;
    },
    end(cookies) {
      sessions.delete(cookieOf(cookies));
      return `${COOKIE}=; Max-Age=0; ${attributes}`;
    },
  };
}

function cookieOf(cookies = ""): string {
  const found = cookies.split("; ").find((cookie) => cookie.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) ?? "";
}

function randomToken(): string {
  return randomBytes(24).toString("base64url");
}
