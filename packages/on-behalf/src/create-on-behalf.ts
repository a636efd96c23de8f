// The service for web sites, put together. Called by the composition root.
import { createIdentities } from "./identities/identities.ts";
import { manageUrl } from "./identities/links.ts";
import { createNeverList } from "./identities/never-list.ts";
import { createPeople } from "./identities/people.ts";
import { createAdmissions } from "./messages/admissions.ts";
import { createCounters } from "./messages/counters.ts";
import { withEvents } from "./messages/event-store.ts";
import { createEvents } from "./messages/events.ts";
import { createMessages } from "./messages/messages.ts";
import { createReturns } from "./messages/returns.ts";
import { createSuppressions } from "./messages/suppressions.ts";
import type { OnBehalf, OnBehalfOptions } from "./on-behalf.ts";
import { createSites } from "./sites.ts";
import { createSubmissions } from "./submissions/submissions.ts";

export function createOnBehalf(given: OnBehalfOptions): OnBehalf {
  const { now, rewriterOf } = given;
  const sites = createSites(given.sites);
  const events = createEvents({ store: given.store, sites: given.sites.map(({ name }) => name), now });
  // Before the forwarder has something to say, which does not wait for it.
  void events.begin();
  const store = withEvents(given.store, events);
  const options = { ...given, store };
  const never = createNeverList(store);
  const identities = createIdentities({ options, events, sites, never });
  const counters = createCounters(store);
  const admissions = createAdmissions({ store, identities, never, sites, counters, rewriterOf });
  const returns = createReturns({ store, sites, events });
  const sending = {
    ...{ admissions, events },
    manageUrl: (address: string, site: string) => manageUrl(options, address, site),
  };
  return {
    ...{ sites, identities, events, returns },
    people: createPeople({ options, events, sites, never }),
    messages: createMessages({ ...options, ...sending }),
    submissions: createSubmissions({ ...options, ...sending, identities, never, sites, returns }),
    suppressions: createSuppressions({ store, never, counters, events, sites, now }),
    manageUrl: sending.manageUrl,
    publicKeys: options.tokens.publicKeys,
  };
}
