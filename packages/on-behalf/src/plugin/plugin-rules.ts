// The plug-in's options, checked, with their defaults. Called by on-behalf-plugin.ts, once.
import { asciiLower, type Mailbox, parseDomain } from "@homing/srs-core";
import { checkName, MAX_NAME_LENGTH } from "../sender/check-name.ts";
import type { FromMode } from "../site.ts";
import { publicTokens } from "../tokens/create-tokens.ts";
import { createHomingService, type HomingService } from "./homing-service.ts";
import { checkOptionNames, nearestName } from "./option-names.ts";
import type { OnBehalfPluginOptions, World } from "./options.ts";
import { readEntries } from "./plain-address.ts";
import { OnBehalfError, type Stopped, wrongOption as wrong } from "./plugin-problem.ts";
import { type PrivateLines, readPrivateLines, secretFault } from "./private-lines.ts";
import { systemWorld } from "./world.ts";

/** As the service: to more people, one does not write by a button of a web site. */
const DEFAULT_MAX_RECIPIENTS = 5;
const FROM_MODES: readonly FromMode[] = ["auto", "site", "user"];
/** Secrets are read again after that long, so that a new one is taken without a restart. */
const SECRETS_SECONDS = 60;

export interface PluginRules {
  readonly site: { readonly title: string; readonly from: Mailbox };
  /** At the service; undefined where the options do not say. */
  readonly siteName: string | undefined;
  readonly bounceDomain: string;
  readonly fromMode: FromMode;
  readonly maxRecipients: number;
  readonly secrets: () => Promise<PrivateLines>;
  readonly isConfirmed: OnBehalfPluginOptions["isConfirmed"];
  readonly identityKeys: readonly string[] | undefined;
  readonly homing: HomingService | undefined;
  readonly world: World;
}

/** Throws an OnBehalfError with the code `wrong-options`: a site that starts with them would send nothing. */
export function pluginRules(options: OnBehalfPluginOptions): PluginRules {
  checkOptionNames(options);
  const world = { ...systemWorld, ...options.world };
  const { maxRecipients = DEFAULT_MAX_RECIPIENTS, isConfirmed } = options;
  if (!Number.isSafeInteger(maxRecipients) || maxRecipients < 1) {
    throw wrong(
      "maxRecipients",
      "is no whole number from 1 on",
      `leave it out for ${DEFAULT_MAX_RECIPIENTS}`,
    );
  }
  if (isConfirmed !== undefined && typeof isConfirmed !== "function")
    throw wrong(
      "isConfirmed",
      "is no function",
      "give one that answers true for addresses that are confirmed",
    );
  return {
    site: siteOf(options),
    siteName: options.site,
    bounceDomain: bounceDomainOf(options.bounceDomain),
    fromMode: fromModeOf(options),
    maxRecipients,
    secrets: secretsOf(options, world),
    isConfirmed,
    identityKeys: identityKeysOf(options),
    homing: options.homing === undefined ? undefined : homingOf(options.homing, world),
    world,
  };
}

function fromModeOf({ fromMode = "auto" }: OnBehalfPluginOptions): FromMode {
  if (FROM_MODES.includes(fromMode)) return fromMode;
  const nearest = nearestName(String(fromMode), FROM_MODES);
  const question = nearest === undefined ? "" : `did you mean "${nearest}"? `;
  throw wrong("fromMode", "is none of auto, site and user", `${question}leave it out for auto`);
}

function siteOf({ from, title }: OnBehalfPluginOptions): PluginRules["site"] {
  const read = readEntries(from, "from");
  if (!read.ok) throw ofProblem(read);
  const [entry, another] = read.entries;
  if (!entry || another) throw wrong("from", "is not one address", "give the site's own: cards@site.example");
  const mailbox = { ...entry.mailbox, domain: asciiLower(entry.mailbox.domain) };
  const words = title ?? (entry.name || mailbox.domain);
  if (typeof words !== "string") throw wrong("title", "is no text", "give the site's name, for people");
  const fault = checkName(words, "title");
  if (words.trim() === "" || fault) {
    throw wrong(
      "title",
      "is empty, or no name of a site",
      `up to ${MAX_NAME_LENGTH} characters, no @, no line break`,
    );
  }
  return { title: words.trim(), from: mailbox };
}

function bounceDomainOf(text: unknown): string {
  const parsed = typeof text === "string" ? parseDomain(text) : undefined;
  if (parsed?.ok && parsed.domain.includes(".") && !parsed.domain.startsWith("["))
    return asciiLower(parsed.domain);
  throw wrong(
    "bounceDomain",
    "is no domain",
    "give the one whose mail the bounce handler takes: bounce.site.example",
  );
}

function secretsOf({ secretsFile, secrets }: OnBehalfPluginOptions, world: World): PluginRules["secrets"] {
  if ((secretsFile === undefined) === (secrets === undefined)) {
    throw wrong("secretsFile", "and secrets are both given, or neither is", "give one of them");
  }
  if (secretsFile !== undefined) {
    if (typeof secretsFile !== "string" || secretsFile === "")
      throw wrong("secretsFile", "is no path", "give that of a file with a secret on each line");
    return remembered(() => readPrivateLines(secretsFile, "secretsFile"), world);
  }
  const lines = [...(secrets ?? [])];
  if (lines.length === 0) throw wrong("secrets", "is empty", "make one with: openssl rand -base64 24");
  lines.forEach((secret, index) => {
    const fault = secretFault(secret);
    if (fault) throw wrong(`secrets[${index}]`, fault, "make one with: openssl rand -base64 24");
  });
  return async () => ({ ok: true, lines });
}

/** What was read well, for a minute. What was not is read again for the next message. */
function remembered(read: () => Promise<PrivateLines>, world: World): () => Promise<PrivateLines> {
  let last: { readonly lines: PrivateLines; readonly until: number } | undefined;
  return async () => {
    const now = world.now();
    if (last && now < last.until) return last.lines;
    const lines = await read();
    last = lines.ok ? { lines, until: now + SECRETS_SECONDS } : undefined;
    return lines;
  };
}

function identityKeysOf({ identityKeys, site }: OnBehalfPluginOptions): readonly string[] | undefined {
  if (site !== undefined && (typeof site !== "string" || site === ""))
    throw wrong("site", "is no name of a site", "give the one that the Homing service has for it");
  if (identityKeys === undefined) return undefined;
  if (site === undefined) {
    const hint = "give the site's name at the Homing service: a proof that was made for another site is none";
    throw wrong("site", "is missing, and identityKeys are there", hint);
  }
  try {
    publicTokens(identityKeys);
  } catch (cause) {
    const hint = "copy x of each key from GET /v1/keys of the Homing service, the newest first";
    throw wrong("identityKeys", "are no public keys", hint, cause);
  }
  return identityKeys;
}

function homingOf(options: NonNullable<OnBehalfPluginOptions["homing"]>, world: World): HomingService {
  // Also null and "": whoever names it wants it asked.
  if (typeof options !== "object" || options === null)
    throw wrong("homing", "is no object", "give { url, siteKeyFile }, or leave it out");
  const { url, siteKeyFile } = options;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const alone = ["127.0.0.1", "[::1]", "localhost"].includes(parsed?.hostname ?? "");
  if (!parsed || !(parsed.protocol === "https:" || (parsed.protocol === "http:" && alone))) {
    throw wrong("homing.url", "is no https URL", "http is for this machine alone: the site's key goes along");
  }
  if (parsed.username !== "" || parsed.search !== "" || parsed.hash !== "") {
    throw wrong("homing.url", "holds more than host and path", "give it as https://mail.site.example");
  }
  if (typeof siteKeyFile !== "string" || siteKeyFile === "")
    throw wrong("homing.siteKeyFile", "is no path", "give that of the file with the site's key");
  const base = parsed.href.endsWith("/") ? parsed.href.slice(0, -1) : parsed.href;
  const siteKey = remembered(() => readPrivateLines(siteKeyFile, "homing.siteKeyFile"), world);
  return createHomingService({ base, siteKey, world });
}

function ofProblem({ problem }: Stopped): OnBehalfError {
  return new OnBehalfError({ ...problem, code: "wrong-options", detail: `onBehalf: ${problem.detail}` });
}
