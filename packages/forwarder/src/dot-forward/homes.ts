// Where a user's home is: a pattern such as /home/{user}, or the passwd file, or both. Called by read-forward.ts.
// User names come from recipients' local parts: none of them may lead out of the pattern's folder.
import type { FileAccess } from "./file-access.ts";
import { asUnavailable, isMissing, type Unavailable, unavailable } from "./file-error.ts";
import { readSettled } from "./read-settled.ts";

export interface Home {
  readonly path: string;
  /** Who must own the .forward file. Without one nothing but the home tells that there is a user: its owner. */
  readonly uid?: number;
}

export type FoundHome =
  | { readonly kind: "home"; readonly home: Home }
  | { readonly kind: "no-user" }
  | Unavailable;

export type FindHome = (user: string) => Promise<FoundHome>;

export type ParsedPattern =
  | { readonly ok: true; readonly render: (user: string) => string }
  | { readonly ok: false; readonly message: string };

const PLACEHOLDER = "{user}";
/** useradd(8) allows 32; a mail host may have longer ones. */
const MAX_USER_OCTETS = 64;
/** 200,000 users. */
const MAX_PASSWD_OCTETS = 16 * 1024 * 1024;

/** A name that can be one component of a path, and no option of a program. */
export function isUserName(user: string): boolean {
  if (user === "" || user === "." || user === ".." || user.startsWith("-")) return false;
  return !/[/\p{Cc}]/u.test(user) && user.isWellFormed() && Buffer.byteLength(user) <= MAX_USER_OCTETS;
}

/**
 * Only the last component may hold the user's name. Behind it, folders would belong to the user, who could put a link in
 * the place of each.
 */
export function parseHomePattern(pattern: string): ParsedPattern {
  const bad = (why: string): ParsedPattern => ({
    ok: false,
    message: `home pattern "${pattern}": ${why}: write it as /home/{user}`,
  });
  const components = pattern.split("/");
  const last = components.pop() ?? "";
  if (!pattern.startsWith("/")) return bad("it does not begin with /");
  if (/\p{Cc}/u.test(pattern)) return bad("it holds a control character");
  if (components.includes("..") || components.includes(".")) return bad("it has . or .. in it");
  if (components.some((component) => component.includes(PLACEHOLDER)))
    return bad("{user} is not in the last component");
  if (last.split(PLACEHOLDER).length !== 2) return bad("its last component does not have {user} once");
  return { ok: true, render: (user) => pattern.replace(PLACEHOLDER, () => user) };
}

export interface HomeOptions {
  /** From `parseHomePattern`. With a passwd file as well, it wins over the homes there. */
  readonly render?: ((user: string) => string) | undefined;
  /** Path of a passwd(5) file: who is not in it has no home. */
  readonly passwd?: string | undefined;
  readonly files: FileAccess;
  /** Unix milliseconds. */
  readonly now: () => number;
}

export function createHomes({ render, passwd, files, now }: HomeOptions): FindHome {
  const accounts = passwd === undefined ? undefined : createPasswd(passwd, files, now);
  return async (user) => {
    if (!isUserName(user)) return { kind: "no-user" };
    if (!accounts) return render ? { kind: "home", home: { path: render(user) } } : { kind: "no-user" };
    const read = await accounts();
    if (read.kind !== "accounts") return read;
    const account = read.accounts.get(user);
    if (!account) return { kind: "no-user" };
    return { kind: "home", home: { path: render?.(user) ?? account.path, uid: account.uid } };
  };
}

type Accounts = { readonly kind: "accounts"; readonly accounts: ReadonlyMap<string, Required<Home>> };

/** Reads the file again when it has changed: new users are there at once. */
function createPasswd(
  path: string,
  files: FileAccess,
  now: () => number,
): () => Promise<Accounts | Unavailable> {
  let version = "";
  let known: Accounts = { kind: "accounts", accounts: new Map() };
  return async () => {
    try {
      const file = await files.open(path);
      try {
        const status = await file.status();
        if (status.version === version) return known;
        const read = await readSettled(file, { maxOctets: MAX_PASSWD_OCTETS, now });
        if (read.kind !== "content") return unavailable(path, "it is being written");
        if (read.content.length > MAX_PASSWD_OCTETS) return unavailable(path, "larger than 16 MiB");
        known = { kind: "accounts", accounts: parsePasswd(read.content.toString()) };
        version = read.status.version;
        return known;
      } finally {
        await file.close();
      }
    } catch (error) {
      // A passwd file that is away, while another takes its place, says nothing about a user.
      return isMissing(error) ? unavailable(path, "there is no such file") : asUnavailable(path, error);
    }
  };
}

/** Lines of passwd(5); those that are none of a user with a home are left out. */
export function parsePasswd(text: string): ReadonlyMap<string, Required<Home>> {
  const accounts = new Map<string, Required<Home>>();
  for (const line of text.split("\n")) {
    const [name = "", , uid = "", , , path = ""] = line.split(":", 7);
    if (!isUserName(name) || !/^\d{1,10}$/.test(uid) || !path.startsWith("/")) continue;
    // The first line of a name counts, as getpwnam(3) reads it.
    if (!accounts.has(name)) accounts.set(name, { path, uid: Number(uid) });
  }
  return accounts;
}
