// Signatures of submitted mail, for whoever may be in From: over each copy with the fields that it alone has. A message is in
// memory meanwhile, so there are only so many at once. Called by people.ts, and by the policy for sites of the composition root.
import { type Content, wholeContent } from "@homing/mail";
import type { SubmissionRefusal } from "./submission-policy.ts";
import { createTurns } from "./turns.ts";

/** The message with signatures on top (DKIM), by the domain in From. */
export type SignFor = (message: Buffer, fromDomain: string) => Promise<Buffer>;

/**
 * Fields on top of each copy, in their order, with the signatures above them. Undefined where too many wait for it.
 * @param tops fields that a copy has beside those of the content, each with its CRLF
 */
export type SignCopies = (
  content: Content,
  tops: readonly string[],
  fromDomain: string,
) => Promise<readonly string[] | undefined>;

export const TOO_MUCH_TO_SIGN: SubmissionRefusal = {
  kind: "refuse",
  reason: "too-much-to-sign",
  reply: { code: 451, enhanced: "4.3.2", text: "too much mail at once, try again later" },
};

/** Each has its message in memory, three times. */
const SIGNED_AT_ONCE = 2;
const WAIT_TO_SIGN = 200;

/** Without `sign`, nothing is signed. */
export function createSignCopies(sign: SignFor | undefined): SignCopies {
  if (!sign) return async (_, tops) => tops;
  const turns = createTurns({ atOnce: SIGNED_AT_ONCE, waiting: WAIT_TO_SIGN });
  return async (content, tops, fromDomain) =>
    await turns.run(async () => {
      const message = await wholeContent(content);
      const signed: string[] = [];
      for (const top of tops) {
        const copy = top === "" ? message : Buffer.concat([Buffer.from(top, "latin1"), message]);
        const whole = await sign(copy, fromDomain);
        // Only they stay: a large message is in a file already.
        signed.push(whole.toString("latin1", 0, whole.length - message.length));
      }
      return signed;
    });
}
