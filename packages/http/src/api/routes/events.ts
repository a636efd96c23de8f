// What happened, for the site to ask for. Called by ../routes.ts.
import { EVENTS } from "../examples.ts";
import { siteRoute } from "../route.ts";
import { EventList, PageQuery } from "../schemas.ts";

export const EVENT_ROUTES = [
  siteRoute({
    method: "GET",
    path: "/v1/events",
    operationId: "listEvents",
    tag: "Events",
    summary: "List what happened",
    description: "Keep `next` with what you have done, and ask again with it as `after`.",
    query: PageQuery,
    answers: [
      {
        status: 200,
        description: "Events behind `after`, oldest first.",
        schema: EventList,
        examples: { answer: EVENTS },
      },
    ],
    problems: [],
    handle: async ({ service, site, query }) => {
      const listed = await service.events.list(site, query.after, query.limit);
      if (!listed.ok) return listed;
      return { ok: true, status: 200, body: { events: listed.events, next: listed.next } };
    },
  }),
];
