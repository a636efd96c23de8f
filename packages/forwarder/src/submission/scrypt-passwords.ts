// Passwords of the users file. A name that nobody has takes as long as one that somebody has. Called by the composition root.
import { createHash } from "node:crypto";
import { type PasswordHash, verifyPassword } from "./password-hash.ts";
import type { Passwords } from "./passwords.ts";
import { createTurns } from "./turns.ts";
import { LogInUnavailable } from "./unavailable.ts";
import { nameKey, type Users } from "./users-file.ts";

/**
 * Each takes a core for 0.2 s, 32 MiB, and one of the four threads that files and DNS need, too. Those who wait are some 5 s of
 * work: whoever comes behind them would be gone before it is his turn.
 */
const LIMITS = { atOnce: 2, waiting: 50 };
/** Where the file is empty. */
const NOBODY: PasswordHash = { ln: 15, r: 8, p: 3, salt: Buffer.alloc(16), hash: Buffer.alloc(32) };

/** @param users asked at each log-in: a reload swaps them */
export function createScryptPasswords(users: () => Users, limits = LIMITS): Passwords {
  const turns = createTurns(limits);
  return {
    async check({ name, password }) {
      const all = users();
      const user = all.get(nameKey(name));
      const verified = turns.run(() => verifyPassword(password, user?.hash ?? somebodys(all, name)));
      if (!verified) throw new LogInUnavailable("too many log-ins at once");
      const isRight = await verified;
      return isRight && user?.hash ? user.name : undefined;
    },
  };
}

/** One and the same for each name: neither time nor its changes tell that nobody has it. */
function somebodys(users: Users, name: string): PasswordHash {
  const place = createHash("sha256").update(nameKey(name)).digest().readUInt32BE(0) % Math.max(1, users.size);
  const user = [...users.values()][place];
  return user?.hash ?? NOBODY;
}
