// The configuration file's shape, defaults and words. `homing serve` and every command with --config read it through
// load-config.ts.
import * as z from "zod";
import { adapters } from "./adapter-settings.ts";
import { authentication } from "./authentication-settings.ts";
import { bounces } from "./bounce-settings.ts";
import { checkBounces } from "./bounce-settings-check.ts";
import { checkTogether, IN_ANY_MAP } from "./check-together.ts";
import { delivery } from "./delivery-settings.ts";
import { dkim } from "./dkim-settings.ts";
import { dns } from "./dns-settings.ts";
import { settingsByDomain } from "./domain-settings.ts";
import { http } from "./http-settings.ts";
import { limits } from "./limit-settings.ts";
import { localDelivery } from "./mail-store-settings.ts";
import { onBehalf } from "./on-behalf-settings.ts";
import { queue } from "./queue-settings.ts";
import { domain, domainByName, fileName, hostPort, network } from "./setting-types.ts";
import { srs } from "./srs-settings.ts";
import { submission } from "./submission-settings.ts";
import { tls } from "./tls-settings.ts";

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
  queue,
  bounces,
  stateDirectory: fileName
    .optional()
    .describe("Where the queue is kept, and messages that are too large for memory.")
    .meta({
      example: "/var/lib/homing",
      notes:
        "a folder on a real disk that only the service uses. Without it there is no queue: every message is delivered " +
        "while its client waits, to one recipient at a time.",
    }),
  pidFile: fileName
    .optional()
    .describe("Where the service writes its process id, for `homing reload`.")
    .meta({ example: "/run/homing/pid" }),
  trustedNetworks: z
    .array(network)
    .default([])
    .describe("Clients whose senders are verified; they may use our own domains, too.")
    .meta({
      example: ["127.0.0.1", "192.0.2.0/24"],
      notes:
        "these clients may use senders at `domains` and at `srs.domain`, and have the queue: several recipients at a " +
        "time, and no wait for slow next hops. They cannot relay either.",
    }),
  xclientNetworks: z
    .array(network)
    .default([])
    .describe("Servers that may tell for which client they speak, with XCLIENT or XFORWARD.")
    .meta({
      example: ["192.0.2.25"],
      notes: "the client that they name is then trusted or not, and logged.",
    }),
  proxyNetworks: z
    .array(network)
    .default([])
    .describe("Load balancers that begin every connection with a PROXY header, version 1.")
    .meta({ example: ["192.0.2.80"] }),
  tls: tls.optional(),
  authentication,
  dns,
  dkim,
  http: http.optional(),
  submission: submission.optional(),
  onBehalf: onBehalf.optional(),
  adapters: adapters.optional(),
  limits,
  log,
});

export const configSchema = settings
  .superRefine(checkTogether, IN_ANY_MAP)
  .superRefine(checkBounces, IN_ANY_MAP);

export type Config = z.output<typeof configSchema>;
