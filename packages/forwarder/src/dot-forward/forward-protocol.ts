// What goes over the reader's socket: JSON Lines, one request {"user":"alice"}, one answer with the same user. Answers
// come in any order. Called by reader-server.ts and forward-client.ts.
import { checkMailbox } from "@homing/srs-core";
import type { ForwardPlace, ForwardTarget, PlacedForwardTarget } from "./forward-file.ts";
import type { ForwardAnswer, ForwardProblem } from "./forward-reader.ts";

/** A name of 64 octets, each of them escaped, and room. */
export const MAX_REQUEST_OCTETS = 1_024;
/** 1,000 targets of 254 octets, with their places and frames. */
export const MAX_ANSWER_OCTETS = 1024 * 1024;

export interface AnswerLine {
  readonly user: string;
  readonly answer: ForwardAnswer;
}

export function renderRequest(user: string): string {
  return `${JSON.stringify({ user })}\n`;
}

/** The user, or undefined for anything else. */
export function parseRequest(line: string): string | undefined {
  const request = parseObject(line);
  return typeof request?.user === "string" ? request.user : undefined;
}

export function renderAnswer({ user, answer }: AnswerLine): string {
  return `${JSON.stringify({ user, ...answer })}\n`;
}

/** Undefined for what is no answer. The reader is trusted with the truth, not with the form. */
export function parseAnswer(line: string): AnswerLine | undefined {
  const fields = parseObject(line);
  if (!fields || typeof fields.user !== "string") return undefined;
  const answer = readAnswer(fields);
  return answer && { user: fields.user, answer };
}

type Fields = Readonly<Record<string, unknown>>;

function parseObject(line: string): Fields | undefined {
  try {
    return asObject(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Fields | undefined {
  return typeof value === "object" && value !== null ? (value as Fields) : undefined;
}

function readAnswer(fields: Fields): ForwardAnswer | undefined {
  const { kind, path, why, cause } = fields;
  if (kind === "none" || kind === "no-user") return { kind };
  if (kind === "unsafe" && typeof path === "string" && typeof why === "string") return { kind, path, why };
  if (kind === "unavailable" && typeof cause === "string") return { kind, cause };
  if (kind === "targets") {
    const targets = readList(fields.targets, readPlacedTarget);
    return targets && { kind, targets };
  }
  if (kind === "unparsable") {
    const problems = readList(fields.problems, readProblem);
    return problems && { kind, problems };
  }
  return undefined;
}

function readList<T>(value: unknown, read: (fields: Fields) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: T[] = [];
  for (const element of value) {
    const fields = asObject(element);
    const item = fields && read(fields);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function readPlacedTarget(fields: Fields): PlacedForwardTarget | undefined {
  const target = readTarget(fields);
  const place = readPlace(asObject(fields.place) ?? {});
  return target && place ? { ...target, place } : target;
}

function readPlace({ file, line, column }: Fields): ForwardPlace | undefined {
  if (typeof file !== "string" || typeof line !== "number" || typeof column !== "number") return undefined;
  return { file, line, column };
}

function readTarget({ kind, name, domain, mailbox }: Fields): ForwardTarget | undefined {
  if (kind === "mailbox") {
    const { localPart, domain: at } = asObject(mailbox) ?? {};
    const checked = readMailbox(localPart, at);
    return checked && { kind, mailbox: checked };
  }
  // A name is a local part: any domain shows whether it is one.
  if (typeof name !== "string" || !readMailbox(name, domain ?? "localhost")) return undefined;
  if (kind === "name") return { kind, name };
  if (kind !== "local-copy") return undefined;
  return typeof domain === "string" ? { kind, name, domain } : { kind, name };
}

function readMailbox(localPart: unknown, domain: unknown) {
  if (typeof localPart !== "string" || typeof domain !== "string") return undefined;
  const checked = checkMailbox({ localPart, domain });
  return checked.ok ? checked.mailbox : undefined;
}

function readProblem({ file, line, column, message }: Fields): ForwardProblem | undefined {
  if (typeof file !== "string" || typeof message !== "string") return undefined;
  if (typeof line !== "number" || typeof column !== "number") return undefined;
  return { file, line, column, message };
}
