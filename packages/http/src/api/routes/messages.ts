// Messages of the site and of its users. Called by ../routes.ts.
import { BOUNCED, ON_BEHALF, SENT, SENT_BY_SITE, TRANSACTIONAL } from "../examples.ts";
import { siteRoute } from "../route.ts";
import { Message, MessageRequest, NoQuery } from "../schemas.ts";

export const MESSAGE_ROUTES = [
  siteRoute({
    method: "POST",
    path: "/v1/messages",
    operationId: "sendMessage",
    tag: "Messages",
    summary: "Send a message",
    description:
      "It is on the disk before it is answered, for each recipient, or for none. With an Idempotency-Key the same request " +
      "can be sent again, for 24 hours, and leads to one message: do so after a broken connection, and after 503.",
    query: NoQuery,
    body: MessageRequest,
    idempotent: true,
    examples: {
      onBehalf: { summary: "For a user who confirmed his address", value: ON_BEHALF },
      transactional: { summary: "From the site itself", value: TRANSACTIONAL },
    },
    answers: [
      {
        status: 202,
        description: "It is in the queue.",
        schema: Message,
        examples: { onBehalf: SENT, transactional: SENT_BY_SITE },
      },
      {
        status: 200,
        description: "It was sent before, with the same Idempotency-Key: this is the answer of then.",
        schema: Message,
        headers: { "Idempotent-Replayed": "`true`" },
        examples: { repeated: SENT },
      },
    ],
    problems: [
      "profile-not-allowed",
      "identity-not-confirmed",
      "too-many-recipients",
      "recipient-suppressed",
      "visitor-rules",
      "from-not-permitted",
      "sender-too-long",
      "message-too-large",
      "limit-user",
      "limit-recipient",
      "limit-visitor",
      "limit-site",
      "idempotency-key-invalid",
      "idempotency-conflict",
      "idempotency-under-way",
    ],
    handle: async ({ service, site, body, idempotencyKey }) => {
      const to = typeof body.to === "string" ? [body.to] : body.to;
      const sent = await service.messages.send(site, { ...body, to }, idempotencyKey);
      if (!sent.ok) return sent;
      return sent.repeated
        ? { ok: true, status: 200, body: sent.message, headers: { "Idempotent-Replayed": "true" } }
        : { ok: true, status: 202, body: sent.message };
    },
  }),
  siteRoute({
    method: "GET",
    path: "/v1/messages/{message}",
    operationId: "getMessage",
    tag: "Messages",
    summary: "Read what became of a message",
    query: NoQuery,
    answers: [
      {
        status: 200,
        description: "Its recipients, each with a status.",
        schema: Message,
        examples: { answer: BOUNCED },
      },
    ],
    problems: ["not-found"],
    handle: async ({ service, site, part }) => {
      const found = await service.messages.find(site, part);
      return found.ok ? { ok: true, status: 200, body: found.message } : found;
    },
  }),
];
