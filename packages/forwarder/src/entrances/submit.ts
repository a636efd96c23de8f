// What hands mail to a server, and nothing else of the forwarder: `homing sendmail` starts for every message, and the rest would
// cost it a third of its time. The package's entrance `@homing/forwarder/submit`.
export { type HostPort, parseHostPort } from "../host-port.ts";
export type { NextHop } from "../next-hops.ts";
export type { DsnRequest, RefusedRecipient } from "../outbound/attempt.ts";
export { type RecipientsAttempt, type SubmissionToAll, submitToAll } from "../outbound/submit-to-all.ts";
export { type Attempt, submit } from "../smtp-out.ts";
