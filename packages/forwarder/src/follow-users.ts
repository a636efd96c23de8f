// Follows an address as tables/follow.ts does, and through the .forward files of users on its way. Those come from another
// process, so that the walk is taken again for each user that it meets, until it knows them all. Called by routes.ts and by
// `homing route`.
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import type { ForwardTarget, PlacedForwardTarget } from "./dot-forward/forward-file.ts";
import type { ForwardAlarm, ForwardPolicy } from "./dot-forward/forward-policy.ts";
import type { ForwardReader } from "./dot-forward/forward-reader.ts";
import { mapInParallel } from "./parallel.ts";
import type { Entry, LoadedTarget } from "./tables/entry.ts";
import { follow, MAX_NESTING, type Step } from "./tables/follow.ts";
import type { Followed } from "./tables/followed.ts";
import { isOurs, type Tables } from "./tables/tables.ts";
import type { Target } from "./tables/target.ts";

export interface UserForwards {
  readonly reader: ForwardReader;
  readonly policy: ForwardPolicy;
  readonly now: () => UnixSeconds;
  readonly alarm: (alarm: ForwardAlarm) => void;
  readonly unavailable: (user: string, cause: string) => void;
}

/** Questions to the reader at the same time, for one recipient: a list may name all users of a site. */
const PARALLEL_USERS = 30;

/** @param steps is filled with the way, where somebody wants to see it */
export async function followUsers(
  tables: Tables,
  recipient: Mailbox,
  forwards: UserForwards | undefined,
  steps?: Step[],
): Promise<Followed> {
  const known = new Map<string, User>();
  const asked = new Set<string>();
  const userEntry = (name: string, domain: string): Entry | undefined => {
    const user = known.get(name);
    if (!user) asked.add(name);
    return user && entryOf(user, tables.rules.staysAt(domain));
  };
  const withUsers = forwards ? { ...tables, userEntry } : tables;
  const onStep = steps && ((step: Step) => void steps.push(step));
  // Each round knows at least one user more, and no way is longer than this.
  for (let round = 0; round <= MAX_NESTING; round++) {
    asked.clear();
    steps?.splice(0);
    const followed = follow(withUsers, recipient, onStep);
    if (!forwards || asked.size === 0) return followed;
    await mapInParallel([...asked], PARALLEL_USERS, async (name) => {
      known.set(name, await userOf(tables, name, forwards));
    });
  }
  return { kind: "refuse", reply: TOO_DEEP, dropped: [] };
}

const TOO_DEEP = {
  code: 451,
  enhanced: "4.3.5",
  text: "this address is forwarded from user to user without end: try again later",
};

/** What is known of a name of the user database. Entries are made once: the walk tells them apart by identity. */
interface User {
  /** What the .forward file says. */
  readonly file?: Entry;
  /** There is no file, or it does not count: the mail store has the user's mail. */
  readonly inbox?: Entry;
}

function entryOf({ file, inbox }: User, hasStore: boolean): Entry | undefined {
  return file ?? (hasStore ? inbox : undefined);
}

async function userOf(tables: Tables, user: string, forwards: UserForwards): Promise<User> {
  const verdict = forwards.policy.judge(user, await forwards.reader.read(user), forwards.now());
  if ("alarm" in verdict && verdict.alarm) forwards.alarm(verdict.alarm);
  if (verdict.kind === "unavailable") forwards.unavailable(user, verdict.cause);
  switch (verdict.kind) {
    case "no-user":
      return {};
    case "no-file":
      return { inbox: { ...userFile(user, [{ ...TOP, kind: "local", user }]), absent: true } };
    case "targets":
      return { file: userFile(user, placedTargets(tables, user, verdict.targets)) };
    default:
      return { file: userFile(user, [{ ...TOP, kind: "refuse", reply: verdict.reply }]) };
  }
}

/** Of what stands in no line. */
const TOP = { line: 0, column: 0 };

function userFile(user: string, targets: readonly LoadedTarget[]): Entry {
  return { file: `~${user}/.forward`, line: targets[0]?.line ?? 0, targets, away: false };
}

/** Those of the lists in the file are lists here, too: they come one file after the other. */
function placedTargets(
  tables: Tables,
  user: string,
  targets: readonly PlacedForwardTarget[],
): readonly LoadedTarget[] {
  const own: LoadedTarget[] = [];
  const lists = new Map<string, LoadedTarget[]>();
  for (const { place, ...target } of targets) {
    const { file = OWN_FILE, line = 1, column = 1 } = place ?? {};
    const list = file === OWN_FILE ? own : (lists.get(file) ?? []);
    if (list !== own) lists.set(file, list);
    list.push({ ...targetOf(tables, target), line, column });
  }
  for (const [file, inside] of lists) {
    const list = { file: `~${user}${file.slice(1)}`, targets: inside };
    own.push({ ...TOP, kind: "list", list });
  }
  return own;
}

const OWN_FILE = "~/.forward";

function targetOf({ rules }: Tables, target: ForwardTarget): Exclude<Target, { kind: "include" }> {
  if (target.kind !== "local-copy") return target;
  const { name, domain } = target;
  if (domain === undefined || isOurs(rules, domain)) return { kind: "local", user: name };
  return { kind: "mailbox", mailbox: { localPart: name, domain } };
}
