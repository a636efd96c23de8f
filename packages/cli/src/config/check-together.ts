// What each setting may be by itself, and not together with others. Called by schema.ts.
import { KEPT_SENDERS } from "@homing/forwarder/settings";
import { asciiLower, parseDomain } from "@homing/srs-core";
import type * as z from "zod";
import { adapterClashes } from "./adapter-clashes.ts";
import { domainName } from "./setting-types.ts";
import { checkSites, checkSubmission } from "./site-checks.ts";

/** Other settings may be wrong in any way: their types are not sure yet. */
type Unsure = Readonly<Record<string, unknown>>;
type Wrong = (path: readonly PropertyKey[], message: string) => void;

/** For checks of a map with mistakes in it, too. */
export const IN_ANY_MAP: { when: (payload: z.core.ParsePayload) => boolean } = {
  when: ({ value }) => typeof value === "object" && value !== null && !Array.isArray(value),
};

export function checkTogether(config: Unsure, context: z.RefinementCtx): void {
  const wrong: Wrong = (path, message) => context.addIssue({ code: "custom", path: [...path], message });
  checkFiles(config, wrong);
  checkDomains(config, wrong);
  checkMaildir(config, wrong);
  checkExtension(config, wrong);
  checkAcceptance(config, wrong);
  checkKeptSenders(config, wrong);
  checkSmartHost(config, wrong);
  checkPorts(config, wrong);
  checkSubmission(config, wrong);
  checkSites(config, wrong);
  for (const { path, message } of adapterClashes(config)) wrong(path, message);
}

/** With adapters the tables may be those of another mail server, and only what comes back is ours. */
function checkFiles({ aliasesFile, virtualFile, adapters }: Unsure, wrong: Wrong): void {
  if (aliasesFile === undefined && virtualFile === undefined && adapters === undefined)
    wrong(
      ["aliasesFile"],
      "no table says where mail goes: name an aliasesFile, a virtualFile, or both; for another mail server set adapters",
    );
}

function checkDomains(config: Unsure, wrong: Wrong): void {
  const { domains, domainSettings } = config;
  // With a mistake in the list itself, nobody knows what is none of it.
  if (!Array.isArray(domains) || !domains.every((name) => typeof name === "string")) return;
  const names = new Set(domains.map(asciiLower));
  // A map with a mistake has its names as they are written.
  const isOurs = (name: string): boolean => names.has(domainName(name));
  checkFurtherNames(config, isOurs, wrong);
  for (const name of namesIn(domainSettings)) {
    if (!isOurs(name)) wrong(["domainSettings", name], "is none of domains: add it there, or correct it");
  }
  for (const path of [["dotForward", "domains"], ["aliasDomains"]]) {
    for (const [at, name] of listAt(config, path).entries()) {
      if (typeof name === "string" && !isOurs(name))
        wrong([...path, at], `"${name}" is none of domains: write one of them`);
    }
  }
  checkRoutes(config, isOurs, wrong);
}

function checkFurtherNames({ domainAliases }: Unsure, isOurs: (name: string) => boolean, wrong: Wrong): void {
  for (const name of namesIn(domainAliases)) {
    const target = member(domainAliases, name);
    if (isOurs(name)) wrong(["domainAliases", name], "is one of domains, too: take it out of one of the two");
    if (typeof target === "string" && !isOurs(target))
      wrong(["domainAliases", name], `"${target}" is none of domains: write one of them`);
  }
}

function checkRoutes(
  { domainAliases, delivery, localDelivery }: Unsure,
  isOurs: (name: string) => boolean,
  wrong: Wrong,
): void {
  if (localDelivery === undefined) return;
  const furtherNames = new Set(namesIn(domainAliases).map(domainName));
  for (const name of namesIn(member(delivery, "routes"))) {
    if (isOurs(name) || furtherNames.has(domainName(name)))
      wrong(["delivery", "routes", name], "is a domain of ours, whose mail localDelivery keeps: take it out");
  }
}

function checkMaildir({ domains, localDelivery }: Unsure, wrong: Wrong): void {
  const pattern = member(member(localDelivery, "store"), "pattern");
  if (typeof pattern !== "string" || pattern.includes("{domain}") || !Array.isArray(domains)) return;
  // One that is wrong may be one of the others, with a slip in it.
  const good = domains.map(String).filter((name) => parseDomain(name).ok);
  const names = new Set(good.map(domainName));
  if (names.size < 2) return;
  const message = `has no {domain}: users of one name at ${names.size} domains would share a maildir: put {domain} into it`;
  wrong(["localDelivery", "store"], message);
}

function checkExtension({ recipientDelimiter, keepExtension }: Unsure, wrong: Wrong): void {
  if (keepExtension === true && recipientDelimiter === "")
    wrong(["keepExtension"], "keeps nothing without a recipientDelimiter: set that, or take this out");
}

function checkSmartHost({ delivery }: Unsure, wrong: Wrong): void {
  if (member(delivery, "smartHost") !== undefined) return;
  for (const name of ["smartHostTls", "smartHostImplicitTls", "smartHostLogin"]) {
    if (member(delivery, name) !== undefined)
      wrong(["delivery", name], "is for a smart host, and there is none: set smartHost, or take this out");
  }
}

function checkAcceptance({ delivery, stateDirectory }: Unsure, wrong: Wrong): void {
  if (member(delivery, "acceptance") === "spooled" && stateDirectory === undefined)
    wrong(["delivery", "acceptance"], "needs a place for the queue: set stateDirectory");
}

/** A value that is the default need not be the file's, and `homing config show` writes it where it has no effect, too. */
function checkKeptSenders({ srs, stateDirectory }: Unsure, wrong: Wrong): void {
  const all = member(srs, "keptSenders");
  const ofNetwork = member(srs, "keptSendersPerNetwork");
  const isOwn = typeof ofNetwork === "number" && ofNetwork !== KEPT_SENDERS.perNetwork;
  if (stateDirectory === undefined) {
    const message = "has no effect, since none are kept without a stateDirectory: set that, or take this out";
    if (typeof all === "number" && all !== KEPT_SENDERS.inAll) wrong(["srs", "keptSenders"], message);
    if (isOwn) wrong(["srs", "keptSendersPerNetwork"], message);
  } else if (isOwn && typeof all === "number" && ofNetwork > all) {
    const message = `is more than keptSenders (${all}), and has no effect: write less`;
    wrong(["srs", "keptSendersPerNetwork"], message);
  }
}

/** Each would find the port taken, and say so of a program that is this one. */
function checkPorts({ listen, http }: Unsure, wrong: Wrong): void {
  const page = member(http, "listen");
  const isSame = ["host", "port"].every((name) => member(page, name) === member(listen, name));
  if (page !== undefined && isSame && member(listen, "port") !== 0)
    wrong(["http", "listen"], "is where the SMTP server listens: give it a port of its own");
}

function namesIn(map: unknown): readonly string[] {
  return typeof map === "object" && map !== null ? Object.keys(map) : [];
}

function listAt(map: unknown, path: readonly string[]): readonly unknown[] {
  const list = path.reduce(member, map);
  return Array.isArray(list) ? list : [];
}

function member(map: unknown, name: string): unknown {
  if (typeof map !== "object" || map === null || !Object.hasOwn(map, name)) return undefined;
  return (map as Readonly<Record<string, unknown>>)[name];
}
