// What `submission` and `onBehalf` may not be together with other settings. Called by check-together.ts.
import { asciiLower, parseDomain, parseMailbox } from "@homing/srs-core";
import { domainName } from "./setting-types.ts";

/** Other settings may be wrong in any way: their types are not sure yet. */
type Unsure = Readonly<Record<string, unknown>>;
type Wrong = (path: readonly PropertyKey[], message: string) => void;

export function checkSubmission(config: Unsure, wrong: Wrong): void {
  const { submission, tls, stateDirectory, onBehalf } = config;
  if (!isMap(submission)) return;
  if (submission.listen === undefined && submission.listenTls === undefined)
    wrong(["submission"], "listens nowhere: set listen, listenTls or both");
  if (tls === undefined)
    wrong(["submission"], "needs a certificate, since nobody logs in in plain text: set tls");
  if (stateDirectory === undefined) wrong(["submission"], "needs a place for the queue: set stateDirectory");
  if (submission.usersFile === undefined && onBehalf === undefined)
    wrong(["submission"], "has nobody who may log in: set usersFile, or onBehalf with sites");
  if (submission.dovecotSocket !== undefined && submission.usersFile === undefined)
    wrong(
      ["submission", "dovecotSocket"],
      "knows passwords alone: set usersFile, which has the addresses of each",
    );
  for (const { path, others } of PORTS) {
    const other = others.find((one) => isSamePort(valueAt(config, one), valueAt(config, path)));
    if (other) wrong(path, `is where ${other.join(".")} listens: give it a port of its own`);
  }
}

const HTTP = ["http", "listen"];
const LISTEN = ["submission", "listen"];
const LISTEN_TLS = ["submission", "listenTls"];
/** Each would find the port taken, and say so of a program that is this one. */
const PORTS = [
  { path: LISTEN, others: [["listen"], HTTP] },
  { path: LISTEN_TLS, others: [["listen"], HTTP, LISTEN] },
];

function isSamePort(a: unknown, b: unknown): boolean {
  if (!isMap(a) || !isMap(b) || b.port === 0) return false;
  return a.port === b.port && (a.host === b.host || isAny(a.host) || isAny(b.host));
}

function isAny(host: unknown): boolean {
  return host === "0.0.0.0" || host === "::";
}

export function checkSites(config: Unsure, wrong: Wrong): void {
  const { onBehalf, http, stateDirectory } = config;
  if (!isMap(onBehalf)) return;
  if (http === undefined) wrong(["onBehalf"], "needs a place where links lead and sites ask: set http");
  if (stateDirectory === undefined)
    wrong(["onBehalf"], "needs a place for what is known of users: set stateDirectory");
  const { sites } = onBehalf;
  if (!isMap(sites)) return;
  if (Object.keys(sites).length === 0)
    wrong(["onBehalf", "sites"], "is empty: describe a site, or take onBehalf out");
  const taken = ourDomains(config);
  for (const [name, site] of Object.entries(sites)) {
    if (!isMap(site) || typeof site.bounceDomain !== "string" || !parseDomain(site.bounceDomain).ok) continue;
    const bounceDomain = asciiLower(domainName(site.bounceDomain));
    const owner = taken.get(bounceDomain);
    taken.set(bounceDomain, `the bounceDomain of ${name}`);
    if (owner !== undefined)
      wrong(["onBehalf", "sites", name, "bounceDomain"], `is ${owner}, too: give the site one of its own`);
  }
  checkMailboxes(sites, wrong);
}

/** At a bounce domain nothing is taken but bounces of the site: what comes to such a mailbox would be lost. */
function checkMailboxes(sites: Unsure, wrong: Wrong): void {
  const bounceDomains = new Map(
    Object.entries(sites).flatMap(([name, site]) =>
      isMap(site) && typeof site.bounceDomain === "string"
        ? [[asciiLower(domainName(site.bounceDomain)), name] as const]
        : [],
    ),
  );
  for (const [name, site] of Object.entries(sites)) {
    for (const setting of ["from", "returnTo"]) {
      const domain = isMap(site) ? domainAt(site[setting]) : undefined;
      const owner = domain === undefined ? undefined : bounceDomains.get(domain);
      if (owner === undefined) continue;
      const which = owner === name ? "the bounceDomain" : `the bounceDomain of ${owner}`;
      wrong(
        ["onBehalf", "sites", name, setting],
        `is at ${which}, where mail to it is lost: make that a domain of its own, such as bounce.${domain}`,
      );
    }
  }
}

/** @param address as it stands in the file, or read */
function domainAt(address: unknown): string | undefined {
  const parsed = typeof address === "string" ? parseMailbox(address) : undefined;
  const domain = parsed?.ok ? parsed.mailbox.domain : isMap(address) ? address.domain : undefined;
  return typeof domain === "string" ? asciiLower(domainName(domain)) : undefined;
}

/** By name, with what each is. */
function ourDomains({ domains, domainAliases, srs, domainSettings }: Unsure): Map<string, string> {
  const taken = new Map<string, string>();
  const add = (name: unknown, what: string): void => {
    if (typeof name === "string") taken.set(asciiLower(domainName(name)), what);
  };
  for (const settings of isMap(domainSettings) ? Object.values(domainSettings) : [])
    if (isMap(settings)) add(settings.srsDomain, "an srsDomain");
  for (const name of isMap(domainAliases) ? Object.keys(domainAliases) : [])
    add(name, "one of domainAliases");
  for (const name of Array.isArray(domains) ? domains : []) add(name, "one of domains");
  if (isMap(srs)) add(srs.domain, "srs.domain");
  return taken;
}

function valueAt(value: unknown, [step, ...more]: readonly string[]): unknown {
  if (step === undefined) return value;
  return isMap(value) && Object.hasOwn(value, step) ? valueAt(value[step], more) : undefined;
}

function isMap(value: unknown): value is Unsure {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
