// What is measured: a cell is one size of mail, or bounces, in a number of sessions that use their connections in a way.
// Called by options.ts to choose some, by main.ts to run them and by report.ts for their titles.

/** What a generator has open at a time. */
export interface Sessions {
  readonly connection: "many" | "one";
  readonly sessions: number;
}

/** Mail to an alias. */
export interface Cell extends Sessions {
  /** Octets of a message. */
  readonly size: 4000 | 100_000;
}

const SIZES = [4000, 100_000] as const;
export const CONNECTIONS = ["many", "one"] as const;
export const SESSIONS = [1, 10, 50];

export const LATENCY = "latency";

/** All of mail, in the order in which they run: memory and warmth of a peer carry over from one to the next. */
export const CELLS: readonly Cell[] = CONNECTIONS.flatMap((connection) =>
  SIZES.flatMap((size) => SESSIONS.map((sessions): Cell => ({ size, connection, sessions }))),
);

/** They run last, so that what they leave behind touches nothing else. Bounces come one a connection. */
export const BOUNCE_CELLS: readonly Sessions[] = [
  { connection: "one", sessions: 10 },
  { connection: "one", sessions: 50 },
];

/** `4k-many-10`. */
export function cellName({ size, connection, sessions }: Cell): string {
  return `${size / 1000}k-${connection}-${sessions}`;
}

/** `bounces-one-10`. */
export function bounceCellName({ connection, sessions }: Sessions): string {
  return `bounces-${connection}-${sessions}`;
}

export function cellTitle({ size, ...sessions }: Cell): string {
  return `${size / 1000} KB, ${sessionsTitle(sessions)}`;
}

export function bounceCellTitle(cell: Sessions): string {
  return `bounces of 4 KB, ${sessionsTitle(cell)}`;
}

function sessionsTitle({ connection, sessions }: Sessions): string {
  return `${connection} message${connection === "many" ? "s" : ""} a connection, ${sessions} session${sessions === 1 ? "" : "s"}`;
}

export const MAIL_NAMES: readonly string[] = CELLS.map(cellName);
export const BOUNCE_NAMES: readonly string[] = BOUNCE_CELLS.map(bounceCellName);
export const ALL_NAMES: readonly string[] = [...MAIL_NAMES, LATENCY, ...BOUNCE_NAMES];

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
