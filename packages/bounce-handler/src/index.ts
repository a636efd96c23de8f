// The public names of bounce-handler.
export { type Admission, type BounceGate, createBounceGate, NOT_A_BOUNCE } from "./gate.ts";
