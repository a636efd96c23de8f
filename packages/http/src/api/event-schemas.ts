// The shapes of events: one for each type, with what `data` has then. Who writes them: packages/on-behalf, wherever
// `events.fact` is called. Called by schemas.ts.
import type { EventType } from "@homing/on-behalf";
import { z } from "zod";

const text = (description: string) => z.string().describe(description);
const message = text("Id of the message, `msg_…`.");
const recipient = text("The recipient's address.");
const reference = text("As the message had it.").optional();
const enhanced = text("Enhanced status code, RFC 3463.");
const failureClass = text("Class of the failure: `hard`, `soft`, `policy`, `spam` and others.");

const ofIdentity = {
  identity: text("Its id, `idn_…`."),
  address: text("The user's address."),
  scope: z.enum(["user", "visitor"]),
};

function event<Type extends EventType, Data extends z.ZodRawShape>(
  type: Type,
  data: Data,
  description: string,
) {
  return z
    .object({
      id: text("For `after`. In the order of time."),
      type: z.literal(type),
      at: z.int().describe("Unix seconds."),
      data: z.object(data),
    })
    .describe(description);
}

const BY_TYPE = {
  "identity.pending": event("identity.pending", ofIdentity, "A user was asked to confirm his address."),
  "identity.confirmed": event("identity.confirmed", ofIdentity, "The user pressed the button."),
  "identity.revoked": event(
    "identity.revoked",
    { ...ofIdentity, by: z.enum(["person", "site"]).describe("Who ended it.") },
    "An identity, or the question for it, was ended.",
  ),
  "message.queued": event(
    "message.queued",
    {
      message,
      profile: z.enum(["on-behalf", "unimportant", "transactional"]),
      recipients: z.int().describe("How many."),
      reference,
    },
    "A message was taken.",
  ),
  "message.delivered": event(
    "message.delivered",
    { message, recipient },
    "The recipient's server took the message. It may return it still.",
  ),
  "message.failed": event(
    "message.failed",
    { message, recipient, enhanced, class: failureClass },
    "The recipient's server refused the message, or could not be reached for days.",
  ),
  "bounce.returned": event(
    "bounce.returned",
    {
      message: message.optional(),
      recipient: recipient.optional(),
      reference,
      user: text("To whom it went: the user, or `returnTo` of the site."),
      enhanced,
      class: failureClass,
    },
    "A message that was taken came back. Without `message` it is not known which: the plug-in sent it, or mail to several " +
      "recipients has one return path.",
  ),
  "bounce.eaten": event(
    "bounce.eaten",
    { day: text("UTC, as 2026-09-21."), count: z.int().describe("On this day so far.") },
    "A bounce to mail of profile `unimportant` was thrown away. One event each for the first 100 of a day, then fewer.",
  ),
  "recipient.suppressed": event(
    "recipient.suppressed",
    { recipient, reason: z.enum(["bounce", "manual"]), enhanced: enhanced.optional() },
    "Nothing more is sent to the recipient by this site.",
  ),
  "recipient.never": event(
    "recipient.never",
    {
      address: text("Whose wish it is."),
      all: z.boolean().describe("From no site, not only not from this one."),
    },
    "A recipient wants no more mail.",
  ),
} satisfies Readonly<Record<EventType, z.ZodType>>;

/** `IdentityPending` */
export const EVENTS_BY_NAME: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  Object.entries(BY_TYPE).map(([type, schema]) => [nameOf(type), schema]),
);

/** So that generated programs know each type: OpenAPI 3.1 §4.8.25. */
const discriminator = {
  propertyName: "type",
  mapping: Object.fromEntries(
    Object.keys(BY_TYPE).map((type) => [type, `#/components/schemas/${nameOf(type)}`]),
  ),
};

const { "identity.pending": first, ...others } = BY_TYPE;

export const Event = z
  .discriminatedUnion("type", [first, ...Object.values(others)])
  .describe("Something that happened. `data` depends on `type`.")
  .meta({ discriminator });

function nameOf(type: string): string {
  return type.replace(/(?:^|\.)[a-z]/g, (start) => (start.at(-1) ?? "").toUpperCase());
}
