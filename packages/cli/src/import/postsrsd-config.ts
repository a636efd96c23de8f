// From what a PostSRSd serves to a homing.yaml that serves the same maps at the same places with the same secrets, and what a
// person must know of the difference. Called by `homing import postsrsd`.
import { basename, dirname } from "node:path";
import type { FileProblem, PostsrsdSettings } from "@homing/mta-adapters/import";
import { Document, isMap, isScalar } from "yaml";

export interface ImportedConfig {
  /** As homing.yaml has it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Texts for the settings that need one, by their path. */
  readonly comments: readonly (readonly [path: readonly string[], text: string])[];
  /** Line 0: about the whole. */
  readonly notes: readonly FileProblem[];
}

/** Of ours: shorter tags are guessed in no time, and a SHA-1 has no more than 27. */
const SHORTEST = 4;
const LONGEST = 27;
/** 48 bits: nobody guesses them. */
const GOOD_LENGTH = 8;
const MAX_AGE_DAYS = 21;

/** @param srsDomain where the settings leave it open, somebody has found it elsewhere */
export function importedConfig(settings: PostsrsdSettings, srsDomain: string): ImportedConfig {
  const tagLength = bounded(settings.tagLength);
  const minTagLength = Math.min(bounded(settings.minTagLength), tagLength);
  const { adapters, comments } = adaptersOf(settings);
  const config = {
    hostname: srsDomain,
    domains: [srsDomain],
    srs: {
      domain: srsDomain,
      secretsFile: settings.secretsFile,
      scheme: "classic",
      tagLength,
      minTagLength,
      separator: settings.separator,
      alphabet: settings.version === 1 ? "base64" : "base64url",
    },
    dkim: "unsigned",
    ...(settings.milter ? { authentication: { mode: "off" } } : {}),
    adapters,
  };
  const alphabet =
    settings.version === 1
      ? "As PostSRSd 1 writes its tags; both alphabets are read."
      : "As PostSRSd writes its tags since 2.2.6; before that: base64. Both are read.";
  return {
    config,
    comments: [
      [["hostname"], "This server's name, as in its DNS records: PostSRSd has none, correct it."],
      [["srs", "alphabet"], alphabet],
      [["dkim"], "Maps send no mail. For homing serve: docs/configuration.md"],
      [["authentication"], "PostSRSd's milter rewrites, and checks no SPF: docs/authentication.md."],
      ...comments,
    ],
    notes: [
      ...settings.notes,
      ...tagNotes(settings, { tagLength, minTagLength }),
      ...siteNotes(settings, srsDomain),
      ...ADVICE,
    ].map((note) => (typeof note === "string" ? { line: 0, message: note } : note)),
  };
}

function adaptersOf(settings: PostsrsdSettings): {
  adapters: Record<string, unknown>;
  comments: ImportedConfig["comments"];
} {
  const { socketmap, milter, forward, reverse, connections, ownDomains, ownDomainsFile } = settings;
  const at = (listen: string) => ({
    listen,
    ...(listen.startsWith("unix:") ? { mode: "0666" } : {}),
    ...(connections ? { connections } : {}),
  });
  const adapters = {
    ...(socketmap ? { socketmap: at(socketmap) } : {}),
    ...(milter ? { milter: { ...at(milter), rewrite: settings.rewriteLocal ? "always" : "leaving" } } : {}),
    ...(forward && reverse ? { tcpTables: { forward, reverse } } : {}),
    ...(ownDomains.length > 0 ? { ownDomains } : {}),
    ...(ownDomainsFile ? { ownDomainsFiles: [ownDomainsFile] } : {}),
  };
  const open = 'As PostSRSd\'s: every user may ask. Better: "0660", in a folder of the group postfix.';
  const comments = Object.entries(adapters).flatMap(([name, value]) =>
    typeof value === "object" && "mode" in value ? [[["adapters", name, "mode"], open] as const] : [],
  );
  return { adapters, comments };
}

function bounded(length: number): number {
  return Math.min(Math.max(length, SHORTEST), LONGEST);
}

function tagNotes(
  settings: PostsrsdSettings,
  { tagLength, minTagLength }: { readonly tagLength: number; readonly minTagLength: number },
): readonly string[] {
  const notes: string[] = [];
  if (tagLength !== settings.tagLength || minTagLength !== settings.minTagLength)
    notes.push(
      `tags of ${settings.tagLength} and ${settings.minTagLength} characters become ${tagLength} and ${minTagLength}: ` +
        "shorter ones than 4 are guessed, and longer ones than 27 do not exist",
    );
  if (minTagLength < GOOD_LENGTH)
    notes.push(
      `srs.minTagLength: a tag of ${minTagLength} characters is guessed with patience: write tagLength: ${GOOD_LENGTH} ` +
        `with minTagLength: ${minTagLength} now, and take minTagLength out after ${MAX_AGE_DAYS} days (srs.maxAgeDays)`,
    );
  return notes;
}

/** Postfix's folder, which belongs to root. */
const SPOOL = "/var/spool/postfix";

function siteNotes(settings: PostsrsdSettings, srsDomain: string): readonly string[] {
  const notes: string[] = [];
  for (const name of ["socketmap", "milter"] as const) {
    const path = settings[name]?.startsWith("unix:") ? settings[name].slice("unix:".length) : "";
    if (dirname(path) === SPOOL) notes.push(spoolNote(name, basename(path)));
  }
  if (settings.milter)
    notes.push(
      'authentication.mode is "off", since PostSRSd\'s milter checks no SPF: with tagOnly or enforce this one does',
    );
  if (isOwnDomain(settings, srsDomain))
    notes.push(
      `srs.domain ${srsDomain} is one of your own domains, which works while the map reverse or the milter unwraps bounces: ` +
        "do not route it to homing serve, which would refuse all other mail to it. For homing serve choose a domain that is " +
        "nothing else (docs/postsrsd.md)",
    );
  return notes;
}

function spoolNote(name: "socketmap" | "milter", file: string): string {
  const folder = `${SPOOL}/homing`;
  return (
    `adapters.${name}.listen: ${SPOOL} is root's, and a service without rights can make no socket there: ` +
    `install -d -o root -g postfix -m 2770 ${folder}, write unix:${folder}/${name} with mode "0660" here, ` +
    `and in main.cf homing/${name} where ${file} stands (deploy/systemd/README.md, Beside another mail server)`
  );
}

/** PostSRSd's defaults are own domains: `mydomain` in version 1, the first of `domains` in version 2. */
function isOwnDomain({ version, srsDomain, ownDomains }: PostsrsdSettings, chosen: string): boolean {
  const isListed = ownDomains.some(
    (name) =>
      name.toLowerCase() === chosen.toLowerCase() || (name.startsWith(".") && name.slice(1) === chosen),
  );
  return isListed || (version === 1 && srsDomain === undefined);
}

const ADVICE: readonly string[] = [
  "run homing config check on it: a secret under 22 characters needs srs.weakSecret: true, until homing secrets rotate " +
    "has put a longer one before it",
  "a canonical map cannot refuse: put the policy service first, which refuses forged SRS recipients at RCPT " +
    "(adapters.policy, and check_policy_service in smtpd_recipient_restrictions)",
  "stop PostSRSd, whose places these are, and start homing adapters --config FILE: it runs all that stands under adapters",
];

export function renderImported({ config, comments }: ImportedConfig, heading: string): string {
  const document = new Document(config);
  document.commentBefore = ` ${heading}`;
  for (const [path, text] of comments) {
    const map = document.getIn(path.slice(0, -1), true) ?? document.contents;
    const pair = isMap(map)
      ? map.items.find(({ key }) => isScalar(key) && key.value === path.at(-1))
      : undefined;
    if (isScalar(pair?.key)) pair.key.commentBefore = ` ${text}`;
  }
  return document.toString({ lineWidth: 0 });
}
