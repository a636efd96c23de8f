// The public names of mta-adapters.
export type { AdapterEvent, AdapterName, AdapterReport } from "./adapter-events.ts";
export type { LookUp, MapAnswer } from "./maps/map-answer.ts";
export { createOwnDomains, type OwnDomains } from "./maps/own-domains.ts";
export { createSrsMaps, type SrsMaps, type SrsMapsOptions } from "./maps/srs-maps.ts";
export { type AdapterListener, type AdapterPlace, listenAdapter } from "./wire/listener.ts";
export type { Protocol } from "./wire/protocol.ts";
