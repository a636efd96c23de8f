// How large the stories of the fault suite are: short in `npm test`, full in `npm run test:faults`. Called by all of them.

const isFull = process.env.HOMING_FAULTS === "full";

export function scale<T>(short: T, full: T): T {
  return isFull ? full : short;
}

/** For everything that a story waits for: never a measure of speed. */
export const PATIENCE_SECONDS = scale(30, 300);
export const timeout = 2 * PATIENCE_SECONDS * 1000;

/** Names what is drawn at random: `HOMING_SEED=… npm run test:faults` draws the same again. */
export const SEED = Number(process.env.HOMING_SEED ?? process.pid);
