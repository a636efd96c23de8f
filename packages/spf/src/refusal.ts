// What a client hears whose mail is refused or deferred for SPF: the code, whose record it was, and the domain's own words.
// Called by the forwarder and the MTA adapters. RFC 7208 §8.4, RFC 7372.
import { printable } from "./printable.ts";
import type { SpfAnswer } from "./spf.ts";
import type { SpfReason } from "./spf-actions.ts";

export interface SpfRefused {
  readonly fault: SpfReason;
  readonly action: "refuse" | "defer";
  /** IP address. */
  readonly client: string;
  readonly answer: Pick<SpfAnswer, "domain" | "explanation">;
  /** Where to read more: printable, without blanks. */
  readonly url?: string | undefined;
  /** Of the text, in octets, where whoever speaks SMTP puts words of its own before it. */
  readonly maxText?: number;
}

export interface SpfRefusal {
  /** Subject and detail of the enhanced code: its class is that of the reply (RFC 3463 §2). */
  readonly enhanced: string;
  /** One line of printable ASCII. */
  readonly text: string;
}

/** RFC 5321 §4.5.3.1.5: 512 octets for the line, of which code, enhanced code and CRLF have their part. */
const MAX_TEXT = 480;
const MAX_DOMAIN = 80;
/** What is left of a foreign explanation must be worth reading. */
const MIN_EXPLANATION = 20;

export function spfRefusal(refused: SpfRefused): SpfRefusal {
  const { action, url, maxText = MAX_TEXT } = refused;
  const [why, enhanced] = words(refused);
  const text = action === "refuse" ? why : `${why}, try again later`;
  const more = url === undefined ? "" : `. See ${url}`;
  return { enhanced, text: `${text}${explained(refused, maxText - text.length - more.length)}${more}` };
}

/** With the subject and detail of the enhanced code: RFC 7372 §3.2, RFC 3463. */
function words({ fault, answer, client }: SpfRefused): readonly [why: string, enhanced: string] {
  const domain = printable(answer.domain, MAX_DOMAIN);
  switch (fault) {
    case "spf-fail":
      return [`SPF: ${domain} does not let ${client} send its mail`, "7.23"];
    case "spf-softfail":
      return [`SPF: ${domain} does not name ${client} as a sender of its mail`, "7.23"];
    case "spf-neutral":
    case "spf-none":
      return [`SPF: ${domain || "the sender"} does not say who sends its mail, as this server asks`, "7.1"];
    case "spf-permerror":
      return [`SPF: the record of ${domain} is wrong`, "7.24"];
    case "spf-temperror":
      return [`SPF: DNS did not answer about ${domain}`, "4.3"];
  }
}

/** The domain's own words, and that they are not ours (RFC 7208 §6.2). */
function explained({ fault, answer }: SpfRefused, room: number): string {
  const { explanation } = answer;
  if (fault !== "spf-fail" || explanation === undefined) return "";
  const before = `. ${printable(answer.domain, MAX_DOMAIN)} explains: `;
  const left = room - before.length;
  return left < MIN_EXPLANATION ? "" : before + printable(explanation, left);
}
