// The public names of bounce-handler.
export { composeDsn, type Dsn } from "./compose/compose-dsn.ts";
export { type Admission, type BounceGate, createBounceGate, NOT_A_BOUNCE } from "./gate.ts";
