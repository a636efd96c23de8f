// One attack of the table, as its files write it. Used by the other files of this folder; test/on-behalf-abuse.test.ts runs them.
import type { AbuseScene } from "../harness/abuse-scene.ts";

export interface Attack {
  readonly name: string;
  readonly act: (scene: AbuseScene) => Promise<string>;
  /** What the attacker sees; of SMTP, from its beginning on: behind the codes come sentences, which are free to change. */
  readonly sees: string;
}

export const row = (name: string, sees: string, act: Attack["act"]): Attack => ({ name, act, sees });

/** A request to POST /v1/messages that differs in these members from a good one of Alice. */
export const message = (name: string, more: object, sees: string, site?: string): Attack =>
  row(name, sees, (scene) => scene.send(more, site));

export const NOT_CONFIRMED = "403 identity-not-confirmed onBehalfOf";
export const RETRY = ", Retry-After";
