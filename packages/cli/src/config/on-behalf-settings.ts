// The map `onBehalf`: web sites that send mail for their users. Called by schema.ts.
import { SITE_LIMITS } from "@homing/on-behalf/site";
import { parseMailbox } from "@homing/srs-core";
import * as z from "zod";
import { ALWAYS, domain, fileName, wholeNumber } from "./setting-types.ts";

const address = z
  .string()
  .transform((text, context) => {
    const parsed = parseMailbox(text);
    if (parsed.ok) return parsed.mailbox;
    context.addIssue({ code: "custom", message: `${parsed.message}: write it as cards@site.example` });
    return z.NEVER;
  })
  .meta({ type: "address", typeMeaning: "`cards@site.example`, without a name and without angle brackets" });

const returnUrl = z
  .string()
  .refine(
    isReturnUrl,
    "is no beginning of a URL of the site: write it with its path, as in https://site.example/",
  )
  .meta({ type: "URL" });

const MAX_A_DAY = 10_000_000;
/** Of the mails of one request, all in one transaction. */
const MAX_RECIPIENTS = 50;

const limits = z
  .strictObject({
    userPerDay: wholeNumber(1, MAX_A_DAY)
      .default(SITE_LIMITS.userPerDay)
      .describe("Messages of one user in 24 hours."),
    recipients: wholeNumber(1, MAX_RECIPIENTS)
      .default(SITE_LIMITS.recipients)
      .describe("Recipients of one message."),
    recipientPerDay: wholeNumber(1, MAX_A_DAY)
      .default(SITE_LIMITS.recipientPerDay)
      .describe("Messages to one recipient in 24 hours."),
    visitorPerDay: wholeNumber(1, MAX_A_DAY)
      .default(SITE_LIMITS.visitorPerDay)
      .describe("Messages from one visitor's IP address in 24 hours; of IPv6 from its /64."),
    sitePerDay: wholeNumber(1, MAX_A_DAY)
      .default(SITE_LIMITS.sitePerDay)
      .describe("Messages of the whole site in 24 hours."),
  })
  .prefault({})
  .describe("How much may be sent; whoever is over it hears when to come again.");

const MAX_TITLE = 60;

const site = z.strictObject({
  title: z
    .string()
    .refine(
      isTitle,
      `is no name for people: write 1 to ${MAX_TITLE} characters, none of them < > " @ or one that is not seen (such as ` +
        "a line break), and no blanks around them",
    )
    .describe("The site's name for people: it stands in From and in confirmations.")
    .meta({ example: "Example Cards" }),
  from: address.describe("In From of its mail.").meta({ example: "cards@site.example" }),
  fromMode: z
    .enum(["auto", "site", "user"])
    .default("auto")
    .describe("Whose address stands in From: the user's where DMARC of his domain permits it, or the site's.")
    .meta({ notes: "`user` refuses mail of users whose domain does not permit it." }),
  bounceDomain: domain
    .describe("SRS addresses of its mail are at it, so its MX must be this server; of this site alone.")
    .meta({
      example: "bounce.site.example",
      notes:
        "below the domain of `from`, so that SPF of it counts for DMARC; its SPF record names this server.",
    }),
  returnTo: address
    .optional()
    .describe("Gets bounces to mail of the site itself.")
    .meta({ without: "`from`", example: "bounces@site.example" }),
  keysFile: fileName.describe("Site keys, one a line, newest first; mode 600.").meta({
    example: "cards.keys",
    notes: "as a [secrets file](#secrets-file): `homing secrets` looks after it.",
  }),
  secretsFile: fileName
    .optional()
    .describe(
      "Secrets of its SRS addresses, where the site makes some itself, as the nodemailer plug-in does.",
    )
    .meta({
      without: "made from `srs.secretsFile`",
      example: "cards.secrets",
      notes:
        "of this site alone. Without it, each bounce domain has secrets of its own, made from those of `srs`.",
    }),
  returnUrls: z
    .array(returnUrl)
    .default([])
    .describe("Beginnings of URLs that a user may be led back to from the page that confirms.")
    .meta({ example: ["https://site.example/"] }),
  profiles: z
    .array(z.enum(["on-behalf", "unimportant", "transactional"]))
    .min(1, "is empty: name what the site may send")
    .default(["on-behalf"])
    .describe("What the site may send, see [on-behalf.md](on-behalf.md)."),
  limits,
});

/** In what a recipient wants no more of. */
const EVERY_SITE = "all";
const SITE_NAME = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/;

const sites = z
  .record(z.string().meta({ type: "name" }), site)
  .superRefine(checkNames, ALWAYS)
  .describe("The sites, by their names: a name is what a site logs in with.")
  .meta({
    example: {
      cards: {
        title: "Example Cards",
        from: "cards@site.example",
        bounceDomain: "bounce.site.example",
        returnTo: "bounces@site.example",
        keysFile: "cards.keys",
        returnUrls: ["https://site.example/"],
      },
    },
  });

export const onBehalf = z
  .strictObject({
    keysFile: fileName
      .describe("Keys that sign links in mail, one a line, newest first; the newest two count; mode 600.")
      .meta({
        example: "on-behalf.keys",
        notes: "as a [secrets file](#secrets-file). A key that is taken out ends the links that it signed.",
      }),
    sites,
  })
  .describe(
    "Web sites that send mail for users whose address they had confirmed, see [on-behalf.md](on-behalf.md).",
  )
  .meta({ notes: "it needs `http`, where links lead and sites ask, and `stateDirectory`." });

function checkNames(named: unknown, context: z.RefinementCtx): void {
  if (typeof named !== "object" || named === null) return;
  for (const name of Object.keys(named)) {
    if (SITE_NAME.test(name) && name !== EVERY_SITE) continue;
    const message =
      name === EVERY_SITE
        ? "stands for every site: choose another name"
        : "is no name of a site: write up to 40 small letters, digits and hyphens, as in cards";
    context.addIssue({ code: "custom", path: [name], message });
  }
}

function isTitle(text: string): boolean {
  return (
    text.trim() === text &&
    text.length >= 1 &&
    text.length <= MAX_TITLE &&
    !/[\p{C}\p{Zl}\p{Zp}<>"@]/u.test(text)
  );
}

/** As a beginning it must end where a part of a URL ends: https://site.example is one of https://site.example.evil.example. */
function isReturnUrl(text: string): boolean {
  if (!URL.canParse(text) || !/^https?:\/\/[^\s\\@?#]+\/$/.test(text)) return false;
  return new URL(text).href === text;
}
