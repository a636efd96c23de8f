// What is measured: a cell is one size of mail, number of sessions and use of connections.
// Called by options.ts to choose some, by main.ts to run them and by report.ts for their titles.

export interface Cell {
  /** Octets of a message. */
  readonly size: 4000 | 100_000;
  readonly connection: "many" | "one";
  readonly sessions: number;
}

const SIZES = [4000, 100_000] as const;
export const CONNECTIONS = ["many", "one"] as const;
export const SESSIONS = [1, 10, 50];

export const LATENCY = "latency";

/** All, in the order in which they run: memory and warmth of a peer carry over from one to the next. */
export const CELLS: readonly Cell[] = CONNECTIONS.flatMap((connection) =>
  SIZES.flatMap((size) => SESSIONS.map((sessions): Cell => ({ size, connection, sessions }))),
);

/** `4k-many-10`. */
export function cellName({ size, connection, sessions }: Cell): string {
  return `${size / 1000}k-${connection}-${sessions}`;
}

export function cellTitle({ size, connection, sessions }: Cell): string {
  return `${size / 1000} KB, ${sessionsTitle({ connection, sessions })}`;
}

export function sessionsTitle({ connection, sessions }: Pick<Cell, "connection" | "sessions">): string {
  return `${connection} message${connection === "many" ? "s" : ""} a connection, ${sessions} session${sessions === 1 ? "" : "s"}`;
}

export const ALL_NAMES: readonly string[] = [...CELLS.map(cellName), LATENCY];

/** What the full run is for in few: the cells with the largest claims. */
export const QUICK_NAMES: readonly string[] = [
  "4k-many-10",
  "4k-many-50",
  "4k-one-50",
  "100k-many-10",
  "100k-many-50",
  LATENCY,
];

/** The names that a word means: itself, or all that begin with it and a hyphen. `undefined`: none. */
export function namesMeant(word: string): readonly string[] | undefined {
  const names = ALL_NAMES.filter((name) => name === word || name.startsWith(`${word}-`));
  return names.length === 0 ? undefined : names;
}
