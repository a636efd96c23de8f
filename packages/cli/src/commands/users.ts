// `homing users set`, `list`, `remove` and `check`: the people who may submit mail. No password or hash is ever printed.
import { hashPassword, nameProblem, parseAddresses, verifyPassword } from "@homing/forwarder/users";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput, negative } from "../output.ts";
import { randomKey } from "../system-world.ts";
import { safe } from "../terminal-text.ts";
import { knownPassword, newPassword } from "../users/password-input.ts";
import { readUsersFile, replaceUsersFile } from "../users/users-file.ts";
import { addressesOf, userNamed, withoutUser, withUser } from "../users/users-text.ts";

interface JsonOption {
  readonly json?: true;
}

export interface SetOptions extends JsonOption {
  readonly address?: readonly string[];
}

const SALT_OCTETS = 16;
/** A line of some thousand addresses, and more than anybody has. */
const MAX_LIST = 1000;

export async function setUser(file: string, name: string, options: SetOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const problem = nameProblem(name);
  if (problem !== undefined) throw new CommandFailure("usage", `${safe(name)}: ${problem}`);
  const given = givenAddresses(options.address);
  const hash = await hashPassword(await newPassword(name), randomKey().subarray(0, SALT_OCTETS));
  let change = "added";
  let addresses: readonly string[] = [];
  await replaceUsersFile(file, true, async ({ text, users }) => {
    const before = userNamed(users, name);
    if (before) change = "changed";
    addresses = given ?? (before ? addressesOf(text, before) : []);
    if (addresses.length === 0) {
      const message = `${safe(name)} is new, and has no address to send as: add --address ADDRESS`;
      throw new CommandFailure("usage", message);
    }
    return withUser(text, before, { name: before?.name ?? name, hash, addresses });
  });
  if (output.json) output.document({ ok: true, file, name, change, addresses });
  else output.data(`${file}: ${safe(name)} ${change}, with ${safe(addresses.join(", "), MAX_LIST)}`);
  return EXIT.ok;
}

/** Undefined where none is given: those that are there stay. */
function givenAddresses(texts: readonly string[] | undefined): readonly string[] | undefined {
  if (texts === undefined) return undefined;
  for (const text of texts) {
    const fault = /[,:\p{Cc}]/u.test(text) ? "a comma or a colon ends it in the file" : faultOf(text);
    if (fault !== undefined) throw new CommandFailure("usage", `--address ${safe(text)}: ${fault}`);
  }
  return [...new Set(texts)];
}

function faultOf(text: string): string | undefined {
  const parsed = parseAddresses(text);
  return typeof parsed === "string" ? parsed : undefined;
}

export async function listUsers(file: string, options: JsonOption): Promise<number> {
  const output = createOutput(options.json === true);
  const { text, users } = await readUsersFile(file);
  const all = [...users.values()].map((user) => ({
    name: user.name,
    addresses: addressesOf(text, user),
    line: user.line,
    hasPassword: user.hash !== undefined,
  }));
  if (output.json) output.document({ ok: true, file, users: all });
  else
    for (const { name, addresses } of all)
      output.data(`${safe(name)}: ${safe(addresses.join(", "), MAX_LIST)}`);
  return EXIT.ok;
}

export async function removeUser(file: string, name: string, options: JsonOption): Promise<number> {
  const output = createOutput(options.json === true);
  await replaceUsersFile(file, false, async ({ text, users }) => {
    const user = userNamed(users, name);
    if (user) return withoutUser(text, user);
    throw nobody(file, name);
  });
  if (output.json) output.document({ ok: true, file, name });
  else output.data(`${file}: ${safe(name)} taken out`);
  return EXIT.ok;
}

/** 0: it is; 1: it is not, or there is no such person. */
export async function checkUser(file: string, name: string, options: JsonOption): Promise<number> {
  const output = createOutput(options.json === true);
  const { users } = await readUsersFile(file);
  const user = userNamed(users, name);
  if (!user) throw nobody(file, name);
  if (!user.hash)
    return negative(output, "no-password", `${file}: Dovecot knows the password of ${safe(name)}`);
  if (!(await verifyPassword(await knownPassword(name), user.hash)))
    return negative(output, "wrong-password", `${file}: that is not the password of ${safe(name)}`);
  if (output.json) output.document({ ok: true, file, name });
  else output.data(`${file}: that is the password of ${safe(name)}`);
  return EXIT.ok;
}

function nobody(file: string, name: string): CommandFailure {
  return new CommandFailure(
    "negative",
    `${file}: there is no person ${safe(name)}: homing users list shows them`,
  );
}
