// The shapes of what the API takes and gives: requests are checked with them, and the OpenAPI document is made from them.
// Lengths, addresses and all else that decides about a message are the matter of packages/on-behalf, which says more of what
// is wrong than a schema can. Called by the routes.
import { z } from "zod";
import { EVENTS_BY_NAME, Event } from "./event-schemas.ts";

/** Text that has an UTF-8 form: JSON can hold halves of surrogate pairs. */
const text = () => z.string().refine((value) => value.isWellFormed(), "holds half of a surrogate pair");
const address = () => text().describe("A mail address: alice@example.org, without a name and without <>.");
const seconds = () => z.int().describe("Unix seconds.");
const PROFILES = ["on-behalf", "unimportant", "transactional"] as const;

// --- what is taken -----------------------------------------------------------------------------------------------------------

export const IdentityRequest = z
  .strictObject({
    address: address(),
    scope: z
      .enum(["user", "visitor"])
      .default("user")
      .describe("`visitor`: somebody who is not logged in to the site. He may only send short notes."),
    returnUrl: text()
      .exactOptional()
      .describe("Where the user goes when he has confirmed. It begins with one of the site's `returnUrls`."),
  })
  .describe("Asks a user whether the site may send mail in his name.");

export const MessageRequest = z
  .strictObject({
    profile: z.enum(PROFILES),
    onBehalfOf: text()
      .exactOptional()
      .describe("Identity id or address of the user. Of profile `on-behalf` alone, and required there."),
    name: text().exactOptional().describe("The user's display name, up to 64 characters."),
    to: z
      .union([text(), z.array(text()).min(1).max(1000)])
      .describe("One address, or a list. Each recipient has a message of his own, and sees no other."),
    subject: text().describe("1 to 200 characters, in one line."),
    text: text().describe("Up to 100,000 characters; of a visitor 1,000."),
    html: text().exactOptional().describe("The same as HTML, up to 200,000 characters; of a visitor none."),
    replyTo: text()
      .exactOptional()
      .describe("Of `transactional` and `unimportant`; of `on-behalf` it is the user."),
    fromMode: z.enum(["auto", "site", "user"]).exactOptional().describe("Narrows the site's setting."),
    visitorIp: text()
      .exactOptional()
      .describe("IP address of the visitor's browser. Required where the identity has scope `visitor`."),
    reference: text()
      .exactOptional()
      .describe("Your own name for it, given back in events; up to 200 characters."),
  })
  .describe("A message of the site, or of one of its users.");

export const SuppressionRequest = z
  .strictObject({ address: address() })
  .describe("A recipient who is to get no more mail from the site.");

/** As a refusal names them. */
export const BODY_NAMES: ReadonlyMap<z.ZodType, string> = new Map<z.ZodType, string>([
  [IdentityRequest, "a request for an identity"],
  [MessageRequest, "a message"],
  [SuppressionRequest, "a suppression"],
]);

const limit = (most: number) =>
  z.preprocess(
    (value) => (typeof value === "string" && /^\d{1,4}$/.test(value) ? Number(value) : value),
    z.int().min(1).max(most),
  );

/** What a site reads at once; the rest begins at `next`. */
export const MAX_PAGE = 1000;

export const PageQuery = z.strictObject({
  after: z.string().max(512).exactOptional().describe("`next` of the answer before; empty: from the start."),
  limit: limit(MAX_PAGE).exactOptional().describe("How many at most."),
});

export const NoQuery = z.strictObject({});

// --- what is given -----------------------------------------------------------------------------------------------------------

export const Identity = z
  .object({
    id: z.string().describe("`idn_…`"),
    site: z.string(),
    address: address(),
    scope: z.enum(["user", "visitor"]),
    status: z
      .enum(["pending", "confirmed", "revoked", "expired"])
      .describe(
        "The user was asked and has not answered; he confirmed; he or the site ended it; he did not confirm within 24 hours, " +
          "or nothing was sent for 180 days.",
      ),
    requestedAt: seconds(),
    confirmedAt: seconds().optional(),
    expires: seconds().describe("Unix seconds. 180 days behind the confirmation or the last use."),
    lastUsedAt: seconds().optional(),
    revokedAt: seconds().optional(),
    proof: z
      .string()
      .optional()
      .describe(
        "Of a confirmed user: a token that says so to whoever has the public keys. Visitors have none.",
      ),
  })
  .describe("A user's address, and whether the site may send in its name.");

export const Message = z
  .object({
    id: z.string().describe("`msg_…`"),
    profile: z.enum(PROFILES),
    createdAt: seconds(),
    from: z
      .object({ address: z.string(), mode: z.enum(["site", "user"]), reason: z.string() })
      .describe("What stands in From, and why it is that."),
    subject: z.string(),
    reference: z.string().optional(),
    recipients: z.array(
      z.object({
        address: z.string(),
        status: z
          .enum(["queued", "delivered", "failed", "bounced"])
          .describe(
            "On its way; taken by the recipient's server; given up, or refused by that server; taken and returned later.",
          ),
        enhanced: z.string().optional().describe("Enhanced status code, RFC 3463."),
        at: seconds().optional(),
      }),
    ),
  })
  .describe("A message that was taken, and what became of it.");

export const Suppression = z
  .object({
    address: z.string(),
    reason: z
      .enum(["bounce", "manual", "recipient"])
      .describe("Mail came back; the site asked for it; the recipient himself wants no mail."),
    since: seconds(),
    enhanced: z.string().optional().describe("Of a bounce: enhanced status code, RFC 3463."),
  })
  .describe("A recipient to whom the site's mail is not sent.");

export const SuppressionList = z
  .object({
    suppressions: z.array(Suppression),
    next: z.string().optional().describe("For `after`. Not there at the end."),
  })
  .describe("Suppressions in the order of their addresses.");

export const EventList = z
  .object({
    events: z.array(Event),
    next: z.string().describe("For `after`, also where there are no events now: ask again later."),
  })
  .describe("Events, oldest first, kept for 30 days.");

export const KeyList = z
  .object({
    keys: z.array(
      z.object({
        kty: z.literal("OKP"),
        crv: z.literal("Ed25519"),
        x: z.string().describe("The public key: 32 octets as base64url."),
        kid: z.string().describe("First 8 characters of `x`; `k` in a token."),
        use: z.literal("sig"),
      }),
    ),
  })
  .describe("Public keys of tokens as a JWK Set (RFC 7517, RFC 8037), newest first.");

export const Problem = z
  .object({
    type: z.string().describe("URL of a page that explains it."),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What is wrong in this case."),
    field: z.string().optional().describe("Of the request, as a path: `to[1]`."),
    hint: z.string().optional().describe("What to do."),
  })
  .describe("Why something is not done. RFC 9457.");

/** Those with a name in the OpenAPI document. */
export const NAMED = {
  IdentityRequest,
  MessageRequest,
  SuppressionRequest,
  Identity,
  Message,
  Suppression,
  SuppressionList,
  ...EVENTS_BY_NAME,
  Event,
  EventList,
  KeyList,
  Problem,
} as const;
