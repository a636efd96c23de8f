// Hashes of people's passwords, as a users file has them: `$scrypt$ln=15,r=8,p=3$salt$hash`, base64 without padding (PHC
// string format). RFC 7914. Called by users-file.ts, scrypt-passwords.ts and `homing users`.
import { type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

export interface PasswordHash {
  /** log2 of N. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export type ParsedHash =
  | { readonly ok: true; readonly hash: PasswordHash }
  /** What is wrong with it, behind "the hash ". */
  | { readonly ok: false; readonly message: string };

/** OWASP's third choice of equal strength: 32 MiB, and some 0.2 s of one core. */
const COST = { ln: 15, r: 8, p: 3 };
/** N·r·p of the weakest of OWASP's choices (ln=14, r=8, p=5). */
const MIN_WORK = 2 ** 14 * 8 * 5;
const MIN_LN = 13;
/** Two at once, each of 128·N·r octets: a file must not have us use more than 256 MiB. */
const MAX_MEMORY = 128 * 1024 * 1024;
/** Some 2 s of one core. */
const MAX_WORK = 2 ** 17 * 8 * 8;
const MIN_SALT_OCTETS = 16;
const HASH_OCTETS = 32;
const MAX_OCTETS = 64;
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{1,88})\$([A-Za-z0-9+/]{1,88})$/;

/** @param salt 16 octets or more from the system's generator, never used before */
export async function hashPassword(password: string, salt: Buffer): Promise<string> {
  if (salt.length < MIN_SALT_OCTETS) throw new RangeError(`a salt has ${MIN_SALT_OCTETS} octets or more`);
  return renderPasswordHash({ ...COST, salt, hash: await derive(password, { ...COST, salt }, HASH_OCTETS) });
}

export async function verifyPassword(password: string, known: PasswordHash): Promise<boolean> {
  return timingSafeEqual(await derive(password, known, known.hash.length), known.hash);
}

/** Refuses what is too weak, and what would take too much of this machine. */
export function parsePasswordHash(text: string): ParsedHash {
  const [, ln = "", r = "", p = "", salt = "", hash = ""] = FORM.exec(text) ?? [];
  if (hash === "") return bad("has not the form $scrypt$ln=15,r=8,p=3$salt$hash");
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const parsed: PasswordHash = {
    ...cost,
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
  if (renderPasswordHash(parsed) !== text) return bad("is no plain base64 in its last two parts");
  const problem = costProblem(cost) ?? lengthProblem(parsed);
  return problem === undefined ? { ok: true, hash: parsed } : bad(problem);
}

function renderPasswordHash({ ln, r, p, salt, hash }: PasswordHash): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`;
}

function costProblem({ ln, r, p }: typeof COST): string | undefined {
  const work = 2 ** ln * r * p;
  if (ln < MIN_LN || work < MIN_WORK) return "is weak: it is guessed too fast, ln=15,r=8,p=3 is usual";
  if (128 * 2 ** ln * r > MAX_MEMORY) return "needs more than 128 MiB at each log-in";
  return work > MAX_WORK ? "takes too long at each log-in" : undefined;
}

function lengthProblem({ salt, hash }: PasswordHash): string | undefined {
  if (salt.length < MIN_SALT_OCTETS || salt.length > MAX_OCTETS)
    return `has a salt of ${salt.length} octets, where ${MIN_SALT_OCTETS} to ${MAX_OCTETS} are right`;
  if (hash.length >= HASH_OCTETS && hash.length <= MAX_OCTETS) return undefined;
  return `has ${hash.length} octets, where ${HASH_OCTETS} to ${MAX_OCTETS} are right`;
}

function derive(
  password: string,
  { ln, r, p, salt }: Omit<PasswordHash, "hash">,
  octets: number,
): Promise<Buffer> {
  // Node counts what OpenSSL uses beside the 128·N·r.
  const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 2 * MAX_MEMORY };
  return new Promise((resolve, reject) => {
    scrypt(password, salt, octets, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

function unpadded(octets: Buffer): string {
  return octets.toString("base64").replaceAll("=", "");
}

function bad(message: string): ParsedHash {
  return { ok: false, message };
}
