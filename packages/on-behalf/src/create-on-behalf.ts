// The service for web sites, put together. Called by the composition root.
import { createIdentities } from "./identities/identities.ts";
import { manageUrl } from "./identities/links.ts";
import { createNeverList } from "./identities/never-list.ts";
import { createPeople } from "./identities/people.ts";
import { createAdmissions } from "./messages/admissions.ts";
import { createCounters } from "./messages/counters.ts";
import { createEvents } from "./messages/events.ts";
import { createMessages } from "./messages/messages.ts";
import { createReturns } from "./messages/returns.ts";
import { createSuppressions } from "./messages/suppressions.ts";
import type { OnBehalf, OnBehalfOptions } from "./on-behalf.ts";
import { createSites } from "./sites.ts";
import { createSubmissions } from "./submissions/submissions.ts";

export function createOnBehalf(options: OnBehalfOptions): OnBehalf {
  const { store, now, rewriterOf } = options;
  const sites = createSites(options.sites);
  const events = createEvents(store, now);
  const never = createNeverList(store);
  const identities = createIdentities(options, events);
  const counters = createCounters(store);
  const admissions = createAdmissions({ store, identities, never, counters, rewriterOf });
  const returns = createReturns({ store, sites, events });
  const sending = {
    ...{ admissions, events },
    manageUrl: (address: string, site: string) => manageUrl(options, address, site),
  };
  return {
    sites,
    identities,
    people: createPeople(options, events, sites),
    messages: createMessages({ ...options, ...sending }),
    submissions: createSubmissions({ ...options, ...sending, identities, never, returns }),
    suppressions: createSuppressions({ store, never, events, now }),
    events,
    returns,
    publicKeys: options.tokens.publicKeys,
  };
}
