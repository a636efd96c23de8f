// The text of /etc/passwd and /etc/group with users and groups added, for an instance's private /etc.
// Called by instance.ts: mail programs look their users up by name, and the host has none of them.

/** Debian gives system users ids up to 999 from above and real ones from 1000: 900 upward is mostly free. */
const FIRST_ID = 900;

export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

export interface Accounts extends AccountFiles {
  /** Numeric id of each added name: a user's uid and the gid of its own group are the same number. */
  readonly ids: ReadonlyMap<string, number>;
}

/**
 * Each user gets a group of the same name, and /tmp as home, which is empty in each instance. Names that the host has
 * already are replaced, not shared.
 */
export function addAccounts(
  host: AccountFiles,
  { users, groups }: { readonly users: readonly string[]; readonly groups: readonly string[] },
): Accounts {
  const names = [...new Set([...users, ...groups])];
  const passwd = linesExcept(host.passwd, names);
  const group = linesExcept(host.group, names);
  const taken = new Set([...passwd, ...group].map((line) => Number(line.split(":")[2])));
  const ids = new Map<string, number>();
  let id = FIRST_ID;
  for (const name of names) {
    while (taken.has(id)) id++;
    ids.set(name, id);
    if (users.includes(name)) passwd.push(`${name}:x:${id}:${id}::/tmp:/usr/sbin/nologin`);
    group.push(`${name}:x:${id}:`);
    id++;
  }
  return { passwd: `${passwd.join("\n")}\n`, group: `${group.join("\n")}\n`, ids };
}

function linesExcept(text: string, names: readonly string[]): string[] {
  return text.split("\n").filter((line) => line !== "" && !names.includes(line.split(":")[0] ?? ""));
}
