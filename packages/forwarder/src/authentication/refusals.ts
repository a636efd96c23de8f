// What a client hears whose mail is refused or deferred for its sender: the code, who asked for it, and where to read more.
// Called by sender-check.ts. RFC 7208 §8.4, RFC 7372.
import type { Reply } from "@homing/mail";
import type { SpfAnswer } from "@homing/spf";
import { printable, type UnixSeconds } from "@homing/srs-core";
import { type WhyLinks, whyFacts } from "../why-link.ts";
import type { Fault, Verdict } from "./policy.ts";
import type { ContentResults } from "./results.ts";
import type { Hop } from "./spf-of.ts";

/** A verdict that is no acceptance, and what it is about. */
export interface ToRefuse {
  readonly verdict: Verdict;
  readonly hop: Hop;
  /** The reverse-path; "" is the null sender. */
  readonly sender: string;
  readonly spf: SpfAnswer;
  /** Without it, the mail is refused at RCPT. */
  readonly content?: ContentResults;
  readonly at: UnixSeconds;
  /** Of the page that says why. */
  readonly whyLinks?: Pick<WhyLinks, "mint"> | undefined;
}

/** RFC 5321 §4.5.3.1.5: 512 octets for the line, of which code, enhanced code and CRLF have their part. */
const MAX_TEXT = 480;
const MAX_DOMAIN = 80;
/** What is left of a foreign explanation must be worth reading. */
const MIN_EXPLANATION = 20;

export function refusalReply(refused: ToRefuse): Reply {
  const fault = refused.verdict.fault ?? "no-answer";
  const action = refused.verdict.action === "refuse" ? "refuse" : "defer";
  const [why, enhanced] = words(refused, fault);
  const url = whyUrl(refused, fault, action);
  const text = action === "refuse" ? why : `${why}, try again later`;
  return {
    code: action === "refuse" ? 550 : 451,
    enhanced: `${action === "refuse" ? 5 : 4}.${enhanced}`,
    text: `${text}${explained(refused, MAX_TEXT - text.length - url.length)}${url}`,
  };
}

function whyUrl(
  { whyLinks, at, hop, sender, spf, content }: ToRefuse,
  fault: Fault,
  action: "refuse" | "defer",
): string {
  if (!whyLinks) return "";
  const { address: client, helo } = hop;
  const from = content?.headerFrom.kind === "domain" ? { headerFrom: content.headerFrom.domain } : {};
  return `. See ${whyLinks.mint(whyFacts({ fault, action, at, client, helo, sender, spf, ...from }))}`;
}

/** With the subject and detail of the enhanced code: RFC 7372 §3.2 to §3.4, RFC 3463. */
function words({ hop, spf, content }: ToRefuse, fault: Fault): readonly [why: string, enhanced: string] {
  const client = hop.address;
  const domain = printable(spf.domain, MAX_DOMAIN);
  const from =
    content?.headerFrom.kind === "domain" ? printable(content.headerFrom.domain, MAX_DOMAIN) : "the author";
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
    case "dmarc-reject":
    case "dmarc-quarantine":
      return [`DMARC: neither SPF nor DKIM shows that this is mail of ${from}`, "7.26"];
    case "dmarc-unclear":
      return ["DMARC: the message names no one author in its From field", "7.26"];
    case "header-too-long":
      return ["the header of the message has more lines than a server takes apart", "6.0"];
    case "own-domain":
      return [`mail of ${from} does not come from outside without its signature`, "7.1"];
    case "no-answer":
      return [`DNS did not answer all that decides about mail of ${from} from ${client}`, "4.3"];
  }
}

/** The domain's own words, and that they are not ours (RFC 7208 §6.2). */
function explained({ verdict, spf }: ToRefuse, room: number): string {
  const { explanation } = spf;
  if (verdict.fault !== "spf-fail" || explanation === undefined) return "";
  const before = `. ${printable(spf.domain, MAX_DOMAIN)} explains: `;
  const left = room - before.length;
  return left < MIN_EXPLANATION ? "" : before + printable(explanation, left);
}

/** @param zone the list, and why it names the client or the domain */
export function listedReply(listed: {
  readonly what: string;
  readonly zone: string;
  readonly reason: string;
}): Reply {
  const { what, zone, reason } = listed;
  const why = reason === "" ? "" : `: ${printable(reason, MAX_TEXT - 200)}`;
  return { code: 550, enhanced: "5.7.1", text: `${printable(what, MAX_DOMAIN)} is listed by ${zone}${why}` };
}
