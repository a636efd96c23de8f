// Who may submit mail, from the configuration: people by the users file or Dovecot, sites by their keys. Called by `homing serve`
// and `homing config check`.
import { dirname, resolve } from "node:path";
import {
  createDovecotPasswords,
  createPeople,
  createScryptPasswords,
  type DkimKey,
  type ForwarderSettings,
  type Passwords,
  type SubmissionPolicy,
  systemClock,
  type Users,
} from "@homing/forwarder";
import type { Config } from "./config/schema.ts";
import { createDomainSigner } from "./domain-signer.ts";
import { createSitePolicy } from "./on-behalf/site-policy.ts";
import type { RunningSites } from "./on-behalf/sites.ts";
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
export async function readUsers({ submission }: Config, configPath: string): Promise<Users> {
  if (submission?.usersFile === undefined) return new Map();
  const folder = dirname(resolve(configPath));
  return (await readUsersFile(resolve(folder, submission.usersFile))).users;
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
    options.sites && createSitePolicy({ ...options.sites.onBehalf, sign, hostname, now: unixNow });
  const { listen, listenTls } = submission;
  return {
    settings: { policy: sites ? eitherOf(sites, people) : people, listen, listenTls },
    replaceUsers(fresh) {
      users = fresh;
    },
    close,
  };
}

/** A site's key is looked at first: that takes no time. */
function eitherOf(sites: SubmissionPolicy, people: SubmissionPolicy): SubmissionPolicy {
  return {
    async logIn(login) {
      return (await sites.logIn(login)) ?? (await people.logIn(login));
    },
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
