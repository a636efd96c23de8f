// What the control socket can be asked about the queue, and the shapes of the answers. Called by queue-handlers.ts and by
// `homing queue`.
import * as z from "zod";

const id = z.string().min(1).max(200);
/** A place in the queue; 0 is before its first message. */
const position = z.int().min(0);
const count = z.int().min(0);
/** Unix seconds. */
const time = z.int();

/** Entries in one answer. */
export const MAX_PAGE = 100;
/** Of one entry of a list; `counts` has them all. */
export const MAX_LISTED_RECIPIENTS = 100;

export const listQuestion = z.strictObject({
  kind: z.literal("queue-list"),
  after: position,
  limit: z.int().min(1).max(MAX_PAGE),
  /** Parts of addresses. Of a recipient the target and the alias are looked at. */
  recipient: z.string().max(1000).optional(),
  sender: z.string().max(1000).optional(),
});
export const showQuestion = z.strictObject({ kind: z.literal("queue-show"), id });
export const contentQuestion = z.strictObject({ kind: z.literal("queue-content"), id });
export const retryQuestion = z.strictObject({ kind: z.literal("queue-retry"), id });
export const retryAllQuestion = z.strictObject({ kind: z.literal("queue-retry-all"), after: position });
export const dropQuestion = z.strictObject({ kind: z.literal("queue-drop"), id });

export type ListQuestion = z.infer<typeof listQuestion>;

/** The states of docs/queue.md. */
const counts = z.object({ due: count, waiting: count, leased: count });

const recipient = z.object({
  /** The target, which the sender must not learn. */
  recipient: z.string(),
  alias: z.string(),
  state: z.enum(["due", "waiting", "leased"]),
  due: time,
  /** With the one that runs. */
  attempts: count,
  /** When the sender was told of the delay. */
  delayToldAt: time.optional(),
  lastFailure: z.object({ code: z.int(), enhanced: z.string(), detail: z.string() }).optional(),
});

const message = z.object({
  id: z.string(),
  received: time,
  expires: time,
  octets: count,
  /** "" is the null sender. */
  sender: z.string(),
  counts,
});

const listedMessage = z.object({ ...message.shape, recipients: z.array(recipient) });
const shownMessage = z.object({
  ...message.shape,
  eightBit: z.boolean(),
  smtpUtf8: z.boolean(),
  header: z.string(),
});
const shownRecipient = z.object({
  ...recipient.shape,
  reversePath: z.string(),
  stays: z.boolean(),
  /** Who hears of a failure: `sender`, `nobody`, or the address of an owner. */
  notify: z.string(),
  /** Our Received field. */
  trace: z.string(),
});

export type QueueCounts = z.infer<typeof counts>;
export type ListedMessage = z.infer<typeof listedMessage>;
export type ListedRecipient = z.infer<typeof recipient>;
export type ShownMessage = z.infer<typeof shownMessage>;
export type ShownRecipient = z.infer<typeof shownRecipient>;

const nothing = z.looseObject({});

/** `next` is where the list goes on, with or without items in between; without it that was all. */
export const listAnswer = { item: listedMessage, end: z.object({ next: position.optional() }) };
/** Items are its recipients. Without a message there is none of that id. */
export const showAnswer = { item: shownRecipient, end: z.object({ message: shownMessage.optional() }) };
/** Items are its octets, in base64. */
export const contentAnswer = {
  item: z.object({ octets: z.string() }),
  end: z.object({ found: z.boolean() }),
};
export const retryAnswer = {
  item: nothing,
  /** How many recipients were made due, were so already, and are being tried. */
  end: z.object({ found: z.boolean(), retried: count, due: count, leased: count }),
};
export const retryAllAnswer = {
  item: nothing,
  end: z.object({ messages: count, retried: count, next: position.optional() }),
};
export const dropAnswer = { item: nothing, end: z.object({ message: listedMessage.optional() }) };
