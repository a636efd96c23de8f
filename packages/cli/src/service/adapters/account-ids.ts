// Numbers of users and groups, for the owner of a UNIX socket. Called by adapter-places.ts.
import { readFile } from "node:fs/promises";
import { CommandFailure } from "../../failure.ts";

/** Of the files that the system reads, too; an account that is elsewhere (LDAP) is written as its number. */
const FILES = { user: "/etc/passwd", group: "/etc/group" } as const;

/** @param account a name or a number @param setting for the message: `adapters.policy.owner` */
export async function accountId(
  kind: keyof typeof FILES,
  account: string | number,
  setting: string,
): Promise<number> {
  if (typeof account === "number") return account;
  if (/^\d{1,10}$/.test(account)) return Number(account);
  const file = FILES[kind];
  const lines = (await readFile(file, "utf8")).split("\n").map((line) => line.split(":"));
  const id = lines.find(([name]) => name === account)?.[2];
  if (id !== undefined && /^\d+$/.test(id)) return Number(id);
  throw new CommandFailure(
    "config",
    `${setting}: there is no ${kind} "${account}" in ${file}: correct the name, or write the number`,
  );
}
