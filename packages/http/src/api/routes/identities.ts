// Identities: addresses of users, and whether the site may send in their name. Called by ../routes.ts.
import { CONFIRMED, PENDING, REVOKED } from "../examples.ts";
import { siteRoute } from "../route.ts";
import { Identity, IdentityRequest, NoQuery } from "../schemas.ts";

export const IDENTITY_ROUTES = [
  siteRoute({
    method: "POST",
    path: "/v1/identities",
    operationId: "requestIdentity",
    tag: "Identities",
    summary: "Ask a user to confirm an address",
    description:
      "Mails a link with fixed wording to the address. Opening it shows a page; a button on that page confirms. " +
      "One such mail goes to an address in a day, whichever site asks.",
    query: NoQuery,
    body: IdentityRequest,
    examples: {
      asked: {
        summary: "A user who has never confirmed",
        value: { address: PENDING.address, returnUrl: "https://site.example/account" },
      },
      confirmed: { summary: "One who has", value: { address: CONFIRMED.address } },
    },
    answers: [
      {
        status: 202,
        description: "The link was mailed.",
        schema: Identity,
        examples: { asked: PENDING },
      },
      {
        status: 200,
        description: "The address is confirmed already. Nothing was mailed.",
        schema: Identity,
        examples: { confirmed: CONFIRMED },
      },
    ],
    problems: ["confirmation-pending", "return-url-not-allowed", "recipient-suppressed", "limit-site"],
    handle: async ({ service, site, body }) => {
      const asked = await service.identities.request(site, body);
      return asked.ok ? { ok: true, status: asked.mailed ? 202 : 200, body: asked.identity } : asked;
    },
  }),
  siteRoute({
    method: "GET",
    path: "/v1/identities/{identity}",
    operationId: "getIdentity",
    tag: "Identities",
    summary: "Read an identity",
    query: NoQuery,
    answers: [
      {
        status: 200,
        description: "It is there, in whichever state.",
        schema: Identity,
        examples: { answer: CONFIRMED },
      },
    ],
    problems: ["not-found"],
    handle: async ({ service, site, part }) => {
      const found = await service.identities.find(site, part);
      return found.ok ? { ok: true, status: 200, body: found.identity } : found;
    },
  }),
  siteRoute({
    method: "DELETE",
    path: "/v1/identities/{identity}",
    operationId: "revokeIdentity",
    tag: "Identities",
    summary: "Let go of an identity",
    description: "The user can do the same, with a link that is mailed to him.",
    query: NoQuery,
    answers: [
      {
        status: 200,
        description: "Nothing more is sent in its name.",
        schema: Identity,
        examples: { answer: REVOKED },
      },
    ],
    problems: ["not-found"],
    handle: async ({ service, site, part }) => {
      const revoked = await service.identities.revoke(site, part);
      return revoked.ok ? { ok: true, status: 200, body: revoked.identity } : revoked;
    },
  }),
];
