// Which kind of failure an error of SQLite is. Called by whatever uses the database.

/** https://www.sqlite.org/rescode.html: primary codes. */
const FULL = 13;
const ABOUT_THE_OPERATION: readonly number[] = [
  1, // SQLITE_ERROR
  18, // SQLITE_TOOBIG
  19, // SQLITE_CONSTRAINT
  20, // SQLITE_MISMATCH
  25, // SQLITE_RANGE
];

/** The extended code; undefined for errors of other origin. */
export function sqliteErrorCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

export type StorageTrouble =
  /** The disk is full. */
  | "full"
  /** One operation is at fault; the others of its batch are not. */
  | "operation"
  /** Nothing can be said of the database before it is opened again: I/O errors, failed syncs, a damaged file. */
  | "broken";

export function troubleOf(error: unknown): StorageTrouble {
  const code = sqliteErrorCode(error);
  if (code === undefined) return "operation";
  const primary = code & 0xff;
  if (primary === FULL) return "full";
  return ABOUT_THE_OPERATION.includes(primary) ? "operation" : "broken";
}

export function causeOf(error: unknown): string {
  const code = sqliteErrorCode(error);
  const message = error instanceof Error ? error.message : String(error);
  return code === undefined ? message : `${message} (SQLite error ${code})`;
}
