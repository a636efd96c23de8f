// The users file that a configuration names. Called by `homing serve`, at its start and at each reload, and by `homing config
// check`.
import { dirname, resolve } from "node:path";
import { nameKey, type Users } from "@homing/forwarder/users";
import { configFailure } from "../config/config-problem.ts";
import type { Config } from "../config/schema.ts";
import { readUsersFile } from "./users-file.ts";

/** Nobody without a users file. What is wrong with that is one CommandFailure. */
export async function readUsers({ submission, onBehalf }: Config, configPath: string): Promise<Users> {
  if (submission?.usersFile === undefined) return new Map();
  const path = resolve(dirname(resolve(configPath)), submission.usersFile);
  const passwords = submission.dovecotSocket === undefined ? "here" : "elsewhere";
  const { users } = await readUsersFile(path, passwords);
  const clashes = Object.keys(onBehalf?.sites ?? {}).flatMap((site) => users.get(nameKey(site)) ?? []);
  if (clashes.length === 0) return users;
  throw configFailure(
    clashes.map(({ name, line }) => ({
      ...{ file: path, line, column: 1 },
      message: `${name} is a site of onBehalf, which logs in by this name: give the person another one`,
    })),
  );
}

/** Undefined where the configuration names no file. */
export async function rereadUsers(config: Config, configPath: string): Promise<Users | undefined> {
  return config.submission?.usersFile === undefined ? undefined : await readUsers(config, configPath);
}
