// Who may sign in, and whether a password is right. Called by site.ts.
// A site of yours has its own users: all that Homing needs of them is an e-mail address and a display name.
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";

export interface User {
  readonly name: string;
  readonly fullName: string;
  readonly email: string;
  /** What `hashPassword` made. */
  readonly password: string;
}

export interface Users {
  /** `wrong`: there is no such user, or the password is another one; nobody is told which. `wait`: too many guesses. */
  signIn(name: string, password: string): Promise<User | "wrong" | "wait">;
}

/** About 16 MB and 40 ms for each guess. */
const COST: ScryptOptions = { N: 16_384, r: 8, p: 1 };
const HASH_OCTETS = 32;

/** Wrong passwords for one name in a quarter of an hour. */
const GUESSES = 10;
const GUESS_WINDOW_MS = 15 * 60_000;
/** Names that were tried are strangers' text: no more of them are kept. */
const MAX_NAMES = 10_000;

export async function readUsers(file: string | URL): Promise<Users> {
  const users = JSON.parse(await readFile(file, "utf8")) as readonly User[];
  // Checked for names that nobody has, so that the time of the answer does not tell which names there are.
  const nobody = await hashPassword(randomBytes(16).toString("hex"));
  const guesses = new Map<string, { count: number; readonly until: number }>();

  return {
    async signIn(name, password) {
      const now = performance.now();
      const known = guesses.get(name);
      const guess = known && known.until > now ? known : { count: 0, until: now + GUESS_WINDOW_MS };
      if (guess.count >= GUESSES) return "wait";
      // Counted before the password is looked at: many guesses at the same time are many guesses.
      guess.count++;
      if (guesses.size >= MAX_NAMES) guesses.clear();
      guesses.set(name, guess);
      const user = users.find((one) => one.name === name);
      const right = await isPassword(password, user?.password ?? nobody);
      if (!right || !user) return "wrong";
      guesses.delete(name);
      return user;
    },
  };
}

/** @returns `SALT:HASH`, base64url */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `${salt.toString("base64url")}:${(await hash(password, salt)).toString("base64url")}`;
}

async function isPassword(password: string, stored: string): Promise<boolean> {
  const [salt = "", wanted = ""] = stored.split(":");
  return timingSafeEqual(
    await hash(password, Buffer.from(salt, "base64url")),
    Buffer.from(wanted, "base64url"),
  );
}

function hash(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The same password, typed on two systems, can come as different code points.
    scrypt(password.normalize("NFKC"), salt, HASH_OCTETS, COST, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}
