// What a map knows about a key, before any protocol writes it down. Made by srs-maps.ts; rendered by socketmap, tcp_table
// and readsocket.

export type MapAnswer =
  | { readonly kind: "found"; readonly value: string }
  /** Nothing is to be changed. The reason is for people: mail servers do not look at it. */
  | { readonly kind: "not-found"; readonly why: string }
  /** Of `forward`: the sender should be rewritten, and never can be. Where a mail server can refuse such mail, it should. */
  | { readonly kind: "unfit"; readonly why: string }
  /** Ask again: the mail waits. */
  | { readonly kind: "later"; readonly why: string }
  /** The question makes no sense, whenever it is asked. */
  | { readonly kind: "wrong"; readonly why: string };

/** Looks a key up in the map of that name. Answers at once, but where a sender is kept on the disk. Never rejects. */
export type LookUp = (map: string, key: string) => MapAnswer | Promise<MapAnswer>;
