// What is measured: bounces in so many sessions, over connections with one or with many.
// Called by main.ts to run them and by report.ts for their names.
import { CONNECTIONS, SESSIONS, type Sessions } from "../mta/cells.ts";

export const RETURNS_CELLS: readonly Sessions[] = CONNECTIONS.toReversed().flatMap((connection) =>
  SESSIONS.map((sessions) => ({ connection, sessions })),
);

/** `one-10`: here all are of bounces. */
export function returnsCellName({ connection, sessions }: Sessions): string {
  return `${connection}-${sessions}`;
}
