// What is measured: bounces in so many sessions, over connections with one or with many.
// Called by main.ts to run them and by report.ts for their titles.
import { type Cell, CONNECTIONS, SESSIONS, sessionsTitle } from "../mta/cells.ts";

export type ReturnsCell = Pick<Cell, "connection" | "sessions">;

export const RETURNS_CELLS: readonly ReturnsCell[] = CONNECTIONS.toReversed().flatMap((connection) =>
  SESSIONS.map((sessions) => ({ connection, sessions })),
);

/** `one-10`. */
export function returnsCellName({ connection, sessions }: ReturnsCell): string {
  return `${connection}-${sessions}`;
}

export function returnsCellTitle(cell: ReturnsCell): string {
  return `bounces of 4 KB, ${sessionsTitle(cell)}`;
}
