// The fields that stand above our Received field when a message leaves: what was found about its sender, for whom it was
// forwarded, and the ARC set. Called by receive.ts.
import { type Content, forwardedFields } from "@homing/mail";
import { asciiLower, type Mailbox } from "@homing/srs-core";
import type { SealContent, ToSeal } from "./authentication/results.ts";
import { bugText } from "./bug-text.ts";
import type { Copy } from "./copies.ts";
import type { Report } from "./events.ts";

export interface TopFieldOptions {
  /** X-Forwarded-For and X-Forwarded-To: the alias, the destination, too, or neither. */
  readonly forwarded: "alias" | "full" | "none";
  /** Without a key, nothing is sealed. */
  readonly seal?: SealContent | undefined;
  /** Destinations whose mail is not sealed, in lower case. */
  readonly notSealed: ReadonlySet<string>;
  readonly report: Report;
}

/** Of one copy. */
export type TopFields = (copy: Copy) => string;

export interface Forwarded {
  readonly id: string;
  readonly content: Content;
  /** What was found; "" where nothing was looked at. */
  readonly found: string;
  readonly toSeal?: ToSeal | undefined;
}

export interface TopFieldMaker {
  /** One seal serves all copies of a message. */
  of(message: Forwarded, copies: readonly Copy[]): Promise<(recipient: Mailbox) => TopFields>;
}

export function createTopFields(options: TopFieldOptions): TopFieldMaker {
  const isSealed = ({ stays, mailbox }: Copy): boolean =>
    !stays && !options.notSealed.has(asciiLower(mailbox.domain));
  return {
    async of(message, copies) {
      const set = copies.some(isSealed) ? await sealOf(options, message) : "";
      return (recipient) => (copy) => {
        if (copy.stays) return message.found;
        const seal = isSealed(copy) ? set : "";
        return seal + forwardedTo(options, recipient, copy) + message.found;
      };
    },
  };
}

/** Mail is not held up for it: the operator hears of it. */
async function sealOf(
  { seal, report }: TopFieldOptions,
  { id, content, toSeal }: Forwarded,
): Promise<string> {
  if (!seal || !toSeal) return "";
  try {
    const sealing = await seal(content, toSeal);
    if (sealing.kind === "sealed") return sealing.fields;
    // That a chain was broken before is nobody's fault here.
    if (sealing.cause !== "failed-chain") report({ event: "not-sealed", id, cause: sealing.cause });
    return "";
  } catch (error) {
    report({ event: "not-sealed", id, cause: bugText(error) });
    return "";
  }
}

function forwardedTo({ forwarded }: TopFieldOptions, alias: Mailbox, { mailbox }: Copy): string {
  if (forwarded === "none") return "";
  return forwardedFields({ alias, destination: forwarded === "full" ? mailbox : undefined });
}
