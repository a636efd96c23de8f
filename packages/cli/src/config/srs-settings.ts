// The map `srs`: how envelope senders are rewritten. Called by schema.ts.
import { KEPT_SENDERS } from "@homing/forwarder/settings";
import * as z from "zod";
import { ALWAYS, fileName, srsDomain, wholeNumber } from "./setting-types.ts";

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

export const srs = z
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
    keptSenders: wholeNumber(1000, 1_000_000)
      .default(KEPT_SENDERS.inAll)
      .describe("Senders that do not fit into an address, kept in `stateDirectory`; 451 for more.")
      .meta({
        notes:
          "most bulk mail has such a sender, one for each message. Each is kept for `maxAgeDays` and two days, so 250,000 " +
          "are 10,900 new ones a day. So many take 53 MB of memory, 50 MB of the disk and 1.7 s at the start; what is not there " +
          "takes nothing.",
      }),
    keptSendersPerNetwork: wholeNumber(100, 1_000_000)
      .default(KEPT_SENDERS.perNetwork)
      .describe("Of those, for one IPv4 /24 or IPv6 /48, while more than half of `keptSenders` are there.")
      .meta({
        notes:
          "before that, a lone big sender may use what nobody else needs. `trustedNetworks` and relays have no quota: the mail " +
          "of others comes from there. Let such a server tell its clients (`xclientNetworks`), and each has its own.",
      }),
  })
  .superRefine(checkTogether, ALWAYS)
  .describe("How envelope senders are rewritten.");
