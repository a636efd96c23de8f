// Makes the report from what the reader kept: which kind it is, and what became of whom. Called by reader.ts, once at the end.
import { findAddress } from "./addresses.ts";
import { type BounceText, bounceText, indexWords } from "./bounce-text.ts";
import type { ContentType } from "./content-type.ts";
import { fieldValue } from "./header-reader.ts";
import { htmlText } from "./html-text.ts";
import type { ReaderLimits } from "./limits.ts";
import { namingWords } from "./named.ts";
import { readable } from "./octet-text.ts";
import { autoReplyEvidence, isSurelyBounce, type Origin, originOf } from "./origin.ts";
import type { BounceKind, BounceRecipient, BounceReport, HeaderField } from "./report.ts";
import { aboveMessage, type ReadReturned, readReturned, splitReturned } from "./returned.ts";
import { readStatusPart, type StatusBlock, type StatusPart } from "./status-part.ts";
import { statusRecipient } from "./status-recipient.ts";
import { readTextBounce } from "./text-bounce.ts";
import { plainValue } from "./typed-address.ts";

/** All text is latin1: octets as characters. */
export interface Collected {
  readonly header: readonly HeaderField[];
  readonly type: ContentType;
  readonly text: string;
  readonly html: string;
  readonly preamble: string;
  /** In their order. */
  readonly statusParts: readonly string[];
  readonly returned: string | undefined;
  readonly hasFeedback: boolean;
  readonly hasDisposition: boolean;
  readonly truncated: boolean;
}

interface Judged {
  readonly kind: BounceKind;
  readonly message: StatusBlock;
  readonly recipients: readonly BounceRecipient[];
  readonly truncated: boolean;
  /** From the text, where no part has it. */
  readonly returned?: ReadReturned | undefined;
}

const NO_FIELDS: StatusBlock = new Map();
const MAX_FIELD = 512;

export function judge(collected: Collected, limits: ReaderLimits): BounceReport {
  const judged = judgeKind(collected, limits);
  const ofPart = collected.returned === undefined ? undefined : readReturned(collected.returned);
  const returned = ofPart ?? judged.returned;
  const cutHeader = returned?.ended === false && (collected.returned?.length ?? 0) >= limits.returnedOctets;
  return {
    kind: judged.kind,
    reportingMta: plainValue(judged.message.get("reporting-mta")),
    originalEnvelopeId: bounded(judged.message.get("original-envelope-id")),
    arrivalDate: bounded(judged.message.get("arrival-date")),
    recipients: judged.recipients,
    returned: returned?.header,
    named: namingWords(ownTexts(collected)),
    autoSubmitted: bounded(fieldValue(collected.header, "auto-submitted")),
    truncated: collected.truncated || judged.truncated || cutHeader,
  };
}

/** All that the mail system wrote itself. */
function ownTexts({ header, statusParts, text, html, preamble }: Collected): readonly string[] {
  const sentences = [text, htmlText(html), preamble].map((whole) => splitReturned(whole).text);
  return [...header.map(({ value }) => value), ...statusParts, ...sentences];
}

function judgeKind(collected: Collected, limits: ReaderLimits): Judged {
  const reportType = collected.type.parameters.get("report-type")?.toLowerCase();
  if (reportType === "disposition-notification") return plainKind("mdn");
  if (reportType === "feedback-report") return plainKind("arf");
  const parts = collected.statusParts.map((part) => readStatusPart(part, limits.recipients));
  const status = parts.find((part) => part.recipients.length > 0);
  if (status) return dsn(status, collected);
  if (collected.hasFeedback) return plainKind("arf");
  if (collected.hasDisposition) return plainKind("mdn");
  const [empty] = parts;
  const origin = empty || reportType === "delivery-status" ? "mail-system" : originOf(collected.header);
  const told = origin === "mail-system" ? bounceInText(collected, limits) : undefined;
  // A status part that names nobody: then the text may.
  if (empty)
    return {
      kind: "dsn",
      message: empty.message,
      recipients: told?.recipients ?? [],
      truncated: empty.truncated,
    };
  return told ?? spokenBy(origin, collected.header);
}

function plainKind(kind: BounceKind): Judged {
  return { kind, message: NO_FIELDS, recipients: [], truncated: false };
}

function dsn(status: StatusPart, collected: Collected): Judged {
  let words: ReturnType<typeof indexWords> | undefined;
  const wordsAbout = (address: string): string => {
    words ??= indexWords(bounceText(collected.text === "" ? htmlText(collected.html) : collected.text));
    return words.get(asOctets(address).toLowerCase()) ?? "";
  };
  return {
    kind: "dsn",
    message: status.message,
    recipients: status.recipients.map((block) => statusRecipient(block, wordsAbout)),
    truncated: status.truncated,
  };
}

/** Plain text first, then HTML, then what stood in front of a boundary that never came. */
function bounceInText(collected: Collected, limits: ReaderLimits): Judged | undefined {
  const failed = fieldValue(collected.header, "x-failed-recipients") ?? "";
  const texts = [collected.text, htmlText(collected.html), collected.preamble].filter((text) => text !== "");
  // The field X-Failed-Recipients alone is enough.
  for (const whole of texts.length === 0 ? [""] : texts) {
    const { text, returned } = splitReturned(whole);
    const byRules = rulesInText(bounceText(text), failed, limits);
    const byStatus = statusInText(aboveMessage(text), limits);
    const found = byStatus && (!byRules || namesOneOf(byStatus, byRules)) ? byStatus : byRules;
    if (found) return { ...found, returned: returned === undefined ? undefined : readReturned(returned) };
  }
  return undefined;
}

/** What looks like a report may be the sender's own text, returned. He does not know the address that the text is about. */
function namesOneOf(one: Judged, other: Judged): boolean {
  const named = new Set(other.recipients.map(({ finalRecipient }) => finalRecipient?.toLowerCase()));
  return one.recipients.some(({ finalRecipient }) => named.has(finalRecipient?.toLowerCase()));
}

/** A report whose MIME structure is lost still has its fields. */
function statusInText(text: string, limits: ReaderLimits): Judged | undefined {
  const start = `\n${text.toLowerCase()}`.indexOf("\nreporting-mta:");
  const part = start < 0 ? undefined : readStatusPart(text.slice(start), limits.recipients);
  const blocks =
    part?.recipients.filter((block) => block.has("final-recipient") && block.has("status")) ?? [];
  if (!part || blocks.length === 0) return undefined;
  const words = indexWords(bounceText(text.slice(0, start)));
  return {
    kind: "bounce",
    message: part.message,
    recipients: blocks.map((block) =>
      statusRecipient(block, (address) => words.get(asOctets(address).toLowerCase()) ?? ""),
    ),
    truncated: part.truncated,
  };
}

function rulesInText(text: BounceText, failed: string, limits: ReaderLimits): Judged | undefined {
  const recipients = readTextBounce(text, failed, limits.recipients);
  return recipients.length === 0
    ? undefined
    : { kind: "bounce", message: NO_FIELDS, recipients, truncated: recipients.length >= limits.recipients };
}

function spokenBy(origin: Origin, header: readonly HeaderField[]): Judged {
  if (origin !== "auto-reply" && origin !== "challenge") {
    return plainKind(isSurelyBounce(header) ? "bounce" : "not-a-bounce");
  }
  const from = findAddress(fieldValue(header, "from") ?? "")?.address;
  const answer: BounceRecipient = {
    finalRecipient: bounded(from),
    originalRecipient: undefined,
    action: undefined,
    status: undefined,
    effectiveStatus: undefined,
    final: false,
    class: "auto-reply",
    diagnostic: undefined,
    smtpReply: undefined,
    remoteMta: undefined,
    evidence: origin === "challenge" ? "subject of a challenge" : autoReplyEvidence(header),
  };
  return { kind: "auto-reply", message: NO_FIELDS, recipients: [answer], truncated: false };
}

/** The text is octets, an address is decoded already. */
function asOctets(address: string): string {
  return Buffer.from(address, "utf8").toString("latin1");
}

function bounded(value: string | undefined): string | undefined {
  return value === undefined ? undefined : readable(value, MAX_FIELD);
}
