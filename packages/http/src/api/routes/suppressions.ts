// Recipients to whom the site's mail is not sent. Called by ../routes.ts.
import { SUPPRESSED, SUPPRESSED_BY_HAND } from "../examples.ts";
import { siteRoute } from "../route.ts";
import { NoQuery, PageQuery, Suppression, SuppressionList, SuppressionRequest } from "../schemas.ts";

export const SUPPRESSION_ROUTES = [
  siteRoute({
    method: "GET",
    path: "/v1/suppressions",
    operationId: "listSuppressions",
    tag: "Suppressions",
    summary: "List suppressed recipients",
    query: PageQuery,
    answers: [
      {
        status: 200,
        description: "Those behind `after`.",
        schema: SuppressionList,
        examples: { answer: { suppressions: [SUPPRESSED] } },
      },
    ],
    problems: [],
    handle: async ({ service, site, query }) => {
      const listed = await service.suppressions.list(site, query.after, query.limit);
      if (!listed.ok) return listed;
      const { suppressions, next } = listed;
      return { ok: true, status: 200, body: { suppressions, ...(next === undefined ? {} : { next }) } };
    },
  }),
  siteRoute({
    method: "POST",
    path: "/v1/suppressions",
    operationId: "addSuppression",
    tag: "Suppressions",
    summary: "Suppress a recipient",
    query: NoQuery,
    body: SuppressionRequest,
    examples: { asked: { summary: "He asked the site", value: { address: SUPPRESSED_BY_HAND.address } } },
    answers: [
      {
        status: 200,
        description: "The recipient is suppressed, now or since before.",
        schema: Suppression,
        examples: { asked: SUPPRESSED_BY_HAND },
      },
    ],
    problems: ["limit-site"],
    handle: async ({ service, site, body }) => {
      const added = await service.suppressions.add(site, body.address);
      return added.ok ? { ok: true, status: 200, body: added.suppression } : added;
    },
  }),
  siteRoute({
    method: "DELETE",
    path: "/v1/suppressions/{address}",
    operationId: "removeSuppression",
    tag: "Suppressions",
    summary: "Send to a recipient again",
    description: "What the recipient himself wants cannot be taken away by a site.",
    query: NoQuery,
    answers: [{ status: 204, description: "The recipient is not suppressed by this site any more." }],
    problems: ["not-found", "recipient-suppressed"],
    handle: async ({ service, site, part }) => {
      const removed = await service.suppressions.remove(site, part);
      return removed.ok ? { ok: true, status: 204 } : removed;
    },
  }),
];
