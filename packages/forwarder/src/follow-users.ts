// Follows an address as tables/follow.ts does, and through the .forward files of users on its way. Those come from another
// process, so that the walk is taken again for each user that it meets, until it knows them all. Called by routes.ts and by
// `homing route`.
import type { Mailbox, UnixSeconds } from "@homing/srs-core";
import type { ForwardTarget } from "./dot-forward/forward-file.ts";
import type { ForwardAlarm, ForwardPolicy } from "./dot-forward/forward-policy.ts";
import type { ForwardReader } from "./dot-forward/forward-reader.ts";
import type { Entry } from "./tables/entry.ts";
import { type Followed, follow, MAX_NESTING, type Step } from "./tables/follow.ts";
import { isOurs, type Tables } from "./tables/tables.ts";
import type { PlacedTarget, Target } from "./tables/target.ts";

export interface UserForwards {
  readonly reader: ForwardReader;
  readonly policy: ForwardPolicy;
  readonly now: () => UnixSeconds;
  readonly alarm: (alarm: ForwardAlarm) => void;
  readonly unavailable: (user: string, cause: string) => void;
}

/** @param steps is filled with the way, where somebody wants to see it */
export async function followUsers(
  tables: Tables,
  recipient: Mailbox,
  forwards: UserForwards | undefined,
  steps?: Step[],
): Promise<Followed> {
  const known = new Map<string, Entry | undefined>();
  const asked = new Set<string>();
  const userEntry = (user: string): Entry | undefined => {
    if (!known.has(user)) asked.add(user);
    return known.get(user);
  };
  const withUsers = forwards ? { ...tables, userEntry } : tables;
  const onStep = steps && ((step: Step) => void steps.push(step));
  // Each round knows at least one user more, and no way is longer than this.
  for (let round = 0; round <= MAX_NESTING; round++) {
    asked.clear();
    steps?.splice(0);
    const followed = follow(withUsers, recipient, onStep);
    if (!forwards || asked.size === 0) return followed;
    const users = [...asked];
    const entries = await Promise.all(users.map((user) => entryOf(tables, user, forwards)));
    for (const [index, user] of users.entries()) known.set(user, entries[index]);
  }
  return { kind: "refuse", reply: TOO_DEEP };
}

const TOO_DEEP = {
  code: 451,
  enhanced: "4.3.5",
  text: "this address is forwarded from user to user without end: try again later",
};

/** The user's file as an entry of the tables; undefined where there is none that counts. */
async function entryOf(tables: Tables, user: string, forwards: UserForwards): Promise<Entry | undefined> {
  const verdict = forwards.policy.judge(user, await forwards.reader.read(user), forwards.now());
  if ("alarm" in verdict && verdict.alarm) forwards.alarm(verdict.alarm);
  if (verdict.kind === "unavailable") forwards.unavailable(user, verdict.cause);
  if (verdict.kind === "next-route") return undefined;
  const targets: readonly Target[] =
    verdict.kind === "targets"
      ? verdict.targets.map((target) => targetOf(tables, target))
      : [{ kind: "refuse", reply: verdict.reply }];
  const placed = targets.map((target): PlacedTarget => ({ ...target, line: 1, column: 1 }));
  return { file: `~${user}/.forward`, line: 1, targets: placed, away: false };
}

function targetOf({ rules }: Tables, target: ForwardTarget): Target {
  if (target.kind !== "local-copy") return target;
  const { name, domain } = target;
  if (domain === undefined || isOurs(rules, domain)) return { kind: "local", user: name };
  return { kind: "mailbox", mailbox: { localPart: name, domain } };
}
