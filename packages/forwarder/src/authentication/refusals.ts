// What a client hears whose mail is refused or deferred for its sender: the code, who asked for it, and where to read more.
// Called by sender-check.ts. RFC 7208 §8.4, RFC 7372.
import type { Reply } from "@homing/mail";
import { type SpfAnswer, type SpfRefusal, spfRefusal } from "@homing/spf";
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

export function refusalReply(refused: ToRefuse): Reply {
  const fault = refused.verdict.fault ?? "no-answer";
  const action = refused.verdict.action === "refuse" ? "refuse" : "defer";
  const { enhanced, text } = words(refused, fault, action);
  return {
    code: action === "refuse" ? 550 : 451,
    enhanced: `${action === "refuse" ? 5 : 4}.${enhanced}`,
    text,
  };
}

/** With the subject and detail of the enhanced code: RFC 7372 §3.2 to §3.4, RFC 3463. */
function words(refused: ToRefuse, fault: Fault, action: "refuse" | "defer"): SpfRefusal {
  const { hop, spf, content } = refused;
  const client = hop.address;
  const url = whyUrl(refused, fault, action);
  const from =
    content?.headerFrom.kind === "domain" ? printable(content.headerFrom.domain, MAX_DOMAIN) : "the author";
  const said = (why: string, enhanced: string): SpfRefusal => ({
    enhanced,
    text: `${action === "refuse" ? why : `${why}, try again later`}${url === undefined ? "" : `. See ${url}`}`,
  });
  switch (fault) {
    case "dmarc-reject":
    case "dmarc-quarantine":
      return said(`DMARC: neither SPF nor DKIM shows that this is mail of ${from}`, "7.26");
    case "dmarc-unclear":
      return said("DMARC: the message names no one author in its From field", "7.26");
    case "header-too-long":
      return said("the header of the message has more lines than a server takes apart", "6.0");
    case "own-domain":
      return said(`mail of ${from} does not come from outside without its signature`, "7.1");
    case "no-answer":
      return said(`DNS did not answer all that decides about mail of ${from} from ${client}`, "4.3");
    default:
      return spfRefusal({ fault, action, client, answer: spf, url });
  }
}

function whyUrl(
  { whyLinks, at, hop, sender, spf, content }: ToRefuse,
  fault: Fault,
  action: "refuse" | "defer",
): string | undefined {
  if (!whyLinks) return undefined;
  const { address: client, helo } = hop;
  const from = content?.headerFrom.kind === "domain" ? { headerFrom: content.headerFrom.domain } : {};
  return whyLinks.mint(whyFacts({ fault, action, at, client, helo, sender, spf, ...from }));
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
