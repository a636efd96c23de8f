// What original senders hear, as it comes to their server: which Message-IDs in which DSNs, which in notices. Called by the
// stories about mail that nobody may lose.
export interface Told {
  /** By what the group has: the DSNs about it, each by its own Message-ID, with how often it came. */
  readonly dsns: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** By the same: in how many different notices it is listed. */
  readonly listed: ReadonlyMap<string, number>;
  /** Copies beyond the first of a DSN or notice. */
  readonly secondCopies: number;
}

/** @param messageIds of the mail that they are about, with one group; it is global */
export function toldIn(messages: Iterable<Uint8Array>, messageIds: RegExp): Told {
  const dsns = new Map<string, Map<string, number>>();
  const listed = new Map<string, number>();
  const seen = new Set<string>();
  let secondCopies = 0;
  for (const message of messages) {
    const text = Buffer.from(message).toString("latin1");
    const [, own = ""] = /^Message-ID: <([^>]+)>\r$/m.exec(text) ?? [];
    const isFirst = !seen.has(own);
    seen.add(own);
    if (!isFirst) secondCopies++;
    const isNotice = /^Subject: .*further mails? of yours /m.test(text);
    for (const id of new Set([...text.matchAll(messageIds)].map(([, local = ""]) => local))) {
      if (isNotice && isFirst) listed.set(id, (listed.get(id) ?? 0) + 1);
      if (isNotice) continue;
      const about = dsns.get(id) ?? new Map<string, number>();
      dsns.set(id, about.set(own, (about.get(own) ?? 0) + 1));
    }
  }
  return { dsns, listed, secondCopies };
}
