// The clock, DNS, randomness and HTTP of the plug-in, which runs in somebody else's process: nobody passes them in there. All
// other files of this package get them as arguments. Called by on-behalf-plugin.ts.
import { randomBytes } from "node:crypto";
import { Resolver } from "node:dns/promises";
import type { World } from "./options.ts";

/** A user waits for "sent". c-ares asks again after 1 and 2 seconds, and gives up after some 5. */
const DNS_PATIENCE = { timeout: 1_000, tries: 3 };
const REQUEST_MILLISECONDS = 5_000;
/** An answer about one identity has some hundred octets. */
const MAX_ANSWER_OCTETS = 64 * 1024;

export const systemWorld: World = {
  now: () => Math.floor(Date.now() / 1000),
  lookUpTxt,
  newId: () => randomBytes(16).toString("hex"),
  request: (url, headers) => request(url, headers, REQUEST_MILLISECONDS),
};

async function lookUpTxt(name: string): Promise<readonly string[]> {
  try {
    const records = await new Resolver(DNS_PATIENCE).resolveTxt(name);
    return records.map((strings) => strings.join(""));
  } catch (error) {
    if (hasCode(error, "ENOTFOUND") || hasCode(error, "ENODATA")) return [];
    throw error;
  }
}

/** Follows no redirection: the site's key goes to nobody else. */
export async function request(
  url: string,
  headers: Readonly<Record<string, string>>,
  milliseconds: number,
): Promise<{ status: number; body: string }> {
  const response = await fetch(url, {
    headers,
    redirect: "error",
    signal: AbortSignal.timeout(milliseconds),
  });
  const chunks: Uint8Array[] = [];
  let octets = 0;
  // Leaving the loop ends the connection.
  for await (const chunk of response.body ?? []) {
    octets += chunk.length;
    if (octets > MAX_ANSWER_OCTETS)
      throw new RangeError(`the answer is larger than ${MAX_ANSWER_OCTETS} octets`);
    chunks.push(chunk);
  }
  return { status: response.status, body: Buffer.concat(chunks).toString("utf8") };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
