// The map `domainSettings`: what holds for one domain alone. Called by schema.ts.
import { parseRefusal, UNKNOWN_ADDRESS } from "@homing/forwarder/settings";
import * as z from "zod";
import { authenticationOfDomain } from "./authentication-settings.ts";
import { bouncesOfDomain } from "./bounce-settings.ts";
import { ALWAYS, checkDomainNames, domainName, srsDomain } from "./setting-types.ts";

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
  bounces: bouncesOfDomain
    .optional()
    .describe("What becomes of bounces to mail for its addresses.")
    .meta({ without: "`bounces`" }),
  authentication: authenticationOfDomain
    .optional()
    .describe("Who may send to its addresses.")
    .meta({ without: "`authentication`" }),
});

/** Keys become A-labels in lower case; two spellings of one domain are a mistake. */
export const settingsByDomain = z
  .record(z.string().meta({ type: "domain" }), ofOneDomain)
  .superRefine(checkDomainNames, ALWAYS)
  .transform((settings) =>
    Object.fromEntries(Object.entries(settings).map(([text, values]) => [domainName(text), values])),
  );
