// The examples of the OpenAPI document; a test sends each, and gets the answer that stands here. Called by the routes.

const AT = 1_790_000_000;
const DAY = 86_400;

export const PENDING = {
  id: "idn_4pXqT1",
  site: "cards",
  address: "alice@example.org",
  scope: "user",
  status: "pending",
  requestedAt: AT,
  expires: AT + DAY,
} as const;

export const CONFIRMED = {
  id: "idn_8sWm2c",
  site: "cards",
  address: "bob@example.org",
  scope: "user",
  status: "confirmed",
  requestedAt: AT - 120,
  confirmedAt: AT - 60,
  expires: AT - 60 + 180 * DAY,
  proof: "mTzD3q…",
} as const;

export const REVOKED = {
  id: CONFIRMED.id,
  site: "cards",
  address: "bob@example.org",
  scope: "user",
  status: "revoked",
  requestedAt: AT - 120,
  confirmedAt: AT - 60,
  expires: AT - 60 + 180 * DAY,
  revokedAt: AT,
} as const;

export const ON_BEHALF = {
  profile: "on-behalf",
  onBehalfOf: CONFIRMED.id,
  name: "Bob",
  to: "carol@example.net",
  subject: "An article for you",
  text: "Look at this: https://site.example/articles/1",
  reference: "article-1",
} as const;

export const TRANSACTIONAL = {
  profile: "transactional",
  to: ["dave@example.net"],
  subject: "Your ticket 7",
  text: "It is solved.",
  html: "<p>It is solved.</p>",
  replyTo: "help@site.example",
} as const;

export const SENT = {
  id: "msg_Zk81vQ",
  profile: "on-behalf",
  createdAt: AT,
  from: {
    address: "cards@site.example",
    mode: "site",
    reason: 'The site\'s address is in From because _dmarc.example.org asks receivers for "reject"',
  },
  subject: ON_BEHALF.subject,
  reference: ON_BEHALF.reference,
  recipients: [{ address: "carol@example.net", status: "queued" }],
} as const;

export const SENT_BY_SITE = {
  id: "msg_a07Hdt",
  profile: "transactional",
  createdAt: AT,
  from: { address: "cards@site.example", mode: "site", reason: "The site itself writes" },
  subject: TRANSACTIONAL.subject,
  recipients: [{ address: "dave@example.net", status: "queued" }],
} as const;

export const BOUNCED = {
  ...SENT,
  recipients: [{ address: "carol@example.net", status: "bounced", enhanced: "5.1.1", at: AT + 30 }],
} as const;

export const SUPPRESSED = {
  address: "carol@example.net",
  reason: "bounce",
  since: AT + 30,
  enhanced: "5.1.1",
} as const;

export const SUPPRESSED_BY_HAND = { address: "erin@example.net", reason: "manual", since: AT } as const;

export const EVENTS = {
  events: [
    {
      id: "001790000030-000000",
      type: "bounce.returned",
      at: AT + 30,
      data: {
        message: SENT.id,
        recipient: "carol@example.net",
        reference: "article-1",
        user: "bob@example.org",
        enhanced: "5.1.1",
        class: "hard",
      },
    },
  ],
  next: "001790000030-000000",
} as const;
