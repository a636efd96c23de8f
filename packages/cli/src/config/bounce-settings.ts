// The map `bounces`, and what of it may hold for one domain or one alias alone. Called by schema.ts and
// domain-settings.ts.
import type { ReturnClass, ReturnWay } from "@homing/forwarder";
import { BOUNCE_SETTINGS, bounceSettingsKey } from "@homing/forwarder/settings";
import { parseMailbox } from "@homing/srs-core";
import * as z from "zod";
import { ALWAYS } from "./setting-types.ts";

const WAYS = ["reissue", "verbatim", "owner", "both", "silent"] as const satisfies readonly ReturnWay[];
const CLASSES = [
  "hard",
  "soft",
  "policy",
  "spam",
  "delay",
  "success",
] as const satisfies readonly ReturnClass[];

const way = z
  .enum(WAYS, {
    error: ({ input }) => `${shown(input)} is no way for a bounce: write ${inWords(WAYS)}`,
  })
  .meta({ type: "way", typeMeaning: `${inCode(WAYS)}, see [bounces](#bounces)` });

const wayByDefault = way.default("reissue");

/** Those that are left out are reissued. */
const wayByClass = z.strictObject({
  hard: wayByDefault.describe("The address is wrong or gone, or nobody says why."),
  soft: wayByDefault.describe("The mailbox is full, or time ran out."),
  policy: wayByDefault.describe("A rule of the receiver: sender authentication, attachments, rights."),
  spam: wayByDefault.describe("Refused as spam, or for the reputation of a server."),
  delay: wayByDefault.describe("Not delivered yet, and still tried."),
  success: wayByDefault.describe("Delivered, and the sender had asked to hear of it."),
});

/** Those that are left out are as they are for everybody. */
const wayBySomeClass = z.partialRecord(
  // A key of z.enum that is wrong would be told as a setting that is not there.
  z
    .custom<ReturnClass>(isClass, {
      error: ({ input }) => `${shown(input)} is no class: write ${inWords(CLASSES)}`,
    })
    .meta({ type: "class", typeMeaning: inCode(CLASSES) }),
  way,
);

const mailbox = z
  .string()
  .transform((text, context) => {
    const parsed = parseMailbox(text);
    if (parsed.ok) return parsed.mailbox;
    context.addIssue({
      code: "custom",
      message: `${parsed.message}: write an address such as postmaster@forwarder.example`,
    });
    return z.NEVER;
  })
  .meta({ type: "address", typeMeaning: "`postmaster@forwarder.example`" });

const diagnostic = z.enum(["none", "code", "redacted"]);
const autoReplies = z.enum(["refuse", "forward"]);
const DIAGNOSTIC =
  "What a re-issued bounce says of the remote's reply: nothing, its codes, its common words, too.";
const RETURN = "What becomes of a bounce, in one way for all or by class.";
const OWNER = "Gets what goes to the owner of an alias.";
const AUTO_REPLIES =
  "Automatic replies of a recipient, as of vacation programs: refused, or forwarded to the sender.";

/** @param without what holds where a setting is left out */
function someSettings(without: (name: string) => string) {
  return z.strictObject({
    diagnostic: diagnostic
      .optional()
      .describe(DIAGNOSTIC)
      .meta({ without: without("diagnostic") }),
    return: z
      .union([way, wayBySomeClass])
      .optional()
      .describe(RETURN)
      .meta({ without: without("return") }),
    owner: mailbox
      .optional()
      .describe(OWNER)
      .meta({ without: without("owner") }),
    autoReplies: autoReplies
      .optional()
      .describe(AUTO_REPLIES)
      .meta({ without: without("autoReplies") }),
  });
}

export const bouncesOfDomain = someSettings((name) => `\`bounces.${name}\``);
const bouncesOfAlias = someSettings((name) => `that of its domain, or \`bounces.${name}\``);

export type SomeBounceSettings = z.output<typeof bouncesOfDomain>;

/** Keys stay as they are written, for messages that need their place: bounce-policy.ts compares them. */
const settingsByAlias = z
  .record(z.string().meta({ type: "alias", typeMeaning: "an address at one of `domains`" }), bouncesOfAlias)
  .superRefine(checkAliases, ALWAYS);

export const bounces = z
  .strictObject({
    diagnostic: diagnostic.default(BOUNCE_SETTINGS.diagnostic).describe(DIAGNOSTIC),
    return: z
      .union([way, wayByClass])
      .default("reissue")
      .describe(RETURN)
      .meta({
        example: {
          hard: "reissue",
          soft: "reissue",
          policy: "reissue",
          spam: "owner",
          delay: "reissue",
          success: "reissue",
        },
        notes: "`verbatim` gives the private address away: see [bounces](#bounces).",
      }),
    owner: mailbox
      .optional()
      .describe(OWNER)
      .meta({ without: "postmaster at the alias's domain", example: "list-owner@forwarder.example" }),
    autoReplies: autoReplies.default(BOUNCE_SETTINGS.autoReplies).describe(AUTO_REPLIES),
    remember: z
      .enum(["none", "headers"])
      .default("none")
      .describe(
        "Whether a sender's identifiers and header are kept for seven days, to come back to him with a bounce.",
      )
      .meta({
        notes:
          "`headers` keeps ENVID, ORCPT and NOTIFY, and Message-ID, Date, Subject, From and To (4 KiB at most), of each " +
          "message that leaves an alias with a rewritten sender, in `stateDirectory`: 256 MB at most, then the oldest go. " +
          "Whoever reads that folder reads with whom the aliases have mail.",
      }),
    aliases: settingsByAlias
      .default({})
      .describe("What holds for one alias alone.")
      .meta({ example: { "bob@forwarder.example": { return: "owner" } } }),
  })
  .prefault({})
  .describe("What becomes of bounces to mail that was forwarded.");

function checkAliases(settings: unknown, context: z.RefinementCtx): void {
  if (typeof settings !== "object" || settings === null) return;
  const seen = new Set<string>();
  for (const text of Object.keys(settings)) {
    const parsed = parseMailbox(text);
    const wrong = (message: string): void => context.addIssue({ code: "custom", path: [text], message });
    if (!parsed.ok) {
      wrong(`${parsed.message}: write the whole address of an alias, such as bob@forwarder.example`);
      continue;
    }
    const key = bounceSettingsKey(parsed.mailbox);
    if (seen.has(key)) wrong("is a second spelling of this alias: keep one");
    seen.add(key);
  }
}

function isClass(text: unknown): boolean {
  return CLASSES.some((name) => name === text);
}

function shown(input: unknown): string {
  return typeof input === "string" ? `"${input}"` : `${JSON.stringify(input)}`;
}

function inWords(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

function inCode(words: readonly string[]): string {
  return inWords(words.map((word) => `\`${word}\``));
}
