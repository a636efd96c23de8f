// What bucket-load.ts said was stored against what the spool has: each failure in its DSN, in one notice, or still to be told.
// Called by test/bucket-crash.test.ts.
import { wholeContent } from "@homing/mail";
import { type BucketsOptions, createBuckets } from "../../packages/forwarder/src/spool/buckets.ts";
import { type OpenSpool, openSpool } from "../../packages/forwarder/src/spool/open-spool.ts";

/** Notices are due at once: many of them are under way when the process dies. */
export const BUCKETS: BucketsOptions = {
  sort: "load",
  limits: { atOnce: 20, refillSeconds: 1, noticeSeconds: 0, maxListed: 1000 },
  lifeSeconds: 86_400,
};

export function noticeText(messageIds: readonly string[]): string {
  return `Subject: notice\r\n\r\n${messageIds.join("\r\n")}\r\n`;
}

export interface Told {
  /** By themselves. */
  readonly dsns: readonly string[];
  /** In notices that are queued. */
  readonly listed: readonly string[];
  /** In the next ones. */
  readonly folded: readonly string[];
}

export async function toldIn(folder: string): Promise<Told> {
  const spool = await openSpool({ folder, minFreeOctets: 0 });
  try {
    const dsns: string[] = [];
    const listed: string[] = [];
    for await (const id of queued(spool)) {
      if (!id.startsWith("notice-")) dsns.push(id);
      else listed.push(...(await bodyLines(spool, id)));
    }
    const folded: string[] = [];
    await createBuckets(spool.notes, BUCKETS).tellDue(Math.floor(Date.now() / 1000), async (notice) => {
      folded.push(...notice.messageIds);
      return false;
    });
    return { dsns, listed, folded };
  } finally {
    await spool.close();
  }
}

async function* queued(spool: OpenSpool): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const page = await spool.list({ limit: 500, after });
    for (const { id } of page) yield id;
    const last = page.at(-1);
    if (!last) return;
    after = last.position;
  }
}

async function bodyLines(spool: OpenSpool, id: string): Promise<string[]> {
  const content = await spool.content(id);
  const text = content ? String(await wholeContent(content)) : "";
  return text
    .slice(text.indexOf("\r\n\r\n") + 4)
    .split("\r\n")
    .filter((line) => line !== "");
}
