// The configuration file's shape, defaults and words. `homing serve` and every command with --config read it through
// load-config.ts.
import { isIP } from "node:net";
import {
  type LocalStore,
  maildirPatternProblem,
  parseHostPort,
  parseRefusal,
  renderHostPort,
  UNKNOWN_ADDRESS,
} from "@homing/forwarder";
import { asciiLower, KEPT_LABEL, parseDomain } from "@homing/srs-core";
import * as z from "zod";
import "./setting-words.ts";

const domain = z
  .string()
  .transform((text, context) => {
    const parsed = parseDomain(text);
    if (parsed.ok) return parsed.domain;
    context.addIssue({
      code: "custom",
      message: `${parsed.message}: write a domain name such as forwarder.example`,
    });
    return z.NEVER;
  })
  .meta({ type: "domain", typeMeaning: "a name such as `forwarder.example`; U-labels become A-labels" });

const hostPort = z
  .string()
  .transform((text, context) => {
    const parsed = parseHostPort(text);
    if (parsed) return parsed;
    context.addIssue({
      code: "custom",
      message: `"${text}" is not HOST:PORT: write 127.0.0.1:2525 or [::1]:2525`,
    });
    return z.NEVER;
  })
  .meta({
    type: "host:port",
    typeMeaning: '`192.0.2.1:25`, `mail.example:25` or, in quotes, `"[2001:db8::1]:25"`',
  });

const nextHop = hostPort.refine(
  ({ port }) => port > 0,
  "port 0 is no server's: write the port of the next hop",
);

/** For checks that other mistakes of the same map must not hide. */
const ALWAYS = { when: () => true };

/** Keys become A-labels in lower case; two spellings of one domain are a mistake. */
const nextHopByDomain = z
  .record(z.string().meta({ type: "domain" }), nextHop)
  .superRefine(checkDomainNames, ALWAYS)
  .transform((routes) =>
    Object.fromEntries(Object.entries(routes).map(([text, hop]) => [domainName(text), hop])),
  );

function checkDomainNames(routes: unknown, context: z.RefinementCtx): void {
  if (typeof routes !== "object" || routes === null) return;
  const seen = new Set<string>();
  for (const text of Object.keys(routes)) {
    const parsed = parseDomain(text);
    const name = domainName(text);
    const message = parsed.ok
      ? "is a second spelling of this domain: keep one"
      : `${parsed.message}: write the domain of the recipients`;
    if (!parsed.ok || seen.has(name)) context.addIssue({ code: "custom", path: [text], message });
    seen.add(name);
  }
}

function domainName(text: string): string {
  const parsed = parseDomain(text);
  return parsed.ok ? asciiLower(parsed.domain) : text;
}

/** Keys become A-labels in lower case; two spellings of one domain are a mistake. */
const domainByName = z
  .record(z.string().meta({ type: "domain" }), domain)
  .superRefine(checkDomainNames, ALWAYS)
  .transform((names) =>
    Object.fromEntries(Object.entries(names).map(([text, target]) => [domainName(text), target])),
  );

const network = z
  .string()
  .refine(isNetwork, {
    error: (issue) => `"${String(issue.input)}" is no IP address or network: write 192.0.2.1 or 192.0.2.0/24`,
  })
  .meta({ type: "network", typeMeaning: "`192.0.2.1`, `192.0.2.0/24` or `2001:db8::/32`" });

const fileName = z
  .string()
  .min(1, "is empty: write the name of a file")
  .meta({ type: "file", typeMeaning: "a path, relative to the folder of the configuration" });

/** Their types are not sure yet: another mistake of the map may be in any of them. */
type Tags = Partial<Readonly<Record<"scheme" | "accept" | "tagLength" | "minTagLength", unknown>>>;

/** What each setting may have by itself, and not together. */
function checkTogether(srs: Tags | null, context: z.RefinementCtx): void {
  const { scheme, accept, tagLength, minTagLength } = srs ?? {};
  if (Array.isArray(accept) && typeof scheme === "string" && !accept.includes(scheme)) {
    const message = `lacks ${scheme}, the scheme that signs: its bounces would be refused: add it`;
    context.addIssue({ code: "custom", path: ["accept"], message });
  }
  if (typeof tagLength === "number" && typeof minTagLength === "number" && minTagLength > tagLength) {
    const message = `is more than tagLength (${tagLength}): our own bounces would be refused: write less`;
    context.addIssue({ code: "custom", path: ["minTagLength"], message });
  }
}

function wholeNumber(min: number, max: number) {
  const message = `is not a whole number from ${min} to ${max}: write one`;
  return z.int(message).min(min, message).max(max, message);
}

const srsDomain = domain.refine(
  (name) => name !== KEPT_LABEL,
  "is the label of kept senders: write a domain name",
);

const unknownReply = z
  .string()
  .transform((text, context) => {
    const parsed = parseRefusal(text, text.startsWith("4") ? TRY_LATER : UNKNOWN_ADDRESS);
    if (parsed.ok) return parsed.reply;
    context.addIssue({ code: "custom", message: parsed.message });
    return z.NEVER;
  })
  .meta({
    type: "reply",
    typeMeaning:
      "words for the client, and in front of them codes where they matter: `550 5.1.1 no such user`",
  });

/** A site that moves in, and has not told all its addresses yet. */
const TRY_LATER = { code: 450, enhanced: "4.1.1", text: "no such address here now, try again later" };

const ofOneDomain = z.strictObject({
  srsDomain: srsDomain
    .optional()
    .describe("The SRS domain for mail to addresses of this domain.")
    .meta({ without: "`srs.domain`", example: "bounces.club.example" }),
  unknownReply: unknownReply
    .optional()
    .describe("What is answered for its addresses that are in no table.")
    .meta({
      without: `\`${UNKNOWN_ADDRESS.code} ${UNKNOWN_ADDRESS.enhanced}\``,
      example: "550 5.1.1 the club has no member of this name",
    }),
});

/** Keys become A-labels in lower case; two spellings of one domain are a mistake. */
const settingsByDomain = z
  .record(z.string().meta({ type: "domain" }), ofOneDomain)
  .superRefine(checkDomainNames, ALWAYS)
  .transform((settings) =>
    Object.fromEntries(Object.entries(settings).map(([text, values]) => [domainName(text), values])),
  );

const srs = z
  .strictObject({
    domain: srsDomain
      .describe("The SRS domain: rewritten senders are at it, so its MX must be this server.")
      .meta({
        example: "bounces.forwarder.example",
        notes: "may be one of `domains`, or a domain of its own.",
      }),
    secretsFile: fileName
      .describe("File with the secrets, one a line, newest first; mode 600.")
      .meta({ example: "secrets", notes: "see [secrets file](#secrets-file)." }),
    scheme: z
      .enum(["strong", "classic"])
      .default("strong")
      .describe("Tags of ours, or those of Mail::SRS and PostSRSd.")
      .meta({ notes: "how tags are made is in [srs.md](srs.md)." }),
    accept: z
      .array(z.enum(["strong", "classic", "exim"]))
      .optional()
      .describe("Schemes that verify, during a migration; the default is the scheme that signs.")
      .meta({
        without: "the scheme",
        example: ["strong"],
        notes:
          "holds `srs.scheme` at least. To go from classic to strong, set `scheme: strong` and `accept: " +
          "[strong, classic]`, and take `accept` out `maxAgeDays` later. `exim` reads the addresses of " +
          "Exim's own SRS: their tags have 16 bits, and whoever guesses one sends mail through here.",
      }),
    separator: z
      .enum(["=", "+", "-"])
      .default("=")
      .describe("The character after SRS0 and SRS1.")
      .meta({ notes: "`-` is put in quotes, because YAML takes it for a list." }),
    tagLength: wholeNumber(4, 27)
      .default(4)
      .describe("Characters of a classic tag.")
      .meta({
        notes:
          "`srs.tagLength`, `srs.minTagLength` and `srs.alphabet` have no meaning for strong tags, which " +
          "have 8 characters. A longer `tagLength` refuses the shorter tags that were made before, unless " +
          "`minTagLength` is what it was. The minimum is what a guesser has to guess.",
      }),
    minTagLength: wholeNumber(4, 27)
      .optional()
      .describe("Characters of a classic tag that suffice in a bounce; the default is tagLength.")
      .meta({ without: "`tagLength`", example: 4 }),
    alphabet: z
      .enum(["base64", "base64url"])
      .default("base64")
      .describe("Letters of a classic tag: Mail::SRS's, or those of PostSRSd since 2.2.6. Both are read.")
      .meta({ notes: "Mail::SRS and libsrs2 write `base64`, PostSRSd writes `base64url` since 2.2.6." }),
    weakSecret: z
      .boolean()
      .default(false)
      .describe("Take secrets under 22 characters, for classic tags alone, with a warning.")
      .meta({
        notes:
          "for sites that share a short secret with other programs. It is a warning at each start, and " +
          "has no effect where strong tags are made or accepted.",
      }),
    maxAgeDays: wholeNumber(1, 365).default(21).describe("Days for which a bounce is accepted."),
  })
  .superRefine(checkTogether, ALWAYS)
  .describe("How envelope senders are rewritten.");

const delivery = z
  .strictObject({
    routes: nextHopByDomain
      .default({})
      .describe("Fixed next hops by destination domain.")
      .meta({
        example: { "partner.example": "192.0.2.10:25" },
        notes:
          "a route is for exactly that domain, there are no patterns. Without a route and a smart host, " +
          "the MX records are asked. A target that is an address literal needs a route or a smart host. " +
          "Ports are 1 to 65535.",
      }),
    smartHost: nextHop
      .optional()
      .describe("Takes everything that has no route; without it the MX records are asked.")
      .meta({ example: "relay.provider.example:25" }),
  })
  .prefault({})
  .describe("Where mail goes.");

const mailStore = z
  .string()
  .transform((text, context): LocalStore => {
    const [, kind, place = ""] = /^(lmtp|maildir):(.*)$/s.exec(text) ?? [];
    const server = kind === "lmtp" ? lmtpServer(place) : undefined;
    if (server) return { kind: "lmtp", server };
    const problem = kind === "maildir" ? maildirPatternProblem(place) : undefined;
    if (kind === "maildir" && problem === undefined) return { kind: "maildir", pattern: place };
    const message =
      problem ??
      `"${text}" is no mail store: write lmtp:HOST:PORT, lmtp:/socket or maildir:/path/{domain}/{user}`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  })
  .meta({
    type: "mail store",
    typeMeaning:
      "`lmtp:127.0.0.1:24`, `lmtp:/run/dovecot/lmtp` or `maildir:/var/mail/homing/{domain}/{user}`",
  });

export function renderMailStore(store: LocalStore): string {
  if (store.kind === "maildir") return `maildir:${store.pattern}`;
  return `lmtp:${"path" in store.server ? store.server.path : renderHostPort(store.server)}`;
}

function lmtpServer(place: string): Extract<LocalStore, { kind: "lmtp" }>["server"] | undefined {
  if (place.startsWith("/")) return { path: place };
  const parsed = parseHostPort(place);
  return parsed && parsed.port > 0 ? parsed : undefined;
}

const localDelivery = z
  .strictObject({
    store: mailStore
      .describe("Keeps the mail of our domains that no table takes elsewhere.")
      .meta({ example: "lmtp:/run/dovecot/lmtp" }),
    unknownUsers: z
      .enum(["refuse", "store"])
      .default("refuse")
      .describe("Addresses in no table: refuse them, or let an LMTP store say whether it has such a user."),
  })
  .superRefine(({ store, unknownUsers }, context) => {
    if (store.kind === "lmtp" || unknownUsers === "refuse") return;
    const message = "is for lmtp: a maildir cannot say who is a user: take it out";
    context.addIssue({ code: "custom", path: ["unknownUsers"], message });
  })
  .describe("Mail that stays here; its sender is not rewritten.");

const dotForward = z
  .strictObject({
    socket: z
      .string()
      .regex(/^\//, "is no path from / on: write the socket of homing dotforward")
      .describe("The socket of `homing dotforward`, which reads the files.")
      .meta({ type: "path", example: "/run/homing-dotforward.sock" }),
    domains: z
      .array(domain)
      .min(1, "is empty: name some of domains, or take it out for all of them")
      .optional()
      .describe("Domains whose local parts are users; the default is all of `domains`.")
      .meta({ without: "`domains`", example: ["forwarder.example"] }),
    wrongFile: z
      .enum(["refuse", "next-route"])
      .default("refuse")
      .describe("After four hours with a file that fails its checks: 550, or as if there were none."),
  })
  .describe("Users' .forward files, see [dot-forward.md](dot-forward.md).");

const limits = z
  .strictObject({
    messageOctets: wholeNumber(65_536, 268_435_456).default(26_214_400).describe("The largest message."),
    clients: wholeNumber(1, 10_000).default(100).describe("Connections at the same time."),
    // RFC 5321 §6.3 has 100 for counting alone; here a loop is mostly known at its second pass, and Postfix counts to 50.
    hops: wholeNumber(10, 1000).default(50).describe("A message with so many Received fields is refused."),
  })
  .prefault({})
  .describe("Limits of the SMTP server.");

const log = z
  .strictObject({
    addresses: z
      .enum(["full", "domain", "hash"])
      .default("full")
      .describe(
        "Mail addresses in the log: as they are, with `*` before the at sign, or as a hash of this run.",
      ),
  })
  .prefault({})
  .describe("What the log shows.");

const settings = z.strictObject({
  hostname: domain.describe("This server's name, as in its DNS records.").meta({
    example: "mx.forwarder.example",
    notes:
      "stands in the greeting, in EHLO and in Received fields. `postmaster` is looked up in the aliases " +
      "at this name and at the SRS domain too, and without a domain (RFC 5321 §4.5.1): put it into the " +
      "aliases.",
  }),
  listen: hostPort
    .prefault("0.0.0.0:25")
    .describe("Address and port of the SMTP server.")
    .meta({
      notes:
        '`"[::]:25"` for IPv6, in quotes, because YAML takes a bracket for a list. Port 0 takes a free ' +
        "one, which the log tells.",
    }),
  domains: z
    .array(domain)
    .min(1, "is empty: name at least one domain, as in [forwarder.example]")
    .describe("Domains whose recipients are looked up in the aliases.")
    .meta({
      example: ["forwarder.example", "mx.forwarder.example"],
      notes: "their senders are not rewritten, and are refused when they come from outside.",
    }),
  aliasesFile: fileName
    .optional()
    .describe("An aliases(5) file: local parts at every one of the domains.")
    .meta({ example: "aliases", notes: "see [aliases file](#aliases-file)." }),
  aliasDomains: z
    .array(domain)
    .optional()
    .describe("Domains where names without a domain are addresses, of the aliases and of the virtual table.")
    .meta({
      without: "`domains`",
      example: ["forwarder.example"],
      notes:
        "as Postfix's mydestination. Name your own domains here where customers' domains shall have no address " +
        "from the aliases. Names as targets are looked up where mail came for, or else at the first of these. " +
        "`postmaster` is an address everywhere.",
    }),
  virtualFile: fileName
    .optional()
    .describe("A virtual table, as Postfix's virtual(5): whole addresses, and catch-alls of domains.")
    .meta({ example: "virtual" }),
  domainAliases: domainByName
    .default({})
    .describe("Further names of domains: mail to one is treated as mail to the domain behind it.")
    .meta({ example: { "old-name.example": "forwarder.example" } }),
  domainSettings: settingsByDomain
    .default({})
    .describe("What holds for one of `domains` alone.")
    .meta({
      notes:
        "mail to the further names of a domain (`domainAliases`) has the settings of that domain. The MX and the " +
        "SPF record of each `srsDomain` must be as those of `srs.domain`; the secrets are the same. A catch-all is an " +
        "entry of the virtual table (`@club.example alice@home.example`), and so is a disabled address.",
    }),
  recipientDelimiter: z
    .enum(["", "+", "-", ".", "_", "="])
    .default("")
    .describe("user+anything is user, where it is no entry of its own; empty for none."),
  keepExtension: z
    .boolean()
    .default(false)
    .describe("Put what was behind the delimiter behind the target's local part, too."),
  srs,
  delivery,
  localDelivery: localDelivery.optional(),
  dotForward: dotForward.optional(),
  pidFile: fileName
    .optional()
    .describe("Where the service writes its process id, for `homing reload`.")
    .meta({ example: "/run/homing/pid" }),
  trustedNetworks: z
    .array(network)
    .default([])
    .describe("Clients that may use our own domains as sender.")
    .meta({
      example: ["127.0.0.1", "192.0.2.0/24"],
      notes: "these clients may use senders at `domains` and at `srs.domain`. They cannot relay either.",
    }),
  limits,
  log,
});

const IN_ANY_MAP: { when: (payload: z.core.ParsePayload) => boolean } = {
  when: ({ value }) => typeof value === "object" && value !== null && !Array.isArray(value),
};

export const configSchema = settings
  .superRefine(checkFiles, IN_ANY_MAP)
  .superRefine(checkDomains, IN_ANY_MAP)
  .superRefine(checkMaildir, IN_ANY_MAP)
  .superRefine(checkExtension, IN_ANY_MAP);

/** Other settings may be wrong in any way: their types are not sure yet. */
type Unsure = { readonly [Name in keyof z.output<typeof settings>]?: unknown };

function checkFiles(config: Unsure, context: z.RefinementCtx): void {
  if (config.aliasesFile !== undefined || config.virtualFile !== undefined) return;
  const message = "no table says where mail goes: name an aliasesFile, a virtualFile, or both";
  context.addIssue({ code: "custom", path: ["aliasesFile"], message });
}

function checkDomains(config: Unsure, context: z.RefinementCtx): void {
  const { domains, aliasDomains, domainAliases, domainSettings, dotForward, delivery, localDelivery } =
    config;
  // With a mistake in the list itself, nobody knows what is none of it.
  if (!Array.isArray(domains) || !domains.every((name) => typeof name === "string")) return;
  const names = new Set(domains.map(asciiLower));
  // A map with a mistake has its names as they are written.
  const isOurs = (name: string): boolean => names.has(domainName(name));
  const wrong = (path: PropertyKey[], message: string): void =>
    context.addIssue({ code: "custom", path, message });
  for (const [name, target] of Object.entries(domainAliases ?? {})) {
    if (isOurs(name)) wrong(["domainAliases", name], "is one of domains, too: take it out of one of the two");
    if (typeof target === "string" && !isOurs(target))
      wrong(["domainAliases", name], `"${target}" is none of domains: write one of them`);
  }
  for (const name of Object.keys(domainSettings ?? {})) {
    if (!isOurs(name)) wrong(["domainSettings", name], "is none of domains: add it there, or correct it");
  }
  for (const [at, name] of listIn(dotForward, "domains").entries()) {
    if (typeof name === "string" && !isOurs(name))
      wrong(["dotForward", "domains", at], `"${name}" is none of domains: write one of them`);
  }
  for (const [at, name] of (Array.isArray(aliasDomains) ? aliasDomains : []).entries()) {
    if (typeof name === "string" && !isOurs(name))
      wrong(["aliasDomains", at], `"${name}" is none of domains: write one of them`);
  }
  const furtherNames = new Set(Object.keys(domainAliases ?? {}).map(domainName));
  for (const name of localDelivery === undefined ? [] : Object.keys(member(delivery, "routes") ?? {})) {
    if (isOurs(name) || furtherNames.has(domainName(name)))
      wrong(["delivery", "routes", name], "is a domain of ours, whose mail localDelivery keeps: take it out");
  }
}

function checkMaildir({ domains, localDelivery }: Unsure, context: z.RefinementCtx): void {
  const pattern = member(member(localDelivery, "store"), "pattern");
  if (typeof pattern !== "string" || pattern.includes("{domain}") || !Array.isArray(domains)) return;
  const names = new Set(domains.map((name) => domainName(String(name))));
  if (names.size < 2) return;
  const message = `has no {domain}: users of one name at ${names.size} domains would share a maildir: put {domain} into it`;
  context.addIssue({ code: "custom", path: ["localDelivery", "store"], message });
}

function checkExtension({ recipientDelimiter, keepExtension }: Unsure, context: z.RefinementCtx): void {
  if (keepExtension !== true || recipientDelimiter !== "") return;
  const message = "keeps nothing without a recipientDelimiter: set that, or take this out";
  context.addIssue({ code: "custom", path: ["keepExtension"], message });
}

function listIn(map: unknown, name: string): readonly unknown[] {
  const list = member(map, name);
  return Array.isArray(list) ? list : [];
}

function member(map: unknown, name: string): object | string | undefined {
  if (typeof map !== "object" || map === null || !Object.hasOwn(map, name)) return undefined;
  const value = (map as Record<string, unknown>)[name];
  return (typeof value === "object" && value !== null) || typeof value === "string" ? value : undefined;
}

export type Config = z.output<typeof configSchema>;

function isNetwork(text: string): boolean {
  const [address = "", bits, ...more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}
