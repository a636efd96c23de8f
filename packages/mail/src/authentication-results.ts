// What was found about who sent a message, as a header field: Authentication-Results (RFC 8601), and the same results as an
// ARC set repeats them (RFC 8617 §4.1.1). Called by the forwarder; own-results.ts finds the field.
import { octets } from "@homing/srs-core";

/** Values are hostile text; `""` and undefined are left out of the field. */
export type MethodResult =
  | (Result<"spf"> & {
      /** `sender.example` or `bob@sender.example` (RFC 8601 §2.7.2). */
      readonly mailfrom?: string | undefined;
      readonly helo?: string | undefined;
    })
  | (Result<"dkim"> & {
      /** d= */
      readonly domain?: string | undefined;
      /** s= */
      readonly selector?: string | undefined;
      /** a= */
      readonly algorithm?: string | undefined;
      /** The first octets of b= (RFC 6008). */
      readonly signature?: string | undefined;
    })
  | (Result<"dmarc"> & {
      /** The domain of the header From. */
      readonly from?: string | undefined;
      /** What is to be done with a fail (RFC 7489 §11.1). */
      readonly policy?: "none" | "quarantine" | "reject" | undefined;
    })
  | (Result<"arc"> & {
      /** i= of the oldest set whose signature is still good (RFC 8617 §10.2). */
      readonly oldestPass?: number | undefined;
      /** The client's address. */
      readonly remoteIp?: string | undefined;
    });

interface Result<Method extends string> {
  readonly method: Method;
  /** RFC 8601 §2.7. */
  readonly result: ResultWord;
  /** For people. */
  readonly reason?: string | undefined;
}

export type ResultWord =
  | "none"
  | "pass"
  | "fail"
  | "softfail"
  | "neutral"
  | "policy"
  | "temperror"
  | "permerror";

export interface ResultsOptions {
  /** A message with SMTPUTF8 (RFC 6531) may hold UTF-8 in its header. Else what is not ASCII becomes a question mark. */
  readonly smtpUtf8?: boolean | undefined;
}

/** Folded, with its CRLF, for above the message. */
export function authenticationResultsField({
  authservId,
  results,
  ...options
}: ResultsOptions & { readonly authservId: string; readonly results: readonly MethodResult[] }): string {
  return `Authentication-Results: ${valueText(authservId, options)};${FOLD}${resultsText(results, options)}\r\n`;
}

/** What stands behind the authserv-id and its semicolon: folded, without a CRLF at its end. */
export function resultsText(results: readonly MethodResult[], options: ResultsOptions = {}): string {
  const told = [
    ...results.filter(({ method }) => method !== "dkim"),
    ...results.filter(({ method }) => method === "dkim").slice(0, MAX_SIGNATURES),
  ];
  // RFC 8601 §2.2: nothing was tested.
  if (told.length === 0) return "none";
  return results
    .filter((result) => told.includes(result))
    .map((result) => folded(wordsOf(result, options)))
    .join(`;${FOLD}`);
}

/** A message may have any number of signatures; each of those told costs every reader time. */
const MAX_SIGNATURES = 10;
/** An address has 254 octets, a domain 253. */
const MAX_VALUE_OCTETS = 255;
const MAX_REASON_OCTETS = 200;
const FOLD = "\r\n\t";
/** RFC 5322 §2.1.1; the tab counts as eight, and a semicolon may follow. */
const MAX_COLUMN = 77 - 8;

function wordsOf(result: MethodResult, options: ResultsOptions): readonly string[] {
  const reason = result.reason
    ? [`reason=${quoted(bounded(result.reason, MAX_REASON_OCTETS, options))}`]
    : [];
  const properties = propertiesOf(result).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [`${name}=${valueText(String(value), options)}`],
  );
  return [`${result.method}=${result.result}`, ...reason, ...properties];
}

/** In the words of IANA's registry of them, "Email Authentication Methods". */
function propertiesOf(result: MethodResult): readonly (readonly [string, string | number | undefined])[] {
  switch (result.method) {
    case "spf":
      return [
        ["smtp.mailfrom", result.mailfrom],
        ["smtp.helo", result.helo],
      ];
    case "dkim":
      return [
        ["header.d", result.domain],
        ["header.s", result.selector],
        ["header.a", result.algorithm],
        ["header.b", result.signature],
      ];
    case "dmarc":
      return [
        ["header.from", result.from],
        ["policy.dmarc", result.policy],
      ];
    case "arc":
      return [
        ["header.oldest-pass", result.oldestPass],
        ["smtp.remote-ip", result.remoteIp],
      ];
  }
}

function folded(words: readonly string[]): string {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    if (line !== "" && line.length + 1 + word.length > MAX_COLUMN) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join(FOLD);
}

/** RFC 2045 §5.1: what a token may not hold. RFC 8601 §2.2 takes an address or a domain as it is. */
const TOKEN = /^[^\s()<>@,;:\\"/[\]?=\x80-\u{10ffff}]+$/u;
const DOMAIN = /^[^\s!-,/:-@[-^`{-~]+$/u;
/** Without an equals sign, which who searches in place of reading takes for a result: `dmarc=pass@evil.example`. */
const LOCAL_PART = /^[^\s"(),.:;<=>@[\\\]]+(?:\.[^\s"(),.:;<=>@[\\\]]+)*$/u;

function valueText(text: string, options: ResultsOptions): string {
  const value = bounded(text, MAX_VALUE_OCTETS, options);
  return TOKEN.test(value) || isAddress(value) ? value : quoted(value);
}

function isAddress(value: string): boolean {
  const at = value.lastIndexOf("@");
  if (!DOMAIN.test(value.slice(at + 1))) return false;
  return at <= 0 || LOCAL_PART.test(value.slice(0, at));
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** One character for each that may not be there: an invisible one would hide from who reads the field. */
function bounded(text: string, limit: number, { smtpUtf8 = false }: ResultsOptions): string {
  // No character is shorter than an octet.
  const start = text.slice(0, limit).toWellFormed();
  let shown = start.replace(smtpUtf8 ? /[\p{Cc}\p{Cf}\u2028\u2029\ufffd]/gu : /[^ -~]/gu, "?");
  while (octets(shown) > limit)
    shown = shown
      .slice(0, -1)
      .toWellFormed()
      .replace(/\ufffd$/u, "");
  return shown;
}
