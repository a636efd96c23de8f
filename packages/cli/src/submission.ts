// Who may submit mail, from the configuration: people by the users file or Dovecot, sites by their keys. Called by `homing serve`
// and `homing config check`.
import { dirname, resolve } from "node:path";
import {
  createDovecotPasswords,
  createPeople,
  createScryptPasswords,
  type DkimKey,
  type Forwarder,
  type ForwarderSettings,
  nameKey,
  type Passwords,
  renderHostPort,
  systemClock,
  type Users,
} from "@homing/forwarder";
import { configFailure } from "./config/config-problem.ts";
import type { Config } from "./config/schema.ts";
import { createDomainSigner } from "./domain-signer.ts";
import { type CommandFailure, listenFailure } from "./failure.ts";
import { createSitePolicy } from "./on-behalf/site-policy.ts";
import { type RunningSites, WAYS_OUT } from "./on-behalf/sites.ts";
import { systemRandom } from "./system-world.ts";
import { unixNow } from "./time.ts";
import { readUsersFile } from "./users/users-file.ts";

export interface RunningSubmission {
  readonly settings: NonNullable<ForwarderSettings["submission"]>;
  /** From the next log-in and the next MAIL on. */
  replaceUsers(users: Users): void;
  close(): void;
}

export interface SubmissionOptions {
  readonly config: Config;
  readonly users: Users;
  readonly sites: RunningSites | undefined;
  readonly dkimKeys: readonly DkimKey[];
}

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

/** Undefined where the configuration has no submission. */
export function createSubmission(options: SubmissionOptions): RunningSubmission | undefined {
  const { hostname, submission } = options.config;
  if (!submission) return undefined;
  let { users } = options;
  const { passwords, close } = passwordsOf(submission, () => users);
  const sign = createDomainSigner(options.dkimKeys, unixNow);
  const people = createPeople({ hostname, users: () => users, passwords, now: unixNow, sign });
  const sites =
    options.sites &&
    createSitePolicy({
      ...options.sites.onBehalf,
      sign: createDomainSigner(options.dkimKeys, unixNow, WAYS_OUT),
      now: unixNow,
    });
  const { listen, listenTls } = submission;
  return {
    settings: { policy: { ...people, ...sites }, listen, listenTls },
    replaceUsers(fresh) {
      users = fresh;
    },
    close,
  };
}

function passwordsOf(
  { dovecotSocket: path }: NonNullable<Config["submission"]>,
  users: () => Users,
): { readonly passwords: Passwords; readonly close: () => void } {
  if (path === undefined) return { passwords: createScryptPasswords(users), close() {} };
  const passwords = createDovecotPasswords({ path, clock: systemClock, random: systemRandom });
  return { passwords, close: () => passwords.close() };
}

/** Where it listens, for the log. */
export function submissionPlaces({ submission }: Forwarder) {
  const { listen, listenTls } = submission;
  return [
    ...(listen ? [{ place: "listen", listener: listen }] : []),
    ...(listenTls ? [{ place: "listenTls", listener: listenTls }] : []),
  ];
}

/** Undefined where it is none of its ports that cannot be had. */
export function submissionFailure(
  error: unknown,
  { submission }: Pick<ForwarderSettings, "submission">,
  configPath: string,
): CommandFailure | undefined {
  const port = error instanceof Error && "port" in error ? error.port : undefined;
  for (const name of ["listen", "listenTls"] as const) {
    const place = submission?.[name];
    if (place && "port" in place && place.port !== 0 && place.port === port)
      return listenFailure(error, renderHostPort(place), `change submission.${name} in ${configPath}`);
  }
  return undefined;
}
