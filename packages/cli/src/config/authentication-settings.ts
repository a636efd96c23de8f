// The map `authentication`, and what of it may hold for one domain alone. Called by schema.ts and domain-settings.ts.
import { AUTHENTICATION_POLICY, type AuthenticationPolicy } from "@homing/forwarder/settings";
import * as z from "zod";
import { isSelector } from "./dkim-selector.ts";
import { domain, fileName, network, wholeNumber } from "./setting-types.ts";

const { spf: SPF, dmarc: DMARC } = AUTHENTICATION_POLICY;

const action = z.enum(["accept", "tag", "defer", "refuse"]).meta({
  type: "action",
  typeMeaning: "`accept`, `tag`, `defer` or `refuse`, see [authentication.md](authentication.md)",
});
const mode = z.enum(["enforce", "tagOnly", "off"]);
const MODE =
  "Whether senders are checked: `tagOnly` tags what it would refuse or defer, for a first week; `off` looks at nothing.";

const SPF_WORDS = {
  fail: "The domain says that this client does not send its mail.",
  softfail: "The domain thinks so, and is not sure.",
  neutral: "The domain does not say.",
  none: "The domain has no SPF record.",
  temperror: "DNS does not answer.",
  permerror: "The record is wrong.",
} as const satisfies Record<keyof AuthenticationPolicy["spf"], string>;

const DMARC_WORDS = {
  reject: "The domain asks that it be refused.",
  quarantine: "The domain asks that it be treated as suspect.",
  unclear: "There is no one author: no From, several, or none that can be read.",
} as const satisfies Record<keyof AuthenticationPolicy["dmarc"], string>;

const SPF_MEANING = "What becomes of mail by the result of SPF; a pass is always accepted.";
const DMARC_MEANING = "What becomes of mail that fails DMARC, by what its domain asks for.";
const OWN_DOMAINS =
  "What becomes of mail from outside whose From is at one of `domains`, unless it is signed by it.";
const DNSBL = "DNS lists of clients, asked in this order: whoever is listed is refused.";
const RHSBL = "DNS lists of sender domains, asked in this order, also where SPF passes.";

/** Settings of which some are left out. */
function someOf<Name extends string>(
  words: Readonly<Record<Name, string>>,
  without: (name: string) => string,
) {
  const names = Object.keys(words) as Name[];
  const shape = Object.fromEntries(
    names.map((name) => [
      name,
      action
        .optional()
        .describe(words[name])
        .meta({ without: without(name) }),
    ]),
  ) as Record<Name, z.ZodOptional<typeof action>>;
  return z.strictObject(shape);
}

const zone = domain;

const outer = (name: string): { without: string } => ({ without: `\`authentication.${name}\`` });

export const authenticationOfDomain = z.strictObject({
  mode: mode.optional().describe(MODE).meta(outer("mode")),
  spf: someOf(SPF_WORDS, (name) => `\`authentication.spf.${name}\``)
    .optional()
    .describe(SPF_MEANING),
  dmarc: someOf(DMARC_WORDS, (name) => `\`authentication.dmarc.${name}\``)
    .optional()
    .describe(DMARC_MEANING),
  ownDomains: action.optional().describe(OWN_DOMAINS).meta(outer("ownDomains")),
  dnsbl: z
    .array(zone)
    .optional()
    .describe(DNSBL)
    .meta({ ...outer("dnsbl"), example: ["clients.list.example"] }),
  rhsbl: z
    .array(zone)
    .optional()
    .describe(RHSBL)
    .meta({ ...outer("rhsbl"), example: ["domains.list.example"] }),
});

export type SomeAuthenticationSettings = z.output<typeof authenticationOfDomain>;

const spf = z
  .strictObject({
    fail: action.default(SPF.fail).describe(SPF_WORDS.fail),
    softfail: action.default(SPF.softfail).describe(SPF_WORDS.softfail),
    neutral: action.default(SPF.neutral).describe(SPF_WORDS.neutral),
    none: action.default(SPF.none).describe(SPF_WORDS.none),
    temperror: action.default(SPF.temperror).describe(SPF_WORDS.temperror),
    permerror: action.default(SPF.permerror).describe(SPF_WORDS.permerror),
  })
  .prefault({})
  .describe(SPF_MEANING);

const dmarc = z
  .strictObject({
    reject: action.default(DMARC.reject).describe(DMARC_WORDS.reject),
    quarantine: action.default(DMARC.quarantine).describe(DMARC_WORDS.quarantine),
    unclear: action.default(DMARC.unclear).describe(DMARC_WORDS.unclear),
  })
  .prefault({})
  .describe(DMARC_MEANING);

const arc = z
  .strictObject({
    domain: domain.describe("The domain that seals (d=): yours.").meta({ example: "forwarder.example" }),
    selector: z
      .string()
      .refine(isSelector, "is no selector: write letters, digits and hyphens, as in homing2026")
      .describe("Where its public half is: at SELECTOR._domainkey.DOMAIN.")
      .meta({ example: "homing2026" }),
    keyFile: fileName
      .describe("PEM: the private key, RSA or Ed25519; mode 600. One of `dkim` is good.")
      .meta({ example: "dkim.key" }),
    except: z
      .array(domain)
      .default([])
      .describe("Destination domains whose mail is not sealed.")
      .meta({ example: ["partner.example"] }),
  })
  .describe("Seals forwarded mail (ARC, RFC 8617): the next hop reads what was found here.");

export const authentication = z
  .strictObject({
    mode: mode.default("enforce").describe(MODE),
    spf,
    dmarc,
    ownDomains: action.default(AUTHENTICATION_POLICY.ownDomains).describe(OWN_DOMAINS),
    dnsbl: z
      .array(zone)
      .default([])
      .describe(DNSBL)
      .meta({ example: ["clients.list.example"] }),
    rhsbl: z
      .array(zone)
      .default([])
      .describe(RHSBL)
      .meta({ example: ["domains.list.example"] }),
    authservId: domain
      .optional()
      .describe("Our name in Authentication-Results (RFC 8601).")
      .meta({
        without: "`hostname`",
        example: "forwarder.example",
        notes:
          "fields of this name that come from outside are cut out. Several servers of one site have the same one, " +
          "and must be `relays` of one another then.",
      }),
    relays: z
      .array(
        network.refine(
          isNarrow,
          "is too wide for servers of yours: name no more than a /8, or a /16 of IPv6",
        ),
      )
      .default([])
      .describe("Secondary MXs and others of yours that pass mail of strangers on.")
      .meta({
        example: ["192.0.2.26"],
        notes: "their Received fields are believed, and whoever came to them is checked, at the end of DATA.",
      }),
    trustedForwardersFile: fileName
      .optional()
      .describe("Forwarders that do not rewrite, and are let through.")
      .meta({ example: "trusted-forwarders", notes: "see [trusted-forwarders.md](trusted-forwarders.md)." }),
    threads: wholeNumber(1, 64)
      .default(2)
      .describe("Threads that check signatures; each costs some 30 MB once there is signed mail."),
    arc: arc.optional(),
  })
  .prefault({})
  .describe(
    "Who may send, see [authentication.md](authentication.md). Clients in `trustedNetworks` are never checked.",
  );

/** Whoever is in it can say that mail came from anybody. */
function isNarrow(text: string): boolean {
  const [address = "", bits] = text.split("/");
  // All of IPv4 has an IPv6 form, below ::/80.
  const widest = address.includes(":") ? (address.startsWith("::") ? 128 - 24 : 16) : 8;
  return bits === undefined || Number(bits) >= widest;
}
