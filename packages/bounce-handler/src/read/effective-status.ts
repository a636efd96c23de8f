// What really became of a recipient: the code of the diagnostic where the reported status is general (Exim and OpenSMTPD say
// 5.0.0 for everything), and whether anything more will be tried. Called by judge.ts.

import type { BounceAction, SmtpReply } from "./report.ts";
import { enhancedAt, findReply, findStatus } from "./smtp-reply.ts";

export interface Reported {
  readonly action: BounceAction | undefined;
  /** The Status field. */
  readonly status: string | undefined;
  /** Diagnostic-Code without its type. */
  readonly diagnostic: string | undefined;
  /** What the text part says about this recipient, `""` for nothing. */
  readonly words: string;
  /** Will-Retry-Until is there. */
  readonly willRetry: boolean;
}

export interface Effective {
  readonly status: string | undefined;
  readonly reply: SmtpReply | undefined;
  /** Which field the status is from. */
  readonly source: "Status" | "Diagnostic-Code" | "text" | "Action" | "none";
  readonly final: boolean;
  /** Given up after a time. */
  readonly expired: boolean;
}

/** Codes of RFC 3463 for a time that is over. */
const TIMED_OUT = ["4.4.7", "5.4.7"];
/** Of the message. A certificate or an account expires as well, and qmail gives up on a host after every single try. */
const EXPIRED_WORDS = [
  "message expired",
  "message has expired",
  "envelope expired",
  "delivery time expired",
  "delivery expired",
  "too long in the queue",
  "in the queue too long",
];
/** `Message could not be delivered for 5 days`, not `for policy reasons`. Linear: fixed text, one digit. */
const FOR_SO_LONG = /could not be delivered for [0-9]/;

export function effectiveStatus(reported: Reported): Effective {
  const { status, source, reply } = findBest(reported);
  const expired = isExpired(reported, status);
  const { action } = reported;
  const final = action === undefined ? !status?.startsWith("4") : action !== "delayed" || expired;
  return { status, source, reply, final, expired };
}

function findBest({
  action,
  status,
  diagnostic,
  words,
}: Reported): Pick<Effective, "status" | "source" | "reply"> {
  const written = parseStatus(status);
  const inDiagnostic = diagnostic === undefined ? undefined : findReply(diagnostic);
  const reply = inDiagnostic ?? (words === "" ? undefined : findReply(words));
  if (written !== undefined && !isGeneral(written)) return { status: written, source: "Status", reply };
  const candidates = [
    [inDiagnostic?.enhanced ?? findStatus(diagnostic ?? ""), "Diagnostic-Code"],
    [reply?.enhanced ?? findStatus(words), "text"],
  ] as const;
  for (const [code, source] of candidates) {
    if (code === undefined || !fits(code, action)) continue;
    if (!isGeneral(code) || written === undefined) return { status: code, source, reply };
  }
  if (written !== undefined) return { status: written, source: "Status", reply };
  const klass = reply && fits(`${reply.code}`, action) ? `${reply.code}`[0] : classOf(action);
  return { status: klass && `${klass}.0.0`, source: klass ? "Action" : "none", reply };
}

/** `5.1.1 (comment)`, and the short forms `5.1` and `5` that some write. */
export function parseStatus(field: string | undefined): string | undefined {
  const text = field?.trim() ?? "";
  const whole = enhancedAt(text, 0);
  if (whole !== undefined) return whole;
  // Linear: anchored, no repetition that could match the same characters twice.
  const short = /^([245])(?:\.(\d{1,3}))?(?![.\d])/.exec(text);
  return short ? `${short[1]}.${short[2] ?? "0"}.0` : undefined;
}

function isGeneral(status: string): boolean {
  return status.endsWith(".0.0");
}

/** A code of success says nothing about a failure, nor the other way round. */
function fits(code: string, action: BounceAction | undefined): boolean {
  if (action === undefined) return true;
  return code.startsWith("2") === (classOf(action) === "2");
}

function classOf(action: BounceAction | undefined): string | undefined {
  if (action === undefined) return undefined;
  if (action === "failed") return "5";
  return action === "delayed" ? "4" : "2";
}

/** OpenSMTPD writes `delayed` and 4.4.7 when it gives up; Exchange writes the same while it tries on, and says until when. */
function isExpired({ action, diagnostic, words, willRetry }: Reported, status: string | undefined): boolean {
  if (action !== "delayed" && action !== "failed") return false;
  if (action === "delayed" && willRetry) return false;
  if (status !== undefined && TIMED_OUT.includes(status)) return true;
  const text = `${diagnostic ?? ""}\n${words}`.toLowerCase();
  return EXPIRED_WORDS.some((words) => text.includes(words)) || FOR_SO_LONG.test(text);
}
