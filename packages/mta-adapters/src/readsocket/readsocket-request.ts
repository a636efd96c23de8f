// A line of the readsocket protocol: `MAP KEY`, or `spf CLIENT HELO SENDER`. Called by readsocket.ts.

export type ReadsocketRequest =
  | { readonly kind: "map"; readonly map: string; readonly key: string }
  | {
      readonly kind: "spf";
      readonly client: string;
      /** "" where the client said none. */
      readonly helo: string;
      /** "" is the null sender. */
      readonly sender: string;
    };

/** Of any text: what the words mean is for those to judge who answer. */
export function parseReadsocketRequest(line: string): ReadsocketRequest {
  const [word, rest] = cut(line);
  if (word !== "spf") return { kind: "map", map: word, key: rest };
  const [client, identities] = cut(rest);
  // The sender is last: the local part of an address may hold blanks, in quotes. A HELO name does not.
  const [helo, sender] = cut(identities);
  return { kind: "spf", client, helo, sender: withoutBrackets(sender) };
}

/** At the first blank, which is gone. */
function cut(text: string): readonly [before: string, after: string] {
  const blank = text.indexOf(" ");
  return blank < 0 ? [text, ""] : [text.slice(0, blank), text.slice(blank + 1)];
}

/** As MAIL has them: qpsmtpd gives its senders so. */
function withoutBrackets(path: string): string {
  return path.startsWith("<") && path.endsWith(">") ? path.slice(1, -1) : path;
}
