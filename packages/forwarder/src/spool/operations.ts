// What the main thread asks of the writer thread, and what it answers. Plain values only: they are cloned from thread to
// thread, but for the octets of messages, which change hands. Called by writer.ts and writer-thread.ts; store.ts does the
// operations.

export type SqlValue = string | number | null;
/** Values in the order of their columns in database.ts. */
export type Row = readonly SqlValue[];

/** A message to be stored. Its body travels beside it, or lies in chunks already. */
export interface Put {
  readonly message: number;
  readonly chunks: number;
  readonly row: Row;
  readonly recipients: readonly Row[];
}

export interface LeaseKey {
  readonly message: number;
  readonly recipient: number;
  readonly attempt: number;
}

export type Operation =
  | {
      readonly kind: "put";
      readonly put: Put;
      readonly notes?: NoteChanges;
      /** It is asked again after the thread died, and may have been done. */
      readonly maybeAgain?: true;
    }
  /** Several, or none of them. `octets` of each lie beside it, one behind the other. */
  | {
      readonly kind: "put-all";
      readonly puts: readonly Put[];
      readonly octets: readonly number[];
      readonly notes?: NoteChanges;
      readonly maybeAgain?: true;
    }
  | { readonly kind: "chunk"; readonly message: number; readonly place: number }
  /** Chunks whose message will not come. */
  | { readonly kind: "forget"; readonly message: number }
  | {
      readonly kind: "claim";
      readonly now: number;
      readonly leaseUntil: number;
      readonly limit: number;
      readonly leaveOut: readonly string[];
    }
  | { readonly kind: "retry"; readonly lease: LeaseKey; readonly deferral: Row; readonly dsn?: Put }
  | { readonly kind: "finish"; readonly lease: LeaseKey; readonly dsn?: Put; readonly notes?: NoteChanges }
  | { readonly kind: "next-due" }
  | { readonly kind: "list"; readonly after: number; readonly limit: number }
  | { readonly kind: "show"; readonly id: string }
  | { readonly kind: "content"; readonly id: string }
  | { readonly kind: "read"; readonly message: number; readonly place: number }
  | { readonly kind: "drop"; readonly id: string }
  | { readonly kind: "retry-now"; readonly id: string; readonly now: number }
  | { readonly kind: "note"; readonly note: Note; readonly now: number }
  | {
      readonly kind: "change-notes";
      readonly notes: NoteChanges;
      /** It is refused like a message where the disk is nearly full. */
      readonly needsRoom?: true;
    }
  | { readonly kind: "find-note"; readonly of: string; readonly key: string; readonly now: number }
  | { readonly kind: "take-note"; readonly of: string; readonly key: string; readonly now: number }
  | { readonly kind: "notes"; readonly of: string; readonly after: string; readonly limit: number };

export interface Note {
  /** What sort of note: each sort has its own keys. */
  readonly of: string;
  readonly key: string;
  readonly value: string;
  readonly expires: number;
}

export type NoteName = Pick<Note, "of" | "key">;

/** Written over those of the same key, and removed: all of it in one transaction, or nothing. */
export interface NoteChanges {
  readonly now: number;
  readonly write: readonly Note[];
  readonly remove: readonly NoteName[];
  /** `conflict`, and nothing is changed, unless all of these are there and have not expired. */
  readonly present?: readonly NoteName[];
  /** `conflict`, and nothing is changed, if one of these is there and has not expired. */
  readonly absent?: readonly NoteName[];
}

/** A message's row, with its body or its first chunk. */
export interface MessageRow {
  readonly row: Row;
  readonly start: Uint8Array<ArrayBuffer>;
}

export interface Claimed {
  readonly messages: readonly MessageRow[];
  readonly recipients: readonly Row[];
}

export interface Listed {
  readonly row: Row;
  readonly recipients: readonly Row[];
}

/** `conflict`: of its notes, one is there that must not be, or one is missing. */
export type Stored = "stored" | "chunks-gone" | "conflict";

export interface Values {
  put: Stored;
  "put-all": Stored;
  chunk: undefined;
  forget: undefined;
  claim: Claimed;
  retry: boolean | "chunks-gone";
  finish: boolean | "chunks-gone";
  "next-due": number | undefined;
  list: readonly Listed[];
  show: Listed | undefined;
  content: MessageRow | undefined;
  read: Uint8Array<ArrayBuffer> | undefined;
  drop: boolean;
  "retry-now": number;
  note: undefined;
  "change-notes": "changed" | "conflict";
  "find-note": Note | undefined;
  "take-note": boolean;
  notes: readonly Note[];
}
export type Value = Values[keyof Values];

export type Answer<V = Value> =
  | { readonly kind: "done"; readonly value: V }
  /** The disk is full, or nearly; nothing was changed. */
  | { readonly kind: "no-room"; readonly cause: string }
  /** The operation is wrong in itself; nothing was changed. */
  | { readonly kind: "refused"; readonly cause: string }
  /** The database cannot be used; whether something was changed is unknown. */
  | { readonly kind: "away"; readonly cause: string };

export interface Batch {
  readonly operations: readonly Operation[];
  /** One place for each operation. */
  readonly bodies: readonly (Uint8Array | undefined)[];
}

export type ToThread = Batch | "close";

export type FromThread =
  | { readonly kind: "opened"; readonly lastNumber: number }
  | { readonly kind: "answers"; readonly answers: readonly Answer[] }
  /** The last message: the thread ends by itself. */
  | { readonly kind: "broken"; readonly cause: string };

export interface ThreadOptions {
  readonly file: string;
  readonly minFreeOctets: number;
  /** Nobody of this process has a lease yet. */
  readonly expireLeases: boolean;
  /** Messages whose sender was told that they are not stored, though they may be. */
  readonly withdraw: readonly number[];
  /** Messages that may be stored, and of whose recipients nobody has a lease. */
  readonly unleased: readonly number[];
}
