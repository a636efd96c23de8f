// What is known and kept of mail that failed, put together: aliases of SRS addresses and their settings, what was given up, what
// was refused. Called by forwarder.ts, before mail-out.ts and bounces.ts, which both work with it.
import { type BounceClass, classify } from "@homing/bounce-handler";
import { looksLikeSrs, type Mailbox, NULL_PATH } from "@homing/srs-core";
import { createAliasIndex } from "../alias-index/alias-index.ts";
import type { Copy } from "../copies.ts";
import type { Delivery } from "../deliver.ts";
import type { ForwarderSettings, World } from "../forwarder-settings.ts";
import type { Incoming, Lead } from "../hand-over/incoming.ts";
import type { Route } from "../routes.ts";
import type { SrsDomains } from "../srs-domains.ts";
import { baseLength, mainDomain, type Tables } from "../tables/tables.ts";
import { type AliasOfBounce, createAliasOfBounce } from "./alias-of-bounce.ts";
import { BOUNCE_SETTINGS, type BounceSettings, createBouncePolicy, ownerOf } from "./bounce-settings.ts";
import type { TargetsOf } from "./give-back.ts";
import { createOwnFailures, type OwnFailures } from "./own-failures.ts";
import { createPartialFailures, type PartialFailures } from "./partial-failures.ts";
import { createRefusalLog } from "./refusal-log.ts";

export interface FailuresOptions {
  readonly tables: () => Tables;
  readonly srsDomains: SrsDomains;
  /** Of an address of ours, for mail with the null path. */
  readonly routeOf: (address: Mailbox) => Promise<Route>;
}

export interface Failures {
  readonly aliasOf: AliasOfBounce;
  readonly settingsOf: (alias: Mailbox) => BounceSettings;
  readonly targetsOf: TargetsOf;
  /** With a disk alone. */
  readonly kept: KeptFailures | undefined;
}

export interface KeptFailures {
  readonly own: OwnFailures;
  readonly partial: PartialFailures;
  /** The last word of an attempt while a client waited; a success, or one that may pass, is none. */
  refused(mail: Incoming, lead: Lead, copy: Pick<Copy, "mailbox">, delivery: Delivery): void;
  close(): Promise<void>;
}

export function createFailures(
  settings: ForwarderSettings,
  world: World,
  options: FailuresOptions,
): Failures {
  const { tables, srsDomains, routeOf } = options;
  const { report } = world;
  const mainName = (domain: string): string => mainDomain(tables().rules, domain);
  const policy = settings.bouncePolicy ?? createBouncePolicy({ all: BOUNCE_SETTINGS });
  const index = createAliasIndex({
    tables,
    rewriterFor: (domain) => srsDomains.forRecipientsAt(mainName(domain)),
    built: ({ selectors, leftOut, ms }) =>
      report({ event: "alias-index", selectors, leftOut, ms: Math.round(ms) }),
  });
  const settingsOf = (given: Mailbox | undefined) => {
    if (!given) return policy(undefined);
    const alias = { ...given, domain: mainName(given.domain) };
    const localPart = alias.localPart.slice(0, baseLength(tables().rules, alias.localPart));
    return policy(alias, { ...alias, localPart });
  };
  const targetsOf = targetsBy(routeOf);
  return {
    aliasOf: createAliasOfBounce(index, settingsOf, srsDomains.isReturnDomain),
    settingsOf,
    targetsOf,
    kept: keptFailures(settings, world, { settingsOf, targetsOf }),
  };
}

function keptFailures(
  { state }: ForwarderSettings,
  { clock, now, report }: World,
  { settingsOf, targetsOf }: Pick<Failures, "settingsOf" | "targetsOf">,
): KeptFailures | undefined {
  if (!state) return undefined;
  const { spool, failures } = state;
  const partial = createPartialFailures(failures.notes);
  const refusals = createRefusalLog({ notes: failures.notes, clock, now });
  return {
    partial,
    own: createOwnFailures({
      ...{ spool, failures, partial, targetsOf, report },
      ownerOf: (alias) => ownerOf(settingsOf(alias), alias),
    }),
    refused({ id, command, content }, { recipient: alias, copies }, { mailbox: target }, delivery) {
      const sender = command.reversePath;
      // A bounce, or an answer to a bounce's address: it says nothing about an alias.
      if (sender === NULL_PATH || looksLikeSrs(alias.localPart)) return;
      if (delivery.kind !== "failed" || delivery.code < 500) return;
      refusals.add({ id, alias, target, enhanced: delivery.enhanced, class: classOf(delivery) });
      if (copies.length > 1) void partial.keep({ sender, alias, start: content.start, id, target }, now());
    },
    close: () => refusals.close(),
  };
}

function classOf({ enhanced, code, detail }: Extract<Delivery, { kind: "failed" }>): BounceClass {
  return classify({ status: enhanced, replyCode: code, text: detail }).class;
}

function targetsBy(routeOf: FailuresOptions["routeOf"]): TargetsOf {
  return async (alias) => {
    const route = await routeOf(alias);
    if (route.kind === "refuse" && route.reply.code < 500) return "later";
    return route.kind === "alias" ? route.destinations.map(({ mailbox }) => mailbox) : [];
  };
}
