// Who may submit mail, from the configuration: people by the users file or Dovecot, sites by their keys. Called by `homing
// serve`.
import {
  createDovecotPasswords,
  createPeople,
  createScryptPasswords,
  type DkimKey,
  type Forwarder,
  type ForwarderSettings,
  type Passwords,
  renderHostPort,
  systemClock,
  type Users,
} from "@homing/forwarder";
import type { Config } from "./config/schema.ts";
import { createDomainSigner } from "./domain-signer.ts";
import { type CommandFailure, listenFailure } from "./failure.ts";
import type { RunningSites } from "./on-behalf/sites.ts";
import { systemRandom } from "./system-world.ts";
import { unixNow } from "./time.ts";

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

/** Undefined where the configuration has no submission. */
export function createSubmission(options: SubmissionOptions): RunningSubmission | undefined {
  const { hostname, submission } = options.config;
  if (!submission) return undefined;
  let { users } = options;
  const { passwords, close } = passwordsOf(submission, () => users);
  const sign = createDomainSigner(options.dkimKeys, unixNow);
  const people = createPeople({ hostname, users: () => users, passwords, now: unixNow, sign });
  const { listen, listenTls } = submission;
  return {
    settings: { policy: { ...people, ...options.sites?.submission }, listen, listenTls },
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
