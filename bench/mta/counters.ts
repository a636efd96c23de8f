// The running counters that smtp-sink -c prints: `sess=1 quit=0 mesg=12` and a carriage return, again and again.
// Called by counting-sink.ts.

/** Digits and names of one update are far fewer. */
export const LONGEST_UPDATE = 200;

/** The number of messages in the last whole update of what was printed; `undefined` if there is none yet. */
export function messagesCounted(printed: string): number | undefined {
  const last = printed.slice(0, printed.lastIndexOf("\r") + 1).slice(-LONGEST_UPDATE);
  const updates = [...last.matchAll(/(?:^|\r)sess=\d+ quit=\d+ mesg=(\d+)(?=\r)/g)];
  const count = updates.at(-1)?.[1];
  return count === undefined ? undefined : Number(count);
}
