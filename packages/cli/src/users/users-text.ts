// The text of a users file, changed: one line of it, and every other one as it was, comments too. Called by `homing users`.
import { nameKey, type User, type Users } from "@homing/forwarder/users";

export interface UserLine {
  readonly name: string;
  /** Empty where somebody else knows the passwords. */
  readonly hash: string;
  /** As in the file: `alice@example.org`, `*@example.net`. */
  readonly addresses: readonly string[];
}

/** As they are written there. */
export function addressesOf(text: string, { line }: User): string[] {
  const [, , addresses = ""] = (text.split("\n")[line - 1] ?? "").split(":");
  return addresses.split(",").map((address) => address.trim());
}

export function userNamed(users: Users, name: string): User | undefined {
  return users.get(nameKey(name));
}

/** In the place of the one that is there, or at the end. */
export function withUser(text: string, before: User | undefined, user: UserLine): string {
  const line = `${user.name}:${user.hash}:${user.addresses.join(",")}`;
  if (before) return withLine(text, before.line, [line]);
  const isEnded = text === "" || text.endsWith("\n");
  return `${text}${isEnded ? "" : "\n"}${line}\n`;
}

export function withoutUser(text: string, { line }: User): string {
  return withLine(text, line, []);
}

/** @param number from 1 */
function withLine(text: string, number: number, replacement: readonly string[]): string {
  return text
    .split("\n")
    .toSpliced(number - 1, 1, ...replacement)
    .join("\n");
}
