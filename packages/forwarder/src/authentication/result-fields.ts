// What was found about a sender, as header fields: Authentication-Results, Received-SPF, and X-Homing-Verdict where a filter
// behind us should know more. Called by check-message.ts.
import { authenticationResultsField, type MethodResult, resultsText as textOf } from "@homing/mail";
import { receivedSpfField } from "@homing/spf";
import { isList, type Mark, mayBeRefusedNext, type Verdict } from "./policy.ts";
import type { AuthenticationResults } from "./results.ts";
import type { Hop } from "./spf-of.ts";

export interface ToTell {
  readonly authservId: string;
  readonly hostname: string;
  readonly hop: Hop;
  /** The reverse-path; "" is the null sender. */
  readonly sender: string;
  readonly results: AuthenticationResults;
  readonly verdict: Verdict;
  readonly mark?: Mark | undefined;
  readonly smtpUtf8: boolean;
}

/** Each with its CRLF, newest on top. */
export function resultFields(told: ToTell): string {
  const { authservId, hostname, hop, sender, results, smtpUtf8 } = told;
  const { address: client, helo } = hop;
  return [
    authenticationResultsField({ authservId, results: methodResults(results, hop, sender), smtpUtf8 }),
    // Of a client that nobody knows there is nothing to tell.
    ...(told.mark === "unknown-client"
      ? []
      : [receivedSpfField(results.spf, { client, helo, sender }, hostname)]),
    verdictField(told),
  ].join("");
}

/** As an ARC set repeats it, behind the authserv-id. */
export function resultsText(results: AuthenticationResults, hop: Hop, sender: string): string {
  return textOf(methodResults(results, hop, sender));
}

function methodResults(
  { spf, content }: AuthenticationResults,
  { address, helo }: Hop,
  sender: string,
): readonly MethodResult[] {
  const { dkim, dmarc, arc, headerFrom } = content;
  return [
    {
      method: "spf",
      result: spf.result,
      reason: spf.problem,
      ...(sender === "" ? { helo } : { mailfrom: sender }),
    },
    ...(dkim.length === 0
      ? [{ method: "dkim", result: "none" } as const]
      : dkim.map(({ result, domain, selector, algorithm, signature, reason }) => {
          return { method: "dkim", result, domain, selector, algorithm, signature, reason } as const;
        })),
    {
      method: "dmarc",
      result: dmarc.result,
      reason: dmarc.reason,
      from: headerFrom.kind === "domain" ? headerFrom.domain : undefined,
      policy: dmarc.domain === "" ? undefined : dmarc.policy,
    },
    ...(arc.result === "none"
      ? []
      : [{ method: "arc", result: arc.result, reason: arc.reason, remoteIp: address } as const]),
  ];
}

/** Only where there is something to say: most mail is as it should be. */
function verdictField({ verdict, mark, results }: ToTell): string {
  const { action, fault, would, overridden } = verdict;
  const words = [
    ...(action === "tag" && fault ? [fault] : []),
    ...(mark ? [mark] : []),
    ...(would || isList(mark) ? [`would-${would ?? "refuse"}`] : []),
    ...(overridden ? [`${overridden.fault}-overridden-by-${overridden.by}`] : []),
    ...(mayBeRefusedNext(results) ? ["dmarc-at-risk"] : []),
  ];
  const word = action === "tag" || mark ? "suspect" : "accepted";
  return words.length === 0 ? "" : `X-Homing-Verdict: ${word}; ${words.join("; ")}\r\n`;
}
