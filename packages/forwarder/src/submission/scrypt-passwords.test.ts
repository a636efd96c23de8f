import assert from "node:assert/strict";
import { test } from "node:test";
import { hashPassword } from "./password-hash.ts";
import { createScryptPasswords } from "./scrypt-passwords.ts";
import { LogInUnavailable } from "./unavailable.ts";
import { parseUsersFile } from "./users-file.ts";

const hash = await hashPassword("secret", Buffer.alloc(16, 1));
const parsed = parseUsersFile(`Alice:${hash}:alice@own.example\n`);
assert.ok(parsed.ok);
const { users } = parsed;
const login = (name: string, password: string) => ({ name, password, clientAddress: "192.0.2.1" });

test("a password is right for its own name, in any case; an unknown name takes as long, and is never right", async () => {
  const passwords = createScryptPasswords(() => users);
  assert.equal(await passwords.check(login("ALICE", "secret")), "Alice");
  assert.equal(await passwords.check(login("alice", "guess")), undefined);
  // The dummy hash is alice's own: her password must not open a name that nobody has.
  assert.equal(await passwords.check(login("nobody", "secret")), undefined);
  const took = async (name: string): Promise<number> => {
    const start = performance.now();
    await passwords.check(login(name, "guess"));
    return performance.now() - start;
  };
  const [known, unknown] = [await took("alice"), await took("nobody")];
  assert.ok(unknown > known / 5, `${known} ms and ${unknown} ms`);
  const empty = createScryptPasswords(() => new Map());
  assert.equal(await empty.check(login("alice", "secret")), undefined);
});

test("two are looked at together, some wait, and further ones cannot be known now", async () => {
  const passwords = createScryptPasswords(() => users, { atOnce: 2, waiting: 2 });
  const all = Array.from({ length: 6 }, () => passwords.check(login("alice", "guess")));
  const settled = await Promise.allSettled(all);
  assert.deepEqual(
    settled.map((one) => (one.status === "rejected" ? one.reason instanceof LogInUnavailable : one.value)),
    [undefined, undefined, undefined, undefined, true, true],
  );
});
